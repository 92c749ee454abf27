"""Nonsense where a command expects a number is one sentence, before any work is done."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import pytest

from ser_core import commands
from ser_core.audio.changes.augment import AugmentationConfig
from ser_core.command import friendly_errors
from ser_core.corpus.command import Download
from ser_core.corpus.command import parse_arguments as corpus_arguments
from ser_core.errors import ConfigError
from ser_core.evaluation.command import EvaluateCommand
from ser_core.evaluation.command import parse_arguments as evaluate_arguments
from ser_core.evaluation.map_command import MapCommand
from ser_core.evaluation.map_command import parse_arguments as map_arguments
from ser_core.models.command import EncoderCommand
from ser_core.models.command import parse_arguments as encoder_arguments
from ser_core.serving.predict_command import PredictCommand
from ser_core.serving.predict_command import parse_arguments as predict_arguments
from ser_core.serving.stream_command import SPECIAL, StreamCommand
from ser_core.serving.stream_command import parse_arguments as stream_arguments
from ser_core.training.command import TrainCommand
from ser_core.training.command import parse_arguments as train_arguments
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.grid_command import GridCommand
from ser_core.training.grid_command import parse_arguments as grid_arguments


class Command(NamedTuple):
    """A command: its dataclass, its parser, what else it needs, and types of fields that the dataclass doesn't say."""

    kind: type
    parser: Callable
    arguments: tuple[str, ...] = ()
    special: dict[str, Any] = {}  # noqa: RUF012 (which nobody changes)


COMMANDS = {
    "predict": Command(PredictCommand, predict_arguments, ("a.wav", "--out", "a.csv", "--windows", "3")),
    "stream": Command(StreamCommand, stream_arguments, ("a.wav",), SPECIAL),
    "corpus": Command(Download, corpus_arguments, ("download",)),
    "evaluate": Command(EvaluateCommand, evaluate_arguments, ("--corpus", "a")),
    "map": Command(MapCommand, map_arguments),
    "train": Command(TrainCommand, train_arguments),
    "grid": Command(GridCommand, grid_arguments, ("report", "--list")),
    "encoder": Command(EncoderCommand, encoder_arguments, ("whisper-base",)),
}
NEVER = ("nan", "inf", "-inf", "1e999", "-1e999", "", " ", "x", "1,5", "0x10", "1e", "--", "²")
HUGE = ("1000000000000000000000000000000", "1e30")
MAY_BE_ZERO = {
    *("refit", "refit-crop"),
    *("min-confidence", "smoothing", "warmup-epochs", "weight-decay", "min-lr-factor", "seed", "label-smoothing"),
    *("mixup", "soft-labels", "spec-augment", "copies", "layer-decay", "frozen-epochs", "gpus", "vad-pad"),
    *("ema", "dropout"),
    *("noise", "spectrum", "band-limit", "max-eq-db", "room", "gate", "codec", "gain", "speed", "pitch"),
    *("crop", "crop-share"),
}
MAY_BE_NEGATIVE = {"vad-floor-dbfs"}
MAY_BE_HUGE = {"max-minutes", "noise-db", "vad-top-db", "max-eq-db", "cpus", "gpus", "jobs"}


class Number(NamedTuple):
    """A flag that takes numbers: its name, and how many."""

    flag: str
    how_many: int = 1


def numbers(kind: type, special: dict[str, Any]) -> Iterator[Number]:
    """The flags of a dataclass, and of those in it, that take numbers."""
    hints = get_type_hints(kind, include_extras=True) | special
    for field in fields(kind):
        hint, name = hints[field.name], field.name
        while get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            name = next((note.name for note in notes if getattr(note, "name", None)), name)
        inner = [kind for kind in get_args(hint) if kind is not type(None)]
        if get_origin(hint) in (Union, UnionType) and len(inner) == 1:
            hint = inner[0]
        if is_dataclass(hint):
            yield from numbers(hint, special)  # type: ignore[arg-type]
        elif hint in (int, float):
            yield Number(name.replace("_", "-"))
        elif get_origin(hint) is tuple and set(inner) <= {int, float}:
            yield Number(name.replace("_", "-"), len(inner))


CASES = [(name, number) for name, command in COMMANDS.items() for number in numbers(command.kind, command.special)]


def nonsense(number: Number) -> Iterator[str]:
    yield from NEVER
    if number.flag not in MAY_BE_HUGE:
        yield from HUGE
    if number.flag not in MAY_BE_ZERO | MAY_BE_NEGATIVE:
        yield "0"
    yield "0.1" if number.flag in MAY_BE_NEGATIVE else "-1"


def test_every_command_is_here_and_numbers_are_found():
    assert set(COMMANDS) == set(commands.COMMANDS)
    found = {number.flag for _, number in CASES}
    assert found > {
        "epochs",
        "lr",
        "hop",
        "sample",
        "max-minutes",
        "windows",
        "workers",
        "jobs",
        "cpus",
        "gain-db",
        "n-mels",
        "vad-threshold",
    }
    assert len(CASES) > 50


@pytest.mark.parametrize(("name", "number"), CASES, ids=[f"{name} --{number.flag}" for name, number in CASES])
def test_nonsense_is_one_sentence(name: str, number: Number, capsys: pytest.CaptureFixture):
    command = COMMANDS[name]
    values = nonsense(number) if number.how_many == 1 else NEVER
    for value in values if name != "train" else ("x", "nan"):  # whose settings are tried without its many flags below
        said = [f"--{number.flag}={value}"] if number.how_many == 1 else [f"--{number.flag}", "1", value]
        with pytest.raises(SystemExit, match="2"):
            friendly_errors()(command.parser)([*command.arguments, *said])
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: "), (said, err)
        assert err.count("\n") == 1, (said, err)
        assert number.flag.replace("-", "_") in err.replace("-", "_"), (said, err)


@pytest.mark.parametrize("setting", [name for name, value in TrainConfig().flat.items() if type(value) in (int, float)])
def test_settings_of_a_run_are_in_their_range(setting: str):
    kind = type(TrainConfig().flat[setting])
    for value in nonsense(Number(setting.replace("_", "-"))):
        with contextlib.suppress(ValueError):  # what is no number doesn't come so far
            number = kind(value)
            with pytest.raises(ConfigError, match=setting):
                usual_config(**{setting: number})


@pytest.mark.parametrize("value", [(math.nan, 1.0), (0.0, math.inf), (-math.inf, 0.0), (2.0, 1.0), (1.0,), ()])
def test_ranges_are_finite_and_ascend(value: tuple[float, ...]):
    for setting in (setting for setting in fields(AugmentationConfig) if isinstance(setting.default, tuple)):
        with pytest.raises(ConfigError, match=setting.name):
            usual_config(**{setting.name: value})  # type: ignore[arg-type]
