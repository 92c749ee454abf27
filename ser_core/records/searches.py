"""A search's record, `runs/<name>.search.json`: its trials, what matters, and what it ran on.

The trials themselves are in a file of Optuna's, which only the machine that searches has. A record needs no Optuna.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ser_core.equality import ByContent
from ser_core.errors import ConfigError, RunError
from ser_core.files import write_text
from ser_core.json_file import read_json
from ser_core.records.metrics import check_range
from ser_core.records.reading import read_value
from ser_core.records.shipped import names_for
from ser_core.training.config import TrainConfig, usual_config
from ser_core.words import code, counted, listed, percent

SUFFIX = ".search.json"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Trial(ByContent):
    """A trial that was trained to its end.

    Attributes:
        number: of the trial, from 0.
        accuracy: on the validation clips, 0..1.
        settings: what was proposed, by the names of settings.
    """

    number: int
    accuracy: float
    settings: dict[str, float | int | str]

    def __post_init__(self) -> None:
        check_range("number", self.number)
        check_range("accuracy", self.accuracy, 0, 1)

    def shown(self, name: str) -> str:
        """A setting's value for a list or a table; `–` where it wasn't proposed."""
        value = self.settings.get(name, "–")
        return _short(value) if isinstance(value, float) else str(value)


def _short(value: float) -> str:
    """A number that was chosen, as 0.9995, as it is; one that was drawn in three digits, or so many that it is no whole
    number unless it was one."""
    written = [f"{value:.{digits}g}" for digits in range(3, 18)]
    chosen = (text for text in written[:4] if math.isclose(float(text), value, rel_tol=1e-9))
    drawn = (text for text in written if not float(text).is_integer())
    return next(itertools.chain(chosen, drawn), written[0])


@dataclass(frozen=True, eq=False)
class Found(ByContent):
    """What is known of a search.

    Attributes:
        name: of the study: the settings that all trials have, and their epochs; of a record that is numbered, with
            its number.
        trials: those that were trained to their end, the best first; at least one where it is of a record.
        given_up: how many were not.
        importance: of each setting for the accuracy, 0..1, together 1, the greatest first; empty for a few trials.
        chance: the greatest share that a setting has of accuracies that are dealt to the trials at random; shares add
            up to 1 of those, too. None without shares, and where a record doesn't say.
        search: what tells it from all other searches, those of the same name among them; empty if it isn't known.
        precision: of all its trials, `fp32` or `bf16`; empty if it isn't known.
    """

    name: str
    trials: tuple[Trial, ...]
    given_up: int
    importance: dict[str, float]
    chance: float | None = None
    search: str = ""
    precision: str = ""

    def __post_init__(self) -> None:
        check_range("given_up", self.given_up)
        accuracies = [trial.accuracy for trial in self.trials]
        if accuracies != sorted(accuracies, reverse=True):
            raise ValueError("trials: the best should come first")
        if len({trial.number for trial in self.trials}) != len(self.trials):
            raise ValueError("trials: two have the same number")
        for setting, share in self.importance.items():
            check_range(f"importance.{setting}", share, 0, 1)
        if self.chance is not None:
            check_range("chance", self.chance, 0, 1)

    @property
    def all_trials(self) -> int:
        """How many there are, those given up among them."""
        return len(self.trials) + self.given_up

    @property
    def matters(self) -> list[str]:
        """Settings that matter more than chance would show, the first the most."""
        if self.chance is None:
            return []
        return [name for name, share in self.importance.items() if share > self.chance]

    @property
    def what_matters(self) -> str:
        """The settings that matter more than chance would show, as sentences; empty if nothing is known of that."""
        if not self.importance:
            return ""
        if self.chance is None:
            return "This record is an older one, and doesn't say which settings matter more than chance would show."
        dealt = f"chance alone gives a setting up to {percent(self.chance, 0)}"
        if names := self.matters:
            shares = listed([f"{code(name)} ({percent(self.importance[name], 0)})" for name in names], "and")
            return f"What matters more than chance would show: {shares}; {dealt}."
        return (
            f"With these {counted(len(self.trials), 'trial')}, no setting matters more than chance would show: {dealt}."
        )

    def goes_on(self, earlier: Found) -> bool:
        """Whether it has all that an earlier one has, and is of the same search, as far as that is known."""
        same = self.search == earlier.search or "" in (self.search, earlier.search)
        return same and self.given_up >= earlier.given_up and {*earlier.trials} <= {*self.trials}


@dataclass(frozen=True, eq=False)
class SearchRecord(ByContent):
    """What a search found, and what it ran on.

    Attributes:
        train: settings that all trials have where none is proposed.
        device: as people call it, as `AMD EPYC, 1 thread, fp32`.
        python, libraries, git_commit: what computed it.
        split_id: which clips were trained and validated on (`ser_core.corpus.splits.Split.id`).
    """

    train: TrainConfig
    found: Found
    device: str
    python: str
    libraries: dict[str, str]
    git_commit: str | None
    split_id: str

    def __post_init__(self) -> None:
        if not self.found.trials:
            raise ValueError("trials are missing")
        for trial in self.found.trials:
            self.config(trial)

    def config(self, trial: Trial) -> TrainConfig:
        """The settings of a trial."""
        return with_settings(self.train, trial.settings)

    @property
    def usual(self) -> Trial | None:
        """The trial of the settings that the network has by itself, None if there is none."""
        return next((trial for trial in self.found.trials if self.config(trial) == self.train), None)


def with_settings(base: TrainConfig, settings: Mapping[str, Any]) -> TrainConfig:
    """The settings of a trial.

    Args:
        base: what all trials have where nothing is proposed.
        settings: what is proposed, by the names in `TrainConfig.flat`.

    Raises:
        ConfigError: there is no such setting, or a value is of another kind or out of its range.
    """
    flat = base.flat
    for name, value in settings.items():
        if name not in flat:
            raise ConfigError(f"There is no setting {name}.")
        if not isinstance(value, (int, float) if isinstance(flat[name], float) else type(flat[name])):
            raise ConfigError(f"{name} is of another kind than {value!r}.")
    flat |= settings
    return usual_config(flat.pop("model"), **flat)


def record_file(folder: Path, found: Found) -> Path:
    """Where the record of a search is, or is to be: not in the place of another search, nor of a shipped one, nor of
    what can't be read, which a later version may have written.

    Searches of the same name in several files with trials, or in a copy of one, are told apart by numbers, as
    `lr0.001-SiLU-Conformer-20-run2`.
    """
    for name in names_for(found.name, folder):
        path = folder / f"{name}{SUFFIX}"
        if not os.path.lexists(path):
            return path
        kept = _kept(path)
        if kept and (kept.goes_on(found) or found.goes_on(kept)):
            return path
    raise AssertionError("there is always another number")


def _kept(path: Path) -> Found | None:
    """What a record says; None where there is none, or where this version can't read it."""
    try:
        return load_search(path).found
    except RunError:
        return None


