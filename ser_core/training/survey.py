"""What there is of each configuration of a grid: recorded, interrupted, missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ser_core.corpus.splits import Split
from ser_core.errors import RunError
from ser_core.records.runs import Run, load_run, partial_folder, restore_runs
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig
from ser_core.training.saved_state import STATE_FILE, read_state
from ser_core.training.settings import Settings, difference_from, read_settings, settings_of

State = Literal["recorded", "shorter", "interrupted", "missing", "unreadable", "other settings"]
How = Literal["start", "resume", "restart"]


@dataclass(frozen=True)
class Entry:
    """One configuration of a grid and what there is of it.

    Attributes:
        config: what is asked for.
        run: its record, also if it is of fewer epochs than asked for.
        state: `recorded`; `shorter`, by a record with fewer epochs; `interrupted`; `missing`; `unreadable`; or `other
            settings`, if another run has its name.
        epochs_done: of the run in progress, or else of the record.
        reason: why the record is unreadable, or in what the settings differ.
    """

    config: TrainConfig
    run: Run | None
    state: State
    epochs_done: int
    reason: str = ""

    @property
    def name(self) -> str:
        """Of the run."""
        return self.config.name

    @property
    def to_train(self) -> bool:
        """Whether a grid trains it: not what is recorded, nor what would replace a run with other settings."""
        return self.state not in ("recorded", "other settings")

    @property
    def epochs_left(self) -> int:
        """That have to be trained to complete it."""
        if not self.to_train:
            return 0
        return self.config.epochs - (self.epochs_done if self.state == "interrupted" else 0)


def survey(configs: Iterable[TrainConfig], runs_dir: Path, compute: Compute = Compute()) -> list[Entry]:
    """What there is of each configuration. A record of more epochs than asked for counts as recorded.

    Args:
        compute: what is asked for of the arithmetic; a record of another has other settings.
    """
    restore_runs(runs_dir)
    return [survey_one(config, runs_dir, compute=compute) for config in configs]


def survey_one(config: TrainConfig, runs_dir: Path, split: Split | None = None, compute: Compute = Compute()) -> Entry:
    """What there is of one configuration, with other clips than its split's where a split is given."""
    folder, run, reason = runs_dir / config.name, None, ""
    asked = settings_of(config, split, compute)
    other = _other_settings(asked, folder) if folder.exists() else ""
    if folder.exists() and not other:
        try:
            run = load_run(folder)
        except RunError as error:
            reason = str(error)
    if run and run.train.epochs >= config.epochs:
        return Entry(config, run, "recorded", run.test.epochs)
    if how_to_start(config, runs_dir, split, compute) == "resume":
        return Entry(config, run, "interrupted", epochs_in_progress(runs_dir, config.name))
    if not other and _is_interrupted(partial := partial_folder(runs_dir, config.name)):
        other = _other_settings(asked, partial)
    if other:
        return Entry(config, None, "other settings", 0, other)
    if run:
        return Entry(config, run, "shorter", run.test.epochs)
    return Entry(config, None, "unreadable" if reason else "missing", 0, reason)


def _other_settings(asked: Settings, folder: Path) -> str:
    """In what a folder holds another run, epochs apart, as a sentence; nothing where it doesn't, or can't be read."""
    try:
        difference = asked.difference(read_settings(folder), epochs=False)
    except RunError:
        return ""
    return difference and f"{folder} holds a run that is not {asked.config.name} as asked for ({difference})."


def _is_interrupted(partial: Path) -> bool:
    return (partial / STATE_FILE).exists()


def how_to_start(config: TrainConfig, runs_dir: Path, split: Split | None = None, compute: Compute = Compute()) -> How:
    """Resume what is in progress with these very settings, and replace what is there otherwise, as a shorter run."""
    partial = partial_folder(runs_dir, config.name)
    if _is_interrupted(partial):
        try:
            read_state(partial)
        except RunError:  # damaged: nothing is lost
            return "restart"
        return "restart" if difference_from(settings_of(config, split, compute), partial) else "resume"
    return "restart" if (runs_dir / config.name).exists() else "start"


def epochs_in_progress(runs_dir: Path, name: str) -> int:
    """Epochs that the run of that name has done since it was started."""
    try:
        history = partial_folder(runs_dir, name) / "history.csv"
        lines = history.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return max(0, len(lines) - 1)
