"""What a process that was forked may not go on with: threads are not copied, though what waits for them is, and so are
the locks that they hold.

A process that has classified has OpenMP's threads. Its children, as of a `multiprocessing.Pool` that forks or a
DataLoader's workers, would wait for them for ever. With one thread each, which is what processes beside each other
should have, they wait for none.

Locks are taken while other threads classify. Those that can be reached are new in a child; the others, inside of torch
and onnxruntime, are free when it begins: a fork waits for the steps in which they are taken, see `step`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter

STEP_SECONDS = 30.0  # that a fork waits for other threads; no step takes as long


class Steps:
    """Steps of work that a fork in another thread waits for: `with step: …`. They wait for nobody themselves."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._forks = 0  # that are waiting or under way
        self._inside: Counter[int] = Counter()  # steps by thread
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._wait, after_in_parent=self._go_on, after_in_child=self._begin_anew)

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: not self._forks or me in self._inside)
            self._inside[me] += 1

    def __exit__(self, *_: object) -> None:
        me = threading.get_ident()
        with self._changed:
            self._inside[me] -= 1
            self._inside = +self._inside
            self._changed.notify_all()

    def _wait(self) -> None:
        me = threading.get_ident()
        with self._changed:
            self._forks += 1
            self._changed.wait_for(lambda: not self._inside.keys() - {me}, STEP_SECONDS)

    def _go_on(self) -> None:
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()

    def _begin_anew(self) -> None:
        """In the child, whose only thread is the one that forked."""
        me = threading.get_ident()
        self._changed, self._forks = threading.Condition(), 0
        self._inside = +Counter({me: self._inside[me]})
        use_one_thread()
        if soundfile := sys.modules.get("soundfile"):
            soundfile.SoundFile._sf_error_lock = threading.Lock()  # held while files are opened


step = Steps()


def use_one_thread() -> None:
    """Torch, if it is there, computes with one thread from now on."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
