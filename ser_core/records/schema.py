"""What the JSON files of a run's record hold, as types, and how records of older versions are read.

    config.json    `RunConfig`: settings, and what they ran on
    test.json      `Result`: how training ended, and the one look at the test set

Each file says its version. What is read is of the newest, whatever the file's: a step a version says what came later.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from reprlib import repr as brief  # a damaged file may hold anything: however long and deep, it stays short
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ser_core.corpus.recordings import CorpusPart
from ser_core.equality import ByContent
from ser_core.errors import ConfigError
from ser_core.records.metrics import LARGEST, Metrics, check_range
from ser_core.records.resampling import CLIPS_ALONE
from ser_core.training.config import PARTS, TrainConfig

VERSION = 4
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


@dataclass(frozen=True, eq=False)
class Environment(ByContent):
    """What a run ran on; `unknown` where an older record doesn't say.

    Attributes:
        device: as people call it, as `CPU, 2 threads, bf16`.
        precision: `bf16` or `fp32`, in which it was trained.
        numerics: how its 2D convolutions were computed in training, see `ser_core.models.winograd`.
        libraries: versions by name.
        git_commit: of this code, None where that can't be known.
        split_id: which clips it was trained, validated and tested on (`ser_core.corpus.splits.Split.id`).
        data_checksum: of the contents of these clips.
        corpora: that they are of; none where all are CREMA-D's, trained on by itself.
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
        best_epoch, val_loss, val_accuracy: the epoch that was chosen, and its figures; None where no loss was finite.
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
    return read_value(kind, {key: value for key, value in values.items() if key != "version"}, "")


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


MIGRATIONS: dict[type, tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = {
    RunConfig: (_config_of_version_1, _config_of_version_2, _config_of_version_3),
    Result: (_result_of_version_1, _result_of_version_2, _result_of_version_3),
}
"""The first takes version 1 to version 2, and so on."""

SETTINGS = (TrainConfig, *PARTS.values())
"""Types whose later fields have defaults that change nothing, see `TrainConfig.from_dict`."""

ALWAYS_SAID = ("model", "activation", "lr", "form", "split", "epochs", "seed")
"""Settings that no version left to their default."""


def read_value(kind: Any, value: Any, where: str) -> Any:
    """A value of that type, which may be a dataclass, from plain ones as JSON has them.

    Args:
        where: names it in what is raised.

    Raises:
        ValueError: it is of another type, or out of its range, and where.
    """
    name, origin, parts = where or "it", get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _read_fields(kind, value, where)
    if origin is types.UnionType:
        return None if value is None else read_value(parts[0], value, where)
    if origin is Literal:
        if value not in parts:
            raise ValueError(f"{name} should be one of {', '.join(parts)}, not {brief(value)}")
        return value
    if origin is dict:
        _check(isinstance(value, dict), name, "an object", value)
        return {key: read_value(parts[1], item, f"{name}.{key}") for key, item in value.items()}
    if origin is tuple:
        _check(isinstance(value, list), name, "a list", value)
        if parts[-1] is not Ellipsis and len(value) != len(parts):
            raise ValueError(f"{name} should have {len(parts)} values, not {len(value)}")
        return tuple(read_value(parts[0], item, f"{name}[{i}]") for i, item in enumerate(value))
    if kind is float:
        _check(isinstance(value, int | float) and not isinstance(value, bool), name, "a number", value)
        _check(abs(value) <= sys.float_info.max, name, "a finite number", value)  # JSON may hold NaN, and any integer
        return float(value)
    _check(type(value) is kind, name, {int: "a whole number", str: "a text", bool: "true or false"}[kind], value)
    if kind is int:
        _check(abs(value) <= LARGEST, name, f"a whole number up to {LARGEST}", value)
    if kind is str:  # JSON may hold half of a character, which no page and no file can show
        _check(not any("\ud800" <= c <= "\udfff" for c in value), name, "a text", value)
    return value


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    _check(isinstance(value, dict), where or "it", "an object", value)
    hints, given, prefix = get_type_hints(kind), {}, f"{where}." if where else ""
    for field in fields(kind):
        if field.name in value:
            given[field.name] = read_value(hints[field.name], value[field.name], prefix + field.name)
        elif kind not in SETTINGS or field.name in ALWAYS_SAID:
            raise ValueError(f"{prefix}{field.name} is missing")
    if kind in SETTINGS and (unknown := value.keys() - {field.name for field in fields(kind)}):
        raise ValueError(f"{where} has no setting {brief(min(unknown))}")
    try:
        return kind(**given)
    except ConfigError as error:
        raise ValueError(f"{prefix.rstrip('.')}: {str(error).rstrip('.')}") from None
    except ValueError as error:  # a sentence that begins with the field's name
        raise ValueError(f"{prefix}{error}") from None


def _check(is_right: bool, name: str, expected: str, value: object) -> None:
    if not is_right:
        raise ValueError(f"{name} should be {expected}, not {brief(value)}")
