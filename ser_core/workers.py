"""Work in several processes, none of which outlives the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def map_in_processes(function: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Results of all jobs in their order, computed by at most so many processes of one thread each."""
    if workers == 1 or len(jobs) == 1:
        yield from map(function, jobs)
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), initializer=_begin) as pool:
        yield from pool.map(function, jobs)


def _begin() -> None:
    from threadpoolctl import threadpool_limits

    threading.Thread(target=end_with_parent, daemon=True).start()
    threadpool_limits(1)  # the processes share the cores already


def end_with_parent() -> None:
    """End this process when its parent does, however it ends: it waits for work that nobody sends, and holds the
    locks that it inherited."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
