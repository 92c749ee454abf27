"""What there is of a grid, and how it goes: on the terminal or in a log."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ser_core.models.registry import MODELS
from ser_core.places import how_to_run
from ser_core.records.runs import Run, load_run
from ser_core.records.schema import UNKNOWN
from ser_core.training.survey import Entry, epochs_in_progress
from ser_core.words import counted

if TYPE_CHECKING:
    from ser_core.training.device import Device
    from ser_core.training.estimate import Estimator

LOG_SECONDS = 60
WORDS = {"recorded": "recorded", "shorter": "fewer epochs", "interrupted": "interrupted"}


def other_precision(entries: Sequence[Entry], device: Device) -> str:
    """That what is trained here would stand beside none of what is recorded; empty if it would, or nothing is."""
    precisions = Counter(entry.run.environment.precision for entry in entries if entry.run)
    ((most, count),) = precisions.most_common(1) or [(device.precision, 0)]
    if most == device.precision:
        return ""
    return (
        f"{counted(count, 'run')} of these {'is' if count == 1 else 'are'} recorded in {most}, and new ones are "
        f"trained in {device.precision} here. Only runs of one precision are compared: --precision {most} trains such."
    )


def print_list(entries: Sequence[Entry], estimator: Estimator, jobs: int, recorded: Sequence[Run]) -> None:
    """A line a run, with its validation accuracy, and what is left in all with so many runs at once.

    Args:
        recorded: all runs that are recorded, under whatever name.
    """
    seconds = [entry.epochs_left * estimator.epoch_seconds(entry.config) for entry in entries]
    width = max(len(entry.name) for entry in entries)
    print(f"{'run':{width}}  {'state':13}  {'epochs':>8}  {'validation':>10}  time left")
    for entry, left in zip(entries, seconds, strict=True):
        validation = f"{entry.run.val_accuracy:.1%}" if entry.run else "–"
        status = f"  ({entry.run.status})" if entry.run and entry.run.status != "finished" else ""
        print(
            f"{entry.name:{width}}  {WORDS.get(entry.state, entry.state):13}  "
            f"{entry.epochs_done:>4}/{entry.config.epochs:<3}  {validation:>10}  "
            f"{duration(left) if left else '–'}{status}"
        )
    for entry in entries:
        if entry.reason:
            print(f"{entry.reason} {what_to_do()}" if entry.state == "other settings" else entry.reason)
    for sentence in unlike_most(entries, recorded):
        print(sentence)
    if sum(seconds) and (sentence := other_precision(entries, estimator.device)):
        print(sentence)
    counts = Counter(WORDS.get(entry.state, entry.state) for entry in entries)
    print(", ".join(f"{n} {state}" for state, n in counts.items()) + f"; {len(entries)} in all.")
    if sum(seconds):
        basis = "from runs recorded on it" if estimator.measured else "a guess from a few steps"
        at_once = f"{jobs} runs at once" if jobs > 1 else "one run after another"
        left = max(sum(seconds) / jobs, *seconds)
        print(f"About {duration(left)} left on {estimator.device.label}, {at_once} ({basis}).")


def unlike_most(entries: Sequence[Entry], recorded: Sequence[Run]) -> list[str]:
    """Sentences about records whose convolutions were computed otherwise than most: they aren't compared with them.

    Unless one with the same settings was computed as most are, under another name.
    """
    of_images = [entry.run for entry in entries if entry.run and MODELS[entry.run.train.model].takes_images]
    of_images = [run for run in of_images if run.environment.numerics != UNKNOWN]  # which nobody can ask for
    counts = Counter(run.environment.numerics for run in of_images)
    if len(counts) < 2:
        return []
    (usual, _), *_ = counts.most_common()
    return [
        f"Other numerics than most has {run.name} ({run.environment.numerics}, they have {usual}), so it isn't "
        f"compared with them. Trained with --numerics {usual} and a --name of its own, it would be."
        for run in of_images
        if run.environment.numerics != usual
        and not any(twin.train == run.train and twin.environment.numerics == usual for twin in recorded)
    ]


def what_to_do() -> str:
    """About a name that a run with other settings has."""
    train = how_to_run("train")
    return f"Move what has the name elsewhere, or train this one with `{train}` and another --name, or with --restart."


def duration(seconds: float) -> str:
    """Hours and minutes, rounded up."""
    hours, minutes = divmod(max(1, -int(-seconds // 60)), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


class Display:
    """One progress display for all runs, in units of the time that each is expected to take.

    Where there is no terminal, as in a log, it is a line a minute, if an epoch has ended in it.
    """

    def __init__(self, entries: Sequence[Entry], estimator: Estimator, runs_dir: Path):
        self.runs_dir, self.done, self.total = runs_dir, 0, len(entries)
        self.cost = {entry.name: estimator.epoch_seconds(entry.config) for entry in entries}
        self.left = {entry.name: entry.epochs_left for entry in entries}
        self.done = sum(entry.state == "recorded" for entry in entries)
        self.work = self._work_left()
        self.bar = tqdm(
            total=self.work,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}",
            disable=None,
        )
        self.logged, self.log_again = "", 0.0

    def watch(self, running: Sequence[Entry], ended: dict[str, str | None]) -> None:
        """Draw how far all are, and write a line for each that ended."""
        for name, error in ended.items():
            self.log_again = 0.0
            self._advance(name, 0)
            self.bar.write(f"{name}: {error or self._result(name)}")
            self.done += error is None
        states = []
        for entry in running:
            epochs = epochs_in_progress(self.runs_dir, entry.name)
            self._advance(entry.name, entry.config.epochs - epochs)
            states.append(f"{entry.name} {epochs}/{entry.config.epochs}")
        done, now = f"{self.done} of {self.total} runs", ", ".join(states[:3]) + (" …" if len(states) > 3 else "")
        if self.bar.disable:
            self._log(", ".join(filter(None, (done, now))))
        else:
            self.bar.set_description_str(done, refresh=False)
            self.bar.set_postfix_str(now)

    def close(self) -> None:
        """Leave the bar as it is."""
        self.bar.close()

    def _log(self, line: str) -> None:
        if line != self.logged and time.monotonic() >= self.log_again:
            print(line, file=sys.stderr, flush=True)
            self.logged, self.log_again = line, time.monotonic() + LOG_SECONDS

    def _result(self, name: str) -> str:
        run = load_run(self.runs_dir / name)
        low, high = run.accuracy_interval
        status = "" if run.status == "finished" else f", {run.status}"
        return f"test accuracy {run.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}){status}"

    def _advance(self, name: str, left: int) -> None:
        if left < self.left[name]:
            self.left[name] = left
            self.bar.n = self.work - self._work_left()

    def _work_left(self) -> float:
        return sum(self.cost[name] * epochs for name, epochs in self.left.items())
