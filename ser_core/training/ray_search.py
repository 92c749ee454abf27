"""A search over several machines, by Ray (`pip install -r requirements-ray.txt`).

The machine that asked has the study: it proposes, writes down what is reported, and gives trials up. Each trial is a
task, which Ray tries again where a worker or a machine is lost. So the machines share no folder, and there are as many
trials as asked for. Each machine finds the corpus by its own `CREMAD_DIR`.
"""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from ser_core.corpus.splits import Split, load_split
from ser_core.errors import RunError, SERError
from ser_core.ray_cluster import connect, require_share
from ser_core.training.config import TrainConfig
from ser_core.training.pool import MAX_ATTEMPTS, POLL_SECONDS
from ser_core.training.search import Loaded, Search, Trained, load, open_study, take, tell, train_trial
from ser_core.training.search_space import suggest


class Report(NamedTuple):
    """What a trial reports after an epoch.

    Attributes:
        trial: its number.
        epoch: from 1.
        value: validation accuracy, 0..1.
    """

    trial: int
    epoch: int
    value: float


class Trainers(Protocol):
    """Something that trains trials, by their numbers."""

    @property
    def slots(self) -> int:
        """How many at once, as of now."""

    def start(self, number: int, config: TrainConfig) -> None:
        """Begin training one."""

    def reports(self) -> list[Report]:
        """Of all trials since this was last asked; one that was begun again repeats its own."""

    def give_up(self, number: int) -> None:
        """End a trial at its next report."""

    def ended(self) -> dict[int, Trained | str]:
        """Trials that ended since this was last asked, or why they failed."""

    def stop(self) -> None:
        """End all that is in progress."""


def search_on(trainers: Trainers, search: Search, jobs: int | None = None) -> None:
    """Train trials until there are as many as asked for; the caller holds the lock of the search.

    Args:
        jobs: at once, at most; None for as many as fit.

    Raises:
        RunError: a trial failed.
    """
    study = open_study(search)
    trials: dict[int, Any] = {}
    reported: dict[int, int] = {}  # epochs by trial
    try:
        while True:
            while len(trials) < min(trainers.slots, jobs or search.trials) and (trial := take(study, search)):
                trials[trial.number] = trial
                trainers.start(trial.number, search.config(suggest(trial)))
            if not trials:
                return
            ended = trainers.ended()  # before reports are taken: those of what ended are there
            for number, epoch, value in trainers.reports():
                if number in trials and epoch > reported.get(number, 0):
                    reported[number] = epoch
                    trials[number].report(value, epoch)
                    if trials[number].should_prune():
                        trainers.give_up(number)
            for number, outcome in ended.items():
                trial = trials.pop(number)
                if isinstance(outcome, str):
                    study.tell(trial, state=_failed())
                    raise RunError(f"Trial {number} failed: {outcome} The others are kept.")
                tell(study, trial, outcome)
            time.sleep(POLL_SECONDS)
    finally:
        trainers.stop()


def _failed() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL


class Machines:
    """Those of a Ray cluster, as `Trainers`.

    Args:
        address: of the cluster, see `ser_core.ray_cluster.connect`.
        search: what is searched.
        cpus, gpus: share of a machine that a trial gets.

    Raises:
        ConfigError: Ray is not installed, nothing answers at the address, or the cluster has less than the share.
    """

    def __init__(self, address: str, search: Search, cpus: float = 1, gpus: float = 0):
        self.ray = ray = connect(address)
        require_share(ray, "A trial", cpus, gpus)
        self.share = {"CPU": cpus, "GPU": gpus}
        # The board takes no core, and begins empty on another machine where its own is lost.
        board: Any = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
        self.board = board(Board).remote()
        task: Any = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=MAX_ATTEMPTS - 1)
        self.task = task(run_trial)
        self.common = ray.put((replace(search, threads=max(1, int(cpus))), load_split(search.base.split)))
        self.refs: dict[Any, int] = {}

    @property
    def slots(self) -> int:
        """See `Trainers`."""
        has = self.ray.cluster_resources()
        return max(1, *[int(has.get(name, 0) / share) for name, share in self.share.items() if share])

    def start(self, number: int, config: TrainConfig) -> None:
        """See `Trainers`."""
        self.refs[self.task.remote(number, config, self.common, self.board)] = number

    def reports(self) -> list[Report]:
        """See `Trainers`."""
        try:
            return [Report(*report) for report in self.ray.get(self.board.taken.remote())]
        except self.ray.exceptions.RayError as error:
            raise RunError(f"The cluster gave up: {_last_line(error)} The same command goes on.") from None

    def give_up(self, number: int) -> None:
        """See `Trainers`."""
        self.board.give_up.remote(number)

    def ended(self) -> dict[int, Trained | str]:
        """See `Trainers`."""
        done, _ = self.ray.wait(list(self.refs), num_returns=len(self.refs), timeout=0) if self.refs else ([], [])
        return {self.refs.pop(ref): self._outcome(ref) for ref in done}

    def stop(self) -> None:
        """See `Trainers`."""
        for ref in self.refs:
            self.ray.cancel(ref, force=True)
        self.refs.clear()
        self.ray.shutdown()

    def _outcome(self, ref: Any) -> Trained | str:
        try:
            return self.ray.get(ref)
        except self.ray.exceptions.RayError as error:
            return _last_line(error)


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]


class Board:
    """Where trials report to, and read whether they are given up: an actor of the cluster."""

    def __init__(self) -> None:
        self.reports: list[tuple[int, int, float]] = []
        self.given_up: set[int] = set()

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Take a report, see `Report`; whether the trial is given up."""
        self.reports.append((number, epoch, value))
        return number in self.given_up

    def taken(self) -> list[tuple[int, int, float]]:
        """Reports since this was last asked."""
        reports, self.reports = self.reports, []
        return reports

    def give_up(self, number: int) -> None:
        """Say so to a trial when it next reports."""
        self.given_up.add(number)


class _Reporting:
    """A trial where it is trained, which tells a board what it would tell Optuna."""

    def __init__(self, number: int, board: Any):
        self.number, self.board = number, board
        self.given_up = False

    def report(self, value: float, epoch: int) -> None:
        import ray

        self.given_up = ray.get(self.board.report.remote(self.number, epoch, value))

    def should_prune(self) -> bool:
        return self.given_up


def run_trial(number: int, config: TrainConfig, common: tuple[Search, Split], board: Any) -> Trained:
    """Train one on the machine where this is called, see `train_trial`."""
    import torch

    search, split = common
    torch.set_num_threads(search.threads)
    try:
        return train_trial(_Reporting(number, board), config, _loaded(search, split))
    except SERError as error:
        raise RuntimeError(str(error)) from None  # Ray shows an error of its own that ends with this sentence


@functools.lru_cache(maxsize=1)  # of a worker, which trains one trial after the other
def _loaded(search: Search, split: Split) -> Loaded:
    return load(search, split)
