"""Work in several processes, none of which outlives the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

from ser_core.errors import RunError

Job = TypeVar("Job")
Result = TypeVar("Result")

ENDS_WITH: Final = "_SER_ENDS_WITH_INPUT"


def cores() -> int:
    """That this process may use: of a machine shared by others, or in a container, not all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_processes(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int, *, spawn: bool = False
) -> Iterator[Result]:
    """Results of all jobs in their order, computed by at most so many processes of one thread each.

    Args:
        spawn: whether processes begin from nothing: CUDA can't be used in a copy of one that has looked for it.

    Raises:
        RunError: a process was killed.
    """
    if workers == 1 or len(jobs) == 1:
        yield from map(function, jobs)
        return
    context = multiprocessing.get_context("spawn") if spawn else None
    try:
        with ProcessPoolExecutor(min(workers, len(jobs)), context, initializer=_begin) as pool:
            yield from pool.map(function, jobs)
    except BrokenProcessPool:
        raise RunError(
            "One of several processes was killed, as a system does that has no memory left. Close other programs, or "
            "ask for fewer processes. What was finished is kept."
        ) from None


def _begin() -> None:
    import numpy  # noqa: F401  its threads can be limited only where it is there, also in a process that is spawned
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
