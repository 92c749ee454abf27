"""The work on all cores of this machine: processes, each of which loads the model once and computes with one thread.

A process that dies costs nobody but itself: what it had in hand is done again by another one, file by file, and a file
that ends two of them is said to do so.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from ser_core.errors import ConfigError, SERError
from ser_core.forks import use_one_thread
from ser_core.serving.many.blocks import Block, Done, File, Results, Work
from ser_core.serving.many.columns import error_row
from ser_core.workers import end_with_parent

IN_HAND = 2  # blocks of a process: the one that it works on, and the next
MAX_ENDS = 2  # processes that a file may end


def classify_here(blocks: Iterable[Block], work: Work, workers: int) -> Results:
    """Results of blocks, in whatever order they end, from so many processes; one is this process.

    No more blocks are taken than are in hand.

    Raises:
        CheckpointError: the model can't be loaded.
        ConfigError: processes end before they begin.
    """
    if workers > 1:
        with contextlib.closing(Processes(work, workers)) as processes:
            yield from processes.map(blocks)
        return
    from threadpoolctl import threadpool_limits

    classifier = work.begin()
    for block in blocks:
        with threadpool_limits(1):
            done = classifier(block)
        yield done


def context() -> Any:
    """How processes are started: where it can be done, copied from one that has loaded the libraries already."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["ser_core.serving.predictor"])
    # The server ignores Ctrl-C once it has loaded the libraries; until then, it inherits that the signal is held back.
    resource_tracker.ensure_running()  # which lets the signal through, and the server begins with this otherwise
    held_back = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held_back)
    return server


class _Worker:
    """A process, and what it has in hand, oldest first."""

    def __init__(self, work: Work):
        started = context()
        self.connection, theirs = started.Pipe()
        self.process = started.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.ready = False
        self.blocks: deque[Block] = deque()

    def give(self, block: Block) -> None:
        """Something to do; a process that has died is seen when it is to answer."""
        self.blocks.append(block)
        with contextlib.suppress(OSError):
            self.connection.send(block)

    def end(self) -> None:
        """Now, whatever it does."""
        self.process.kill()
        self.process.join()
        self.connection.close()


class Processes:
    """Processes that classify, each of which is started when it is needed first.

    Args:
        work: what they have to know.
        workers: how many, at most.
    """

    def __init__(self, work: Work, workers: int):
        self.work, self.n_workers = work, workers
        self.workers: list[_Worker] = []
        self.again: deque[Block] = deque()
        self.ends: Counter[File] = Counter()

    def map(self, blocks: Iterable[Block]) -> Iterator[list[Done]]:
        """Results of blocks, in whatever order they end; see `classify_here`."""
        rest = iter(blocks)
        while True:
            self._hand_out(rest)
            if not any(worker.blocks for worker in self.workers):
                return
            for ready in wait([worker.connection for worker in self.workers]):
                worker = next(worker for worker in self.workers if worker.connection is ready)
                yield from self._hear(worker)

    def close(self) -> None:
        """End them, whatever they do."""
        while self.workers:
            self.workers.pop().end()

    def _hand_out(self, rest: Iterator[Block]) -> None:
        """Something to do for everyone before anyone gets more; who is needed is started."""
        for wanted in range(1, IN_HAND + 1):
            while True:
                free = [worker for worker in self.workers if len(worker.blocks) < wanted]
                if not free and len(self.workers) == self.n_workers:
                    break
                block = self.again.popleft() if self.again else next(rest, None)
                if block is None:
                    break
                if not free:
                    free = [_Worker(self.work)]
                    self.workers += free
                free[0].give(block)

    def _hear(self, worker: _Worker) -> Iterator[list[Done]]:
        """What a process says, which may be that it is no more."""
        try:
            said = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._lost(worker)
            return
        if isinstance(said, SERError):
            raise said
        if said is None:
            worker.ready = True
            return
        worker.blocks.popleft()
        yield said

    def _lost(self, worker: _Worker) -> Iterator[list[Done]]:
        self.workers.remove(worker)
        worker.end()
        how = _how_it_ended(worker.process.exitcode)
        if not worker.ready:
            raise ConfigError(f"A process ended {how} before it had loaded the model. Ask for fewer --workers.")
        if not worker.blocks:
            return
        suspected = worker.blocks.popleft()
        self.again.extend(worker.blocks)
        if len(suspected) > 1:
            self.again.extend((file,) for file in suspected)
            return
        (file,) = suspected
        self.ends[file] += 1
        if self.ends[file] < MAX_ENDS:
            self.again.append(suspected)
            return
        why = f"The process that classified it ended {how}, twice. The file may be damaged, or memory too small."
        yield [Done(file.number, (error_row(why),), failed=True, final=False)]


def _how_it_ended(status: int | None) -> str:
    if status is not None and status < 0:
        return f"by {signal.Signals(-status).name}"
    return f"with status {status}"


def _serve(connection: Connection, work: Work) -> None:
    """What a process does: says when it is ready, and answers each block; without a parent it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its processes
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        classifier = work.begin()
    except SERError as error:
        connection.send(error)
        return
    use_one_thread()
    connection.send(None)
    while True:
        try:
            block = connection.recv()
        except EOFError:
            return
        connection.send(classifier(block))
