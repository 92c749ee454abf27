"""Many runs: which are recorded, which are missing, and training those, several at once.

Where a run is trained is up to a `Pool`: processes of this machine here, machines of a cluster in
`ser_core.training.ray_pool`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ser_core.command import OUT_OF_MEMORY
from ser_core.errors import RunError
from ser_core.places import PACKAGE
from ser_core.records.runs import alone, partial_folder
from ser_core.training.survey import Entry, How, how_to_start, survey_one
from ser_core.workers import ending_with_this

POLL_SECONDS = 0.3
MAX_ATTEMPTS = 3  # of a run whose process was killed; one that fails by itself is not tried again


class Pool(Protocol):
    """Something that trains runs.

    Attributes:
        slots: how many are trained at once.
    """

    slots: int

    def start(self, entry: Entry) -> None:
        """Begin training it."""

    def ended(self) -> dict[str, str | None]:
        """Runs that ended since this was last asked: by name, why they failed, or None where they are recorded."""

    def stop(self) -> None:
        """End all that is in progress; what is saved stays."""


Watch = Callable[[Sequence[Entry], dict[str, str | None]], None]


def train_all(entries: Sequence[Entry], pool: Pool, watch: Watch) -> dict[str, str]:
    """Train all that is not recorded yet, but for what would replace a run with other settings.

    Args:
        pool: trains them.
        watch: called every moment with what is in progress, and with what ended since (see `Pool.ended`).

    Returns:
        why runs failed, by name; the others are recorded.
    """
    waiting = deque(entry for entry in entries if entry.to_train)
    running: dict[str, Entry] = {}
    failed: dict[str, str] = {}
    try:
        while waiting or running:
            while waiting and len(running) < pool.slots:
                entry = waiting.popleft()
                running[entry.name] = entry
                pool.start(entry)
            ended = pool.ended()
            for name, error in ended.items():
                del running[name]
                if error is not None:
                    failed[name] = error
            watch(list(running.values()), ended)
            time.sleep(POLL_SECONDS)
    finally:
        pool.stop()
    return failed


def importable() -> dict[str, str]:
    """Environment in which a process imports this package, whatever its current folder is."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))}


def _end_group(process: subprocess.Popen) -> None:
    """End a process, or what is left of it, with the workers that compute features for it."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


def log_of(runs_dir: Path, name: str) -> Path:
    """What a run says that a grid trains on this machine."""
    return partial_folder(runs_dir, name).with_name(f"{name}.log")


def remove_logs(entries: Sequence[Entry], runs_dir: Path) -> None:
    """Remove those of recorded runs, which a grid leaves that is killed before it sees that they are."""
    for entry in entries:
        if entry.state == "recorded" and (log := log_of(runs_dir, entry.name)).exists():
            with contextlib.suppress(RunError), alone(runs_dir, entry.name):  # otherwise somebody trains it
                log.unlink(missing_ok=True)


class LocalPool:
    """Processes on this machine, which end when this one does.

    Args:
        command: makes the command line of an entry.
        runs_dir: where records go; each process's output goes to `runs/.partial/<name>.log`.
        slots: processes at once.
        threads: of each process.
        less_memory: what to do where memory ran out.
    """

    def __init__(
        self,
        command: Callable[[Entry, How], Sequence[str]],
        runs_dir: Path,
        slots: int,
        threads: int,
        less_memory: str = "Train fewer runs at once.",
    ):
        self.command, self.runs_dir, self.slots, self.threads = command, runs_dir, slots, threads
        self.less_memory = less_memory
        self.processes: dict[str, subprocess.Popen] = {}
        self.attempts: dict[str, int] = {}
        self.entries: dict[str, Entry] = {}

    def start(self, entry: Entry) -> None:
        """See `Pool`."""
        self.entries[entry.name] = entry
        self.attempts[entry.name] = self.attempts.get(entry.name, 0) + 1
        log = log_of(self.runs_dir, entry.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self.processes[entry.name] = subprocess.Popen(
                self.command(entry, how_to_start(entry.config, self.runs_dir)),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **importable(), **ending_with_this(), "OMP_NUM_THREADS": str(self.threads)},
                process_group=0,  # Ctrl-C is for the grid, which ends its processes itself; `nice` is for all of them
            )

    def ended(self) -> dict[str, str | None]:
        """See `Pool`."""
        outcomes: dict[str, str | None] = {}
        for name, process in list(self.processes.items()):
            if process.poll() is None:
                continue
            del self.processes[name]
            _end_group(process)
            entry, status = self.entries[name], process.returncode
            if status < 0 and survey_one(entry.config, self.runs_dir).state == "recorded":
                status = 0  # it was killed when all was done
            if status < 0 and self.attempts[name] < MAX_ATTEMPTS:
                self.start(entry)
            else:
                outcomes[name] = self._why(name, status)
        return outcomes

    def stop(self) -> None:
        """See `Pool`."""
        for process in self.processes.values():
            _end_group(process)
        for process in self.processes.values():
            process.wait()
        self.processes.clear()

    def _why(self, name: str, status: int) -> str | None:
        log = log_of(self.runs_dir, name)
        if status == 0:
            log.unlink(missing_ok=True)
            return None
        if status < 0:
            return f"its process was ended {MAX_ATTEMPTS} times by {signal.Signals(-status).name}"
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
        last = next((line for line in reversed(lines) if line), "it said nothing")
        if OUT_OF_MEMORY in last:
            last = f"{OUT_OF_MEMORY} {self.less_memory}"  # what train.py advises is not for a grid
        return f"{last.removeprefix('error: ')} (all of it: {log})"
