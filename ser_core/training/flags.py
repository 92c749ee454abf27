"""The settings of a run as a command line, in both directions: every field of `TrainConfig` is a flag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from ser_core.audio.vad import VAD_METHODS
from ser_core.command_line import choice, flags_of
from ser_core.features.inputs import Form
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.registry import MODELS
from ser_core.places import Kind, written
from ser_core.training.config import PARTS, TrainConfig, usual_config

SPLIT_HELP = (
    "`report`, `fold1` to `fold5` (which keep speakers apart), or a JSON file: lists of clips `train`, `val`, `test`."
)
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
    "warmup_epochs": Annotated[int, arg(help="the first of them, in which the learning rate rises, >= 0.")],
    "batch_size": Annotated[int, arg(help="clips in a training step, > 0.")],
    "seed": Annotated[int, arg(help="random seed of initialisation, shuffling and dropout.")],
    "teacher": Annotated[str, arg(metavar="CHECKPOINT")],
    "vad": choice(VAD_METHODS),
}
"""Flags that say more than the type of a setting: those with choices from a registry, and defaults that depend."""


def _default(name: str, value: Any) -> str:
    """What `--help` says of a setting that isn't given: its value, and which networks have another one."""
    shown = (" ".join(map(str, value)) or "none") if isinstance(value, tuple) else str(value)
    if name == "warmup_epochs":
        shown += ", or all there are"
    others: dict[str, list[str]] = {}
    for network in MODELS.values():
        if name in network.usual:
            others.setdefault(str(network.usual[name]), []).append(network.name)
    return "; ".join([shown, *(f"{', '.join(networks)}: {other}" for other, networks in others.items())])


def _part(kind: type[Any], text: str) -> Any:
    """The type of a field that has flags of its own, of which those that were given are kept."""
    return Annotated[kind, arg(constructor=flags_of(dict, kind, SPECIAL, _default), help=text)]


def _train_config(model: str = TrainConfig.model, **values: Any) -> TrainConfig:
    given = {key: value for part in PARTS for key, value in values.pop(part, {}).items()}
    return usual_config(model, **values, **given)


PART_HELP = {
    "augmentation": "How the copies of training clips are changed: each is a share of the clips, or how much.",
    "audio": "How speech is found in a recording. The checkpoint remembers it.",
    "features": "What the network gets to see of it. The checkpoint remembers it.",
    "network": "What the networks of --model conformer and conformer-large are made of. The checkpoint remembers it.",
}
SETTINGS = SPECIAL | {part: _part(kind, PART_HELP[part]) for part, kind in PARTS.items()}
RunSettings = Annotated[TrainConfig, arg(name="", constructor=flags_of(_train_config, TrainConfig, SETTINGS, _default))]
"""The type of a command's field that holds the settings of a run."""

Cache = Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: $SER_CACHE_DIR, or the user's cache)")]
Out = Annotated[
    Path | None,
    arg(metavar="DIR", help_behavior_hint="(default: the project's, or the current folder if it is installed)"),
]


def command_line(config: TrainConfig) -> list[str]:
    """The flags that describe a configuration, all of them that aren't idle and as usual."""
    flags: list[str] = []
    usual = config.effective.flat
    for key, value in config.flat.items():
        if key in config.idle and value == usual[key]:
            continue
        if isinstance(value, bool):
            flags.append(flag(key) if value else flag(f"no_{key}"))
        elif isinstance(value, tuple):
            flags += [flag(key), *map(str, value)]
        else:
            flags.append(f"{flag(key)}={value}")
    return flags


def idle_flags(arguments: Sequence[str], idle: Mapping[str, str]) -> list[str]:
    """A sentence for each reason why flags of a command line change nothing, also where they say what is usual.

    Args:
        arguments: the command line.
        idle: names of settings that change nothing, and why.
    """
    given = {argument.partition("=")[0].replace("_", "-") for argument in arguments}
    named: dict[str, list[str]] = {}
    for key, reason in idle.items():
        if flag(key) in given:
            named.setdefault(reason, []).append(flag(key))
    return [
        f"{', '.join(flags)} {'has' if len(flags) == 1 else 'have'} no effect: {reason}."
        for reason, flags in named.items()
    ]


def flag(key: str) -> str:
    """How a field is called on the command line."""
    return f"--{key.replace('_', '-')}"


def folder_for(kind: Kind, out: Path | None) -> Path:
    """Where runs or checkpoints are written, with `--out` or without."""
    return out / kind if out else written(kind)
