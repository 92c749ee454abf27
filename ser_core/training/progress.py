"""How a run goes, on the terminal or in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tqdm import tqdm

from ser_core.records.runs import Epoch, Run
from ser_core.training.trainer import Trainer
from ser_core.training.watching import Watcher

if TYPE_CHECKING:
    from torch import Tensor

LOG_SECONDS = 8.0  # between two lines where there is no terminal


class ProgressBar(Watcher):
    """One bar for the features, one for the training: loss, accuracy, clips/s and time left.

    A line an epoch is written as well. Where there is no terminal, as in a log, there are no bars, but a line at least
    every `LOG_SECONDS`, as far as a step doesn't take longer.
    """

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.counting: tqdm | None = None  # features may be computed once more after the training, for `--refit`
        self.seen = 0
        self.log_again = 0.0

    def says(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)

    def features(self, done: int, total: int) -> None:
        self._count("features", done, total)

    def taught(self, done: int, total: int) -> None:
        self._count("teacher", done, total)

    def _count(self, what: str, done: int, total: int) -> None:
        if self.counting is None or self.counting.total != total:
            self.counting = tqdm(total=total, desc=what.capitalize(), unit="clip", disable=None)
        if self.counting.disable:
            self._log(lambda: f"{what}  {done:,} of {total:,} clips")
        self.counting.update(done - self.counting.n)
        if done == total:
            self.counting.close()
            self.counting = None

    def started(self, trainer: Trainer) -> None:
        clips, done = len(trainer.train_clips), len(trainer.history)
        self.bar = tqdm(
            total=clips * trainer.config.epochs,
            initial=clips * done,
            unit="clip",
            unit_scale=True,
            mininterval=0.5,
            disable=None,
        )
        self.epochs, self.number, self.clips = trainer.config.epochs, done + 1, clips
        self.bar.set_description(f"Epoch {self.number}/{self.epochs}")

    def step(self, clips: int, loss_sum: Tensor, right: Tensor) -> None:
        assert self.bar is not None
        self.seen += clips
        if self.bar.disable:
            self._log(
                lambda: (
                    f"epoch {self.number:3d}  {self.seen:,} of {self.clips:,} clips  "
                    f"loss {float(loss_sum) / self.seen:.3f}  acc {float(right) / self.seen:.1%}"
                )
            )
        if self.bar.update(clips):  # it was redrawn: only then are the figures fetched from the device
            self.bar.set_postfix(
                loss=f"{float(loss_sum) / self.seen:.3f}", acc=f"{float(right) / self.seen:.1%}", refresh=False
            )

    def epoch(self, epoch: Epoch) -> None:
        assert self.bar is not None
        self.seen = 0
        self.bar.write(
            f"epoch {epoch.epoch:3d}  loss {epoch.train_loss:.3f}  acc {epoch.train_accuracy:.1%}  "
            f"val loss {epoch.val_loss:.3f}  val acc {epoch.val_accuracy:.1%}  {epoch.seconds:.1f} s"
        )
        sys.stdout.flush()  # which a log would have much later
        self.number = min(epoch.epoch + 1, self.epochs)
        self.bar.set_description(f"Epoch {self.number}/{self.epochs}")

    def finished(self, run: Run) -> None:
        assert self.bar is not None
        self.bar.close()

    def _log(self, line: Callable[[], str]) -> None:
        if time.monotonic() >= self.log_again:
            print(line(), file=sys.stderr, flush=True)
            self.log_again = time.monotonic() + LOG_SECONDS
