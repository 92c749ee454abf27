"""What a checkpoint hears in a corpus, on disk: `evaluations/<corpus>/<checkpoint>/`.

    evaluation.json     which corpus, which weights, and the figures
    predictions.csv     probabilities for every clip
    SHA256SUMS          of both, see `ser_core.checksums`

Facts alone: no sound of the corpus.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from reprlib import repr as brief
from typing import Any, Literal

from ser_core.checksums import check_sums, write_sums
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import RunError
from ser_core.file_state import fingerprint
from ser_core.files import new_folder, safe_name, write_text
from ser_core.json_file import read_json
from ser_core.places import found
from ser_core.records.metrics import Metrics, check_range
from ser_core.records.predictions import Predictions, read_predictions, write_predictions
from ser_core.records.reading import read_value

VERSION = 3


def _of_version_1(values: dict[str, Any]) -> dict[str, Any]:
    """It doesn't say what is in the files."""
    corpus = values.get("corpus")
    return values | {"corpus": {"contents": "", **corpus}} if isinstance(corpus, dict) else values


def _of_version_2(values: dict[str, Any]) -> dict[str, Any]:
    """What it says is of one network and of clips as they are: the defaults."""
    return values


MIGRATIONS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (_of_version_1, _of_version_2)
"""The first takes version 1 to version 2, and so on."""
FILE, TABLE = "evaluation.json", "predictions.csv"

MISSED_BELOW = 1 / 3  # recall

Heard = Literal["nothing", "other speakers", "same speakers", "unknown"]
"""What a checkpoint was trained on of the corpus: nothing of it, or clips of others, or of the same people."""


@dataclass(frozen=True, eq=False)
class EvaluatedCorpus(ByContent):
    """The clips that a checkpoint was evaluated on.

    Attributes:
        name, title: see `ser_core.corpus.recordings.Recordings`.
        part: which of its clips these are, as `all clips`.
        clips: how many.
        speakers: how many speak in them, None where that isn't known.
        checksum: of the names and labels of these clips.
        left_out: number of other clips by the reason.
        contents: see `Recordings.contents`; of all clips of the corpus, empty in older records.
        change: made to each clip, one of `ser_core.audio.changes.registry.CHANGES`; empty for none.
        validation: whether these are the clips that training picked the epoch by.
    """

    name: str
    title: str
    part: str
    clips: int
    speakers: int | None
    checksum: str
    left_out: dict[str, int]
    contents: str
    change: str = ""
    validation: bool = False

    def __post_init__(self) -> None:
        check_range("clips", self.clips, 1)
        for reason, clips in self.left_out.items():
            check_range(f"left_out.{reason}", clips)


@dataclass(frozen=True)
class EvaluatedCheckpoint:
    """What was evaluated.

    Attributes:
        name: of the checkpoint.
        weights: SHA-256 of its file of weights, or of several, one after the other.
        trained_on: names of corpora; none where the checkpoint doesn't say.
        heard: of this corpus.
        members: names of the checkpoints whose probabilities' mean was taken, of one or several; none of one that heard
            each clip once.
        speeds: at which it heard each clip.
    """

    name: str
    weights: str
    trained_on: tuple[str, ...]
    heard: Heard
    members: tuple[str, ...] = ()
    speeds: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class GroupFigures:
    """Figures of some of the clips: accuracy, unweighted average recall and its 95 % interval, in 0..1."""

    clips: int
    accuracy: float
    uar: float
    low: float
    high: float

    def __post_init__(self) -> None:
        check_range("clips", self.clips, 1)
        for name in ("accuracy", "uar", "low", "high"):
            check_range(name, getattr(self, name), 0, 1)