def search_files(folder: Path) -> list[Path]:
    """The files of all records, in order."""
    return sorted(folder.glob(f"[!.]*{SUFFIX}"))


def save_search(folder: Path, record: SearchRecord) -> Path | None:
    """Write a record, unless the one that is there is of all its trials and more. Others stay as they are, and so does
    what it ran on, if the record of the same trials is there.

    Returns:
        where it was written, if it was. That is the name that it says, too.
    """
    path = record_file(folder, record.found)
    kept = _kept(path)
    if kept and not record.found.goes_on(kept):
        return None
    named = replace(record, found=replace(record.found, name=path.name.removesuffix(SUFFIX)))
    if kept == named.found:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"version": VERSION, **asdict(named)}, indent=2) + "\n")
    return path


def load_search(path: Path) -> SearchRecord:
    """Read a record.

    Raises:
        RunError: it is damaged, or of a version that is not known, and where.
    """
    try:
        values: Any = read_json(path)
        if not isinstance(values, dict) or values.pop("version", None) != VERSION:
            raise ValueError(f"it should be an object of version {VERSION}")
        return read_value(SearchRecord, values)
    except (OSError, ValueError) as error:
        raise RunError(f"{path.name} can't be read ({error}).") from None


def load_searches(folder: Path) -> tuple[list[SearchRecord], dict[str, str]]:
    """All records, and why each of the others can't be shown."""
    records, unreadable = [], {}
    for path in search_files(folder):
        try:
            records.append(load_search(path))
        except RunError as error:
            unreadable[path.name.removesuffix(SUFFIX)] = str(error)
    return records, unreadable
