"""A run's record on disk, `runs/<name>/`: all that a page or a paper needs to know about it, without its weights.

    config.json        settings, and what they ran on
    history.csv        one line an epoch
    test.json          status, and the one look at the test set
    predictions.csv    probabilities for every test clip

`test.json` is written last, so a record with it is whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ser_core.emotions import EMOTIONS
from ser_core.errors import RunError, SERError
from ser_core.files import replace_file, write_text

RUNS_DIR = Path(__file__).parents[1] / "runs"
PROBABILITY_DECIMALS = 4
HISTORY_COLUMNS = ("epoch", "lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds")


@dataclass(frozen=True)
class Predictions:
    """What a model said about each test clip.

    Attributes:
        names: of the clips.
        targets: intended emotions, int `[clips]`, indices into `EMOTIONS`.
        probabilities: float32 `[clips, 6]`, rows summing to 1.
    """

    names: tuple[str, ...]
    targets: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest emotion of each clip, int `[clips]`."""
        return self.probabilities.argmax(axis=1)


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        name: of its folder, as `lr0.001-SiLU-2D`.
        config: settings as plain values (`train`) and surroundings (`environment`).
        history: columns of history.csv as float arrays.
        test: status and metrics, see `ser_core.evaluation.evaluate`.
        folder: where the record is.
    """

    name: str
    config: dict[str, Any]
    history: dict[str, np.ndarray]
    test: dict[str, Any]
    folder: Path

    @property
    def status(self) -> str:
        """`finished`, or `diverged` when the loss became NaN."""
        return self.test["status"]

    @property
    def accuracy(self) -> float:
        """Test accuracy in 0..1."""
        return self.test["metrics"]["accuracy"]

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the test accuracy."""
        low, high = self.test["metrics"]["intervals"]["accuracy"]
        return low, high

    def predictions(self) -> Predictions:
        """Per-clip test predictions.

        Raises:
            RunError: the file is missing or malformed.
        """
        path = self.folder / "predictions.csv"
        try:
            with path.open(encoding="utf-8", newline="") as table:
                rows = list(csv.DictReader(table))
            return Predictions(
                tuple(row["clip"] for row in rows),
                np.array([EMOTIONS.index(row["target"]) for row in rows]),
                np.array([[float(row[e]) for e in EMOTIONS] for row in rows], dtype=np.float32).reshape(
                    -1, len(EMOTIONS)
                ),
            )
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise RunError(f"{path} can't be read ({error}).") from None


def write_config(folder: Path, config: Any, environment: dict[str, Any]) -> None:
    """Write config.json of a run that starts."""
    write_text(folder / "config.json", _json({"train": asdict(config), "environment": environment}))


def write_history(folder: Path, history: Sequence[Sequence[float]]) -> None:
    """Write history.csv, all epochs so far."""
    with replace_file(folder / "history.csv") as path, path.open("w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(HISTORY_COLUMNS)
        writer.writerows([f"{value:.6g}" for value in epoch] for epoch in history)


def write_result(folder: Path, predictions: Predictions, test: dict[str, Any]) -> None:
    """Write predictions.csv and then test.json, which completes the record."""
    with replace_file(folder / "predictions.csv") as path, path.open("w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("clip", "target", *EMOTIONS))
        for name, target, row in zip(predictions.names, predictions.targets, predictions.probabilities, strict=True):
            writer.writerow((name, EMOTIONS[target], *(f"{p:.{PROBABILITY_DECIMALS}f}" for p in row)))
    write_text(folder / "test.json", _json(test))


def load_run(folder: Path) -> Run:
    """Read a finished run's record.

    Raises:
        RunError: the record is missing, unfinished or malformed, and which.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        test = json.loads((folder / "test.json").read_text(encoding="utf-8"))
        history = _read_history(folder / "history.csv")
        run = Run(folder.name, config, history, test, folder)
        _ = run.status, run.accuracy, run.accuracy_interval, config["train"]["model"], config["environment"]
        return run
    except FileNotFoundError as error:
        raise RunError(f"{folder.name} is not finished: it has no {Path(error.filename).name}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder.name} can't be read ({type(error).__name__}: {error}).") from None


def _read_history(path: Path) -> dict[str, np.ndarray]:
    with path.open(encoding="utf-8", newline="") as table:
        reader = csv.DictReader(table)
        if tuple(reader.fieldnames or ()) != HISTORY_COLUMNS:
            raise ValueError(f"{path.name} lacks its header")
        rows = list(reader)
    return {column: np.array([float(row[column]) for row in rows]) for column in HISTORY_COLUMNS}


def load_runs(root: Path = RUNS_DIR) -> tuple[list[Run], dict[str, str]]:
    """All finished runs by name, and why each of the others can't be shown."""
    runs, unreadable = [], {}
    for folder in sorted(path for path in root.glob("*") if path.is_dir() and not path.name.startswith(".")):
        try:
            runs.append(load_run(folder))
        except SERError as error:
            unreadable[folder.name] = str(error)
    return runs, unreadable


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