@dataclass(frozen=True, eq=False)
class Evaluation(ByContent):
    """A checkpoint on a corpus.

    Attributes:
        metrics: over the clips that it answered.
        calibration_error: expected, 0..1, see `ser_core.analysis.calibration`.
        speakers, sexes: figures of each; of nobody where that isn't known.
        unanswered: number of clips without an answer, by the reason.
        python, libraries, git_commit: what computed it.
    """

    corpus: EvaluatedCorpus
    checkpoint: EvaluatedCheckpoint
    metrics: Metrics
    calibration_error: float
    speakers: dict[str, GroupFigures]
    sexes: dict[str, GroupFigures]
    unanswered: dict[str, int]
    python: str
    libraries: dict[str, str]
    git_commit: str | None

    def __post_init__(self) -> None:
        check_range("calibration_error", self.calibration_error, 0, 1)
        if (answered := self.corpus.clips - sum(self.unanswered.values())) != self.metrics.clips:
            raise ValueError(f"metrics are of {self.metrics.clips} clips, and {answered} were answered")

    @property
    def uar(self) -> float:
        """Unweighted average recall, 0..1."""
        return self.metrics.uar

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return self.metrics.intervals["uar"]

    @property
    def of_own_test_clips(self) -> bool:
        """Whether it is of test clips of the corpus that the checkpoint was trained on, by which nothing is picked."""
        return self.checkpoint.heard in ("same speakers", "other speakers") and not self.corpus.validation

    @property
    def mostly_missed(self) -> list[str]:
        """Those of `EMOTIONS` that it names in less than a third of their clips.

        Guessing would name one clip of six, so more than that may still be little: from two missed of three on,
        whoever speaks so is told otherwise twice as often as not.
        """
        scores = self.metrics.per_class
        return [name for name in EMOTIONS if scores[name].support and scores[name].recall < MISSED_BELOW]


def folder_of(root: Path, corpus: str, checkpoint: str) -> Path:
    """Where the evaluation of a checkpoint on a corpus is, whatever characters the corpus' name has."""
    return root / safe_name(corpus) / checkpoint


def save_evaluation(folder: Path, evaluation: Evaluation, predictions: Predictions) -> None:
    """Write a record, which takes the place of what is in its folder when it is whole."""
    with new_folder(folder) as new:
        write_predictions(new / TABLE, predictions)
        write_text(new / FILE, json.dumps({"version": VERSION, **asdict(evaluation)}, indent=2) + "\n")
        write_sums(new, (FILE, TABLE))


def load_evaluation(folder: Path) -> Evaluation:
    """Read a record.

    Raises:
        RunError: it is missing or damaged, or of a version that is not known, and where.
    """
    path = folder / FILE
    try:
        values = read_json(path)
        if not isinstance(values, dict):
            raise ValueError(f"it should be an object, not {brief(values)}")
        version = values.pop("version", None)
        if type(version) is not int or not 1 <= version <= VERSION:
            raise ValueError(f"its version is {brief(version)}, and this project knows those up to {VERSION}")
        for migrate in MIGRATIONS[version - 1 :]:
            values = migrate(values)
        evaluation = read_value(Evaluation, values)
        check_sums(folder, FILE)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.parent.name}/{folder.name}: {FILE} can't be read ({error}).") from None
    return evaluation


def load_predictions(folder: Path) -> Predictions:
    """What the checkpoint said of each clip.

    Raises:
        RunError: the table is missing or damaged.
    """
    path = folder / TABLE
    try:
        predictions = read_predictions(path, fingerprint(path))
        check_sums(folder, TABLE)
    except RunError as error:
        raise RunError(f"{folder.parent.name}/{folder.name}: {TABLE} {error}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.parent.name}/{folder.name}: {TABLE} can't be read ({error}).") from None
    return predictions


def evaluations_dir() -> Path:
    """The folder of evaluations that the app shows: `$SER_EVALUATIONS_DIR`, or the project's own."""
    return found("evaluations")


def evaluation_files(root: Path) -> list[Path]:
    """The files of all records, in order."""
    return sorted(root.glob(f"[!.]*/[!.]*/{FILE}"))


def load_evaluations(root: Path) -> tuple[list[Evaluation], dict[str, str]]:
    """All records, and why each of the others can't be shown."""
    evaluations, unreadable = [], {}
    for path in evaluation_files(root):
        try:
            evaluations.append(load_evaluation(path.parent))
        except RunError as error:
            unreadable[f"{path.parent.parent.name}/{path.parent.name}"] = str(error)
    return evaluations, unreadable
