"""The settings of a run as a command line, in both directions: every setting of `TrainConfig` is a flag."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any

from ser_core.audio.preprocess import AudioConfig
from ser_core.audio.vad import VAD_METHODS
from ser_core.corpus.splits import SPLITS
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import FORMS
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.registry import MODELS
from ser_core.training.config import SELECTIONS, TrainConfig, usual_warmup

SHORT = {"activation": "act"}
"""Flags that are shorter than the setting's name."""

CHOICES: dict[str, tuple[str, ...]] = {
    "model": tuple(MODELS),
    "activation": tuple(ACTIVATIONS),
    "form": FORMS,
    "vad": tuple(VAD_METHODS),
    "select": SELECTIONS,
}
HELP = {
    "activation": "activation function",
    "lr": "peak learning rate",
    "form": "shape of the input",
    "split": f"{', '.join(SPLITS)}, or a JSON file with clip names",
    "warmup_epochs": f"with a rising learning rate (default {TrainConfig.warmup_epochs}, or all there are)",
    "batch_size": "clips a step",
    "weight_decay": "L2 penalty of Adam",
    "min_lr_factor": "final over peak learning rate",
    "select": "what picks the epoch in validation",
    "vad": "voice activity detection",
}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Give a command a flag for every setting; the report's are the defaults."""
    defaults = TrainConfig()
    main = parser.add_argument_group("settings of the run")
    for field in fields(TrainConfig):
        if field.name not in ("audio", "features"):
            _add(main, field.name, None if field.name == "warmup_epochs" else getattr(defaults, field.name))
    rare = parser.add_argument_group(
        "preprocessing and features (see ser_core/audio/preprocess.py and ser_core/features/spectral.py)"
    )
    for key, value in (vars(defaults.audio) | vars(defaults.features)).items():
        _add(main if key == "vad" else rare, key, value)


def _add(group: Any, key: str, default: Any) -> None:
    flag, text = _flag(key), HELP.get(key)
    if isinstance(default, bool):
        group.add_argument(flag, dest=key, action=argparse.BooleanOptionalAction, default=default, help=text)
    elif key in CHOICES:
        text = f"{text or key} (default %(default)s)"
        group.add_argument(flag, dest=key, choices=CHOICES[key], default=default, help=text)
    else:
        kind = int if default is None else type(default)
        if default is not None:
            text = f"{text + ' ' if text else ''}(default %(default)s)"
        metavar = {int: "N", float: "X", str: "NAME"}[kind]
        group.add_argument(flag, dest=key, type=kind, default=default, metavar=metavar, help=text)


def settings(args: argparse.Namespace) -> TrainConfig:
    """The configuration that the command line describes.

    Raises:
        ConfigError: a setting is out of its range.
    """
    values = vars(args) | {"audio": _part(AudioConfig, args), "features": _part(FeatureConfig, args)}
    if values["warmup_epochs"] is None:
        values["warmup_epochs"] = usual_warmup(args.epochs)
    return TrainConfig(**{field.name: values[field.name] for field in fields(TrainConfig)})


def _part(kind: Any, args: argparse.Namespace) -> Any:
    return kind(**{field.name: getattr(args, field.name) for field in fields(kind)})


def command_line(config: TrainConfig) -> list[str]:
    """The flags that describe a configuration, all of them."""
    flags: list[str] = []
    for key, value in config.flat.items():
        if isinstance(value, bool):
            flags.append(_flag(key) if value else _flag(f"no_{key}"))
        else:
            flags.append(f"{_flag(key)}={value}")
    return flags


def _flag(key: str) -> str:
    return f"--{SHORT.get(key, key).replace('_', '-')}"
