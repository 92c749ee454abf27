"""Work in several processes, none of which outlives the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

ENDS_WITH: Final = "_SER_ENDS_WITH_INPUT"


def cores() -> int:
    """That this process may use: of a machine shared by others, or in a container, not all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def ending_with_this() -> Mapping[str, str]:
    """Environment of a command that is to end when this process does: give it a pipe as its standard input, too.

    The system closes the pipe however this process ends, and `end_with_starter` sees that.
    """
    return {ENDS_WITH: "1"}


def end_with_starter() -> None:
    """End this process when the one that started it does, if that asked for it, see `ending_with_this`."""
    if os.environ.pop(ENDS_WITH, None):
        threading.Thread(target=_end_with_input, args=(sys.stdin.fileno(),), daemon=True).start()


def _end_with_input(descriptor: int) -> None:
    while os.read(descriptor, 1):  # not through `sys.stdin`, which the interpreter waits for when it ends
        pass
    os._exit(1)
