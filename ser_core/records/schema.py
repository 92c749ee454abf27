"""What the JSON files of a run's record hold, as types, and how records of older versions are read.

    config.json    `RunConfig`: settings, and what they ran on
    test.json      `Result`: how training ended, and the one look at the test set

Each file says its version. What is read is of the newest, whatever the file's: a step a version says what came later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from reprlib import repr as brief  # a damaged file may hold anything: however long and deep, it stays short
from typing import Any, TypeVar

from ser_core.corpus.recordings import CorpusPart
from ser_core.equality import ByContent
from ser_core.records.metrics import Metrics, check_range
from ser_core.records.reading import read_value
from ser_core.records.resampling import CLIPS_ALONE
from ser_core.training.config import TrainConfig

VERSION = 5
UNKNOWN = "unknown"  # what a record doesn't say
PRECISIONS = ("bf16", "fp32")
STATUSES = ("finished", "diverged", "chance")
MIN_TEMPERATURE = 1e-3  # logits divided by less are no longer finite

Record = TypeVar("Record", "RunConfig", "Result")


@dataclass(frozen=True)
class ClipCounts:
    """How many clips each part of the split has."""

    train: int
    val: int
    test: int

    def __post_init__(self) -> None:
        for part, clips in vars(self).items():
            check_range(part, clips)


@dataclass(frozen=True)
class TaughtBy:
    """The checkpoint that a network learned from, beside its clips.

    Attributes:
        name: of the checkpoint.
        model: its network, one of `ser_core.models.registry.MODELS`.
        checksum: of its weights and settings, as they were.
        pretrained: whether it, or one that taught it, began with weights that had learned from other speech.
    """

    name: str
    model: str
    checksum: str
    pretrained: bool


@dataclass(frozen=True, eq=False)
class Environment(ByContent):
    """What a run ran on; `unknown` where an older record doesn't say.

    Attributes:
        device: as people call it, as `CPU, 2 threads, bf16`.
        precision: `bf16` or `fp32`, in which it was trained.
        numerics: how its 2D convolutions were computed in training, see `ser_core.models.winograd`.
        libraries: versions by name.
        git_commit: of this code, None where that can't be known.
        finished_commit: of the code that finished what other code had begun; None where it was the same.
        split_id: which clips it was trained, validated and tested on (`ser_core.corpus.splits.Split.id`).
        data_checksum: of the contents of these clips.
        corpora: that they are of; none where all are CREMA-D's, trained on by itself.
        teacher: that it learned from; None where there was none.
    """

    device: str
    precision: str
    numerics: str
    python: str
    libraries: dict[str, str]
    git_commit: str | None
    split_id: str
    data_checksum: str
    clips: ClipCounts
    corpora: tuple[CorpusPart, ...] = ()
    teacher: TaughtBy | None = None
    finished_commit: str | None = None


@dataclass(frozen=True, eq=False)
class RunConfig(ByContent):
    """Settings, and what they ran on."""

    train: TrainConfig
    environment: Environment


@dataclass(frozen=True, eq=False)
class Result(ByContent):
    """How training ended, and the one look at the test set.

    Attributes:
        status: `finished`, `diverged` when the loss became NaN, `chance` when its validation loss never beat guessing.
        epochs: that were trained.
        best_epoch, val_loss, val_accuracy: the epoch that was chosen, and its figures, or those of its network with the
            classifier that was fitted anew; None where no loss was finite.
        parameters: of the network.
        temperature: that its logits are divided by, fitted on the validation clips, > 0; 1 in older records.
        metrics: on the test set.
    """

    status: str
    epochs: int
    best_epoch: int | None
    val_loss: float | None
    val_accuracy: float | None
    parameters: int
    training_seconds: float
    temperature: float
    metrics: Metrics

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status should be one of {', '.join(STATUSES)}, not {brief(self.status)}")
        check_range("epochs", self.epochs, 1)
        for name, value, low, high in (
            ("best_epoch", self.best_epoch, 1, self.epochs),
            ("val_loss", self.val_loss, 0, None),
            ("val_accuracy", self.val_accuracy, 0, 1),
            ("parameters", self.parameters, 0, None),
            ("training_seconds", self.training_seconds, 0, None),
            ("temperature", self.temperature, MIN_TEMPERATURE, None),
        ):
            if value is not None:
                check_range(name, value, low, high)


def to_json(record: RunConfig | Result) -> dict[str, Any]:
    """What is written of a record's part."""
    return {"version": VERSION, **asdict(record)}


