"""What a process that was forked may not go on with: threads are not copied, though what waits for them is.

A process that has classified has OpenMP's threads. Its children, as of a `multiprocessing.Pool` that forks or a
DataLoader's workers, would wait for them for ever. With one thread each, which is what processes beside each other
should have, they wait for none.
"""

from __future__ import annotations

import os
import sys
from functools import cache


@cache
def forks_use_one_thread() -> None:
    """From now on, torch computes with one thread in children that are forked from this process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=use_one_thread)


def use_one_thread() -> None:
    """Torch, if it is there, computes with one thread from now on."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
