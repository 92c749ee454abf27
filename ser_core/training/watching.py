"""Who watches a run, and is told how it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from torch import Tensor

from ser_core.records.runs import Epoch, Run
from ser_core.training.trainer import Trainer


class Watcher:
    """Is told how a run goes, and shows nothing; `train.py` has one with a progress bar."""

    def says(self, sentence: str) -> None:
        """Before it begins: that it replaces a run with other settings, or that there was nothing to go on from."""

    def features(self, done: int, total: int) -> None:
        """So many clips of so many have their features."""

    def taught(self, done: int, total: int) -> None:
        """The teacher has answered so many clips of so many."""

    def started(self, trainer: Trainer) -> None:
        """Training begins, or goes on after the epochs in `trainer.history`."""

    def step(self, clips: int, loss_sum: Tensor, right: Tensor) -> None:
        """See `Trainer.run_epoch`."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is done."""

    def finished(self, run: Run) -> None:
        """The record is written."""


def tell(watchers: Sequence[Watcher], what: Literal["features", "taught"]) -> Callable[[int, int], None]:
    """What tells all watchers of so many clips of so many."""

    def tell(done: int, total: int) -> None:
        for watcher in watchers:
            getattr(watcher, what)(done, total)

    return tell