def from_json(kind: type[Record], values: Any) -> Record:
    """The inverse of `to_json`, of any version.

    Raises:
        ValueError: what is missing, of another kind or out of its range, or that a newer version of the project wrote
            it.
    """
    if not isinstance(values, dict):
        raise ValueError(f"it should be an object, not {brief(values)}")
    version = values.get("version", 1)  # which the first one didn't say
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValueError(f"its version is {brief(version)}, and this project knows those up to {VERSION}")
    for migrate in MIGRATIONS[kind][version - 1 :]:
        values = migrate(values)
    _require(kind, values)
    return read_value(kind, {key: value for key, value in values.items() if key != "version"})


def _config_of_version_1(values: dict[str, Any]) -> dict[str, Any]:
    """The first records don't say all that decides a result; the loss picked their epochs."""
    train, environment = values.get("train"), values.get("environment")
    if not isinstance(train, dict) or not isinstance(environment, dict):
        return values
    label = str(environment.get("device")).rpartition(", ")[2]
    unsaid: dict[str, Any] = {
        "precision": label if label in PRECISIONS else UNKNOWN,
        **dict.fromkeys(("numerics", "python", "split_id", "data_checksum"), UNKNOWN),
        "libraries": {},
        "git_commit": None,
    }
    return {"train": {"select": "loss", **train}, "environment": unsaid | environment}


def _result_of_version_1(values: dict[str, Any]) -> dict[str, Any]:
    """The first records don't say what their intervals are over, which are clips, nor always the validation loss."""
    metrics = values.get("metrics")
    if not isinstance(metrics, dict):
        return values
    return {"val_loss": None, **values, "metrics": {"intervals_over": CLIPS_ALONE, **metrics}}


def _config_of_version_2(values: dict[str, Any]) -> dict[str, Any]:
    """Settings that came later have defaults that change nothing."""
    return values


def _result_of_version_2(values: dict[str, Any]) -> dict[str, Any]:
    """No temperature was fitted."""
    return {"temperature": 1.0, **values}


def _config_of_version_3(values: dict[str, Any]) -> dict[str, Any]:
    """All were trained on CREMA-D by itself."""
    environment = values.get("environment")
    return values | {"environment": {"corpora": [], **environment}} if isinstance(environment, dict) else values


def _result_of_version_3(values: dict[str, Any]) -> dict[str, Any]:
    """Nothing of a result changed."""
    return values


def _config_of_version_4(values: dict[str, Any]) -> dict[str, Any]:
    """No network had a teacher."""
    return values


def _result_of_version_4(values: dict[str, Any]) -> dict[str, Any]:
    """Nothing of a result changed."""
    return values


MIGRATIONS: dict[type, tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = {
    RunConfig: (_config_of_version_1, _config_of_version_2, _config_of_version_3, _config_of_version_4),
    Result: (_result_of_version_1, _result_of_version_2, _result_of_version_3, _result_of_version_4),
}
"""The first takes version 1 to version 2, and so on."""

SAID: dict[type, dict[str, tuple[str, ...]]] = {
    RunConfig: {"train": ("model", "activation", "lr", "form", "split", "epochs", "seed"), "environment": ("corpora",)},
    Result: {},
}
"""What has a default, and yet is said by every version: other settings have one that changes nothing."""


def _require(kind: type, values: dict[str, Any]) -> None:
    for part, names in SAID[kind].items():
        if isinstance(said := values.get(part), dict) and (missing := [name for name in names if name not in said]):
            raise ValueError(f"{part}.{missing[0]} is missing")
