"""A run's record on disk, `runs/<name>/`: all that a page or a paper needs to know about it, without its weights.

    config.json        settings, and what they ran on
    history.csv        one line an epoch
    test.json          status, and the one look at the test set
    predictions.csv    probabilities for every test clip
    SHA256SUMS         of all of these, see `ser_core.checksums`

A run in progress writes to `runs/.partial/<name>/`; what it wrote gets its place when it is whole.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from ser_core.checksums import check_sums, remove_sums, write_sums
from ser_core.equality import ByContent
from ser_core.errors import RunError, SERError
from ser_core.file_state import fingerprint
from ser_core.files import replace_file, restore_folder, set_aside, write_text
from ser_core.json_file import read_json
from ser_core.places import found, own
from ser_core.records.metrics import FIGURE_TOLERANCE, ROUNDING, Metrics, check_range
from ser_core.records.predictions import Predictions, read_predictions, write_predictions
from ser_core.records.reading import read_table
from ser_core.records.schema import Environment, Record, Result, RunConfig, from_json, to_json
from ser_core.training.config import TrainConfig

RUNS_DIR = own("runs")
PARTIAL = ".partial"
RECORD_FILES = ("config.json", "history.csv", "test.json", "predictions.csv")
UNREADABLE = (OSError, ValueError)
"""What reading a damaged table raises."""


@dataclass(frozen=True)
class Epoch:
    """A line of a run's history: losses are cross-entropies in nats, NaN once it diverges; accuracies are in 0..1."""

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


HISTORY_COLUMNS = tuple(field.name for field in fields(Epoch))


