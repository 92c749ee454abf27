"""The settings of a run as a command line, in both directions: every field of `TrainConfig` is a flag."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from ser_core.audio.preprocess import AudioConfig
from ser_core.audio.vad import VAD_METHODS
from ser_core.command_line import choice, flags_of
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.registry import MODELS
from ser_core.places import Kind, written
from ser_core.training.config import TrainConfig, usual_warmup

SPLIT_HELP = (
    "`report`, `fold1` to `fold5` (which keep speakers apart), or a JSON file: lists of clips `train`, `val`, `test`."
)
SPECIAL_AUDIO = {"vad": choice(VAD_METHODS)}
SPECIAL: dict[str, Any] = {
    "model": Annotated[choice(MODELS), arg(help="the network.")],
    "activation": Annotated[
        choice(ACTIVATIONS) | None,
        arg(
            aliases=["--act"],
            metavar=f"{{{','.join(ACTIVATIONS)}}}",
            help="its activation function.",
            help_behavior_hint=f"(default: {TrainConfig.activation or 'the best for the network in the report'})",
        ),
    ],
    "form": Annotated[
        Form,
        arg(help="shape of the input: 3 s (`fixed`), as long as the clip (`variable`), or its average (`mean`)."),
    ],
    "split": Annotated[str, arg(metavar="NAME", help=SPLIT_HELP)],
    "epochs": Annotated[int, arg(help="rounds over all training clips, > 0.")],
    "warmup_epochs": Annotated[
        int | None,
        arg(
            metavar="INT",
            help="the first of them, in which the learning rate rises, >= 0.",
            help_behavior_hint=f"(default: {TrainConfig.warmup_epochs}, or all there are)",
        ),
    ],
    "batch_size": Annotated[int, arg(help="clips in a training step, > 0.")],
    "seed": Annotated[int, arg(help="random seed of initialisation, shuffling and dropout.")],
    "audio": Annotated[
        AudioConfig,
        arg(
            constructor=flags_of(AudioConfig, AudioConfig, SPECIAL_AUDIO),
            help="How speech is found in a recording. The checkpoint remembers it.",
        ),
    ],
    "features": Annotated[
        FeatureConfig,
        arg(
            constructor=flags_of(FeatureConfig, FeatureConfig, {}),
            help="What the network gets to see of it. The checkpoint remembers it.",
        ),
    ],
}
"""Flags that say more than the type of a setting: those with choices from a registry, and defaults that depend."""


def _train_config(**values: Any) -> TrainConfig:
    values.setdefault("warmup_epochs", usual_warmup(values["epochs"]))
    return TrainConfig(**values)


RunSettings = Annotated[TrainConfig, arg(name="", constructor=flags_of(_train_config, TrainConfig, SPECIAL))]
"""The type of a command's field that holds the settings of a run."""

Cache = Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: $SER_CACHE_DIR, or the user's cache)")]
Out = Annotated[
    Path | None,
    arg(metavar="DIR", help_behavior_hint="(default: the project's, or the current folder if it is installed)"),
]


def command_line(config: TrainConfig) -> list[str]:
    """The flags that describe a configuration, all of them."""
    flags: list[str] = []
    for key, value in config.flat.items():
        if isinstance(value, bool):
            flags.append(flag(key) if value else flag(f"no_{key}"))
        else:
            flags.append(f"{flag(key)}={value}")
    return flags


def flag(key: str) -> str:
    """How a field is called on the command line."""
    return f"--{key.replace('_', '-')}"


def folder_for(kind: Kind, out: Path | None) -> Path:
    """Where runs or checkpoints are written, with `--out` or without."""
    return out / kind if out else written(kind)