@dataclass(frozen=True, eq=False)
class Run(ByContent):
    """A finished run.

    Attributes:
        name: of its folder, as `lr0.001-SiLU-2D`.
        config: settings, and what they ran on.
        history: columns of history.csv as float arrays.
        test: how training ended, and the test figures.
        folder: where the record is.
    """

    name: str
    config: RunConfig
    history: dict[str, np.ndarray]
    test: Result
    folder: Path

    @property
    def train(self) -> TrainConfig:
        """The settings."""
        return self.config.train

    @property
    def environment(self) -> Environment:
        """What it ran on."""
        return self.config.environment

    @property
    def taught(self) -> bool:
        """Whether it learned from a teacher as well, and so not from its clips alone."""
        return self.environment.teacher is not None

    @property
    def metrics(self) -> Metrics:
        """Test figures."""
        return self.test.metrics

    @property
    def status(self) -> str:
        """`finished`, `diverged` when the loss became NaN, `chance` when validation never got better than guessing."""
        return self.test.status

    @property
    def split_id(self) -> str:
        """Which clips it was trained, validated and tested on (`ser_core.corpus.splits.Split.id`), or `unknown`."""
        return self.environment.split_id

    @property
    def split_name(self) -> str:
        """What people call its split: `report`, `fold1`, or a file's name, as `report.json`, without its folder."""
        return Path(self.train.split).name

    @property
    def val_accuracy(self) -> float:
        """Validation accuracy of the chosen epoch in 0..1, 0 where no epoch had a finite loss: what picks runs."""
        return self.test.val_accuracy or 0.0

    @property
    def val_rank(self) -> tuple[float, float]:
        """What orders runs, the best highest: validation accuracy, and minus the validation loss where it is equal."""
        loss = self.test.val_loss
        return self.val_accuracy, -math.inf if loss is None else -loss

    @property
    def accuracy(self) -> float:
        """Test accuracy in 0..1."""
        return self.metrics.accuracy

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the test accuracy, see `intervals_over`."""
        return self.metrics.intervals["accuracy"]

    @property
    def intervals_over(self) -> str:
        """What the bootstrap of its intervals drew, `speakers and clips` or `clips`, as older records did."""
        return self.metrics.intervals_over

    def predictions(self) -> Predictions:
        """Per-clip test predictions.

        Raises:
            RunError: the file is missing or malformed, or not of this run: of other clips, or of another accuracy.
        """
        path, clips = self.folder / "predictions.csv", self.environment.clips.test
        try:
            predictions = read_predictions(path, fingerprint(path))
            check_sums(self.folder, path.name)
        except RunError as error:
            raise RunError(f"{self.name}: predictions.csv {error}") from None
        except UNREADABLE as error:
            raise RunError(f"{self.name}: predictions.csv can't be read ({error}).") from None
        if len(predictions.names) != clips:
            raise RunError(f"{self.name}: predictions.csv has {len(predictions.names)} clips, and should have {clips}.")
        right = (predictions.predicted == predictions.targets).mean()
        if abs(right - self.accuracy) > predictions.undecided.mean() + ROUNDING:
            raise RunError(
                f"{self.name}: predictions.csv is right for {right:.2%} of the clips, and by test.json it should be "
                f"for {self.accuracy:.2%}."
            )
        return predictions


def partial_folder(runs_dir: Path, name: str) -> Path:
    """Where the run of that name writes while it is in progress."""
    return runs_dir / PARTIAL / name


@contextmanager
def alone(runs_dir: Path, name: str) -> Iterator[None]:
    """Let no other process train the run of that name meanwhile.

    Raises:
        RunError: one does.
    """
    partial = partial_folder(runs_dir, name)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(partial.with_name(f"{name}.lock"), timeout=0):
            yield
    except Timeout:
        raise RunError(f"{name} is being trained by another process.") from None


def restore_runs(root: Path) -> None:
    """Put back records that were about to be replaced by a process that was killed in it."""
    for aside in root.glob(set_aside(Path("*")).name):
        name = aside.name.removeprefix(".").removesuffix(".replaced")
        with suppress(RunError, OSError), alone(root, name):  # otherwise it is being replaced now
            restore_folder(root / name)


def write_config(folder: Path, config: RunConfig) -> None:
    """Write config.json of a run that starts."""
    write_text(folder / "config.json", _json(to_json(config)))


def write_history(folder: Path, history: Sequence[Epoch]) -> None:
    """Write history.csv, all epochs so far."""
    with replace_file(folder / "history.csv") as path, path.open("w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(HISTORY_COLUMNS)
        writer.writerows([f"{value:.6g}" for value in astuple(epoch)] for epoch in history)


def write_result(folder: Path, predictions: Predictions, test: Result) -> None:
    """Write predictions.csv and then test.json, which completes the record, and the sums of all."""
    remove_sums(folder)
    write_predictions(folder / "predictions.csv", predictions)
    write_text(folder / "test.json", _json(to_json(test)))
    write_sums(folder, RECORD_FILES)


def load_run(folder: Path) -> Run:
    """Read a finished run's record.

    Raises:
        RunError: the record is missing, unfinished or malformed, and which.
    """
    test, config = _read_part(Result, folder / "test.json"), read_config(folder)  # the first is what is written last
    try:
        run = Run(folder.name, config, _read_history(folder / "history.csv"), test, folder)
    except FileNotFoundError:
        raise RunError(f"{folder.name} is not finished: it has no history.csv.") from None
    except UNREADABLE as error:
        raise RunError(f"{folder.name}: history.csv can't be read ({error}).") from None
    try:
        _check_together(run)
        check_sums(folder, "config.json", "history.csv", "test.json")
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.name}: {error}.") from None
    return run


def _check_together(run: Run) -> None:
    tested, to_test, epochs = run.metrics.clips, run.environment.clips.test, run.test.epochs
    if tested != to_test:
        raise ValueError(f"test.json is of {tested} clips, and config.json says {to_test}")
    listed = run.history["epoch"].tolist()
    if len(listed) != epochs or listed != list(range(1, epochs + 1)):
        raise ValueError(f"history.csv should have the epochs 1 to {epochs}, one a line, as test.json says")
    for column in ("lr", "train_accuracy", "val_accuracy", "seconds"):
        for value in (run.history[column].min(), run.history[column].max()):
            check_range(f"history.csv: {column}", float(value), 0, 1 if column.endswith("accuracy") else None)
    for column in ("train_loss", "val_loss"):  # of a diverged run they are NaN in the end
        if (run.history[column] < 0).any():
            raise ValueError(f"history.csv: {column} should be 0 or more")
    best = None if run.train.refit else run.test.best_epoch  # a classifier that was fitted anew has figures of its own
    if best is not None and run.test.val_accuracy is not None:
        then = float(run.history["val_accuracy"][best - 1])
        if abs(then - run.test.val_accuracy) > FIGURE_TOLERANCE:
            said = f"test.json says {run.test.val_accuracy:g} of epoch {best}"
            raise ValueError(f"val_accuracy is {then:g} in history.csv, and {said}")


def read_config(folder: Path) -> RunConfig:
    """The settings and surroundings of the run in this folder, finished or not.

    Raises:
        RunError: its config.json is missing or damaged, or of a version that is not known, and where.
    """
    return _read_part(RunConfig, folder / "config.json")


def _read_part(kind: type[Record], path: Path) -> Record:
    try:
        return from_json(kind, read_json(path))
    except FileNotFoundError:
        raise RunError(f"{path.parent.name} is not finished: it has no {path.name}.") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path.parent.name}: {path.name} can't be read ({error}).") from None


def _read_history(path: Path) -> dict[str, np.ndarray]:
    rows = [astuple(epoch) for epoch in read_table(path, Epoch)]
    columns = np.array(rows, dtype=np.float64).reshape(-1, len(HISTORY_COLUMNS)).T
    return dict(zip(HISTORY_COLUMNS, columns, strict=True))


def recorded_in() -> Path:
    """The folder of records that the app shows: `$SER_RUNS_DIR`, or the project's own."""
    return found("runs")


def load_runs(root: Path = RUNS_DIR) -> tuple[list[Run], dict[str, str]]:
    """All finished runs by name, and why each of the others can't be shown."""
    restore_runs(root)
    runs, unreadable = [], {}
    for folder in sorted(path for path in root.glob("*") if path.is_dir() and not path.name.startswith(".")):
        try:
            runs.append(load_run(folder))
        except SERError as error:
            unreadable[folder.name] = str(error)
    return runs, unreadable


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
