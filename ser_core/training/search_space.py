"""What a search tries: the settings of the small network, and their ranges."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ser_core.models.activations import ACTIVATIONS
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.flags import flag


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        log: whether their logarithm is drawn evenly.
        step: between numbers that are tried; None for all. With whole ends, the numbers are whole, too.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None


SPACE: dict[str, Range | tuple[Any, ...]] = {
    "lr": Range(3e-4, 4e-3, log=True),
    "batch_size": (16, 32, 64),
    "weight_decay": Range(1e-3, 0.2, log=True),
    "label_smoothing": Range(0, 0.2, step=0.05),
    "soft_labels": Range(0, 0.6, step=0.1),
    "mixup": Range(0, 0.4, step=0.1),
    "spec_augment": Range(0, 4, step=1),
    "ema": (0.0, 0.99, 0.998, 0.9995),
    "activation": tuple(ACTIVATIONS),
    "head": ("conformer", "transformer"),
    "blocks": Range(1, 4, step=1),
    "width": Range(64, 192, step=32),
    "dropout": Range(0, 0.4, step=0.1),
}
"""By the names of settings in `TrainConfig.flat`; none of them changes the features, which are computed once."""

THIS_SPACE = hashlib.sha256(repr(SPACE).encode()).hexdigest()[:12]
"""Of these settings and ranges: a search goes on with none of another version."""
WHOLE_NUMBERS = {name for name, value in TrainConfig().flat.items() if type(value) is int}


def suggest(trial: Any, space: dict[str, Range | tuple[Any, ...]] = SPACE) -> dict[str, Any]:
    """What a trial of Optuna proposes, by the names of settings."""
    values: dict[str, Any] = {}
    for name, kind in space.items():
        if isinstance(kind, tuple):
            values[name] = trial.suggest_categorical(name, kind)
        elif name in WHOLE_NUMBERS:
            values[name] = trial.suggest_int(name, int(kind.low), int(kind.high), step=int(kind.step or 1))
        else:
            values[name] = trial.suggest_float(name, kind.low, kind.high, log=kind.log, step=kind.step)
    return retypable(values)


def retypable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Proposals as they are trained: those that are drawn from a range in three digits, for a command that people type.

    Optuna keeps them in more, as 0.15000000000000002 of steps of 0.05.
    """
    drawn = {name for name, kind in SPACE.items() if isinstance(kind, Range)} - WHOLE_NUMBERS
    return {name: float(f"{value:.3g}") if name in drawn else value for name, value in values.items()}


def how_to_train(config: TrainConfig, precision: str = "") -> str:
    """The flags of a training with these settings, for as many epochs as are usual, as a command line has them.

    What is usual is left out.

    Args:
        precision: that of the trials, as figures of another one aren't compared; empty for the machine's own.
    """
    usual = usual_config(config.model)
    longer = replace(config, epochs=usual.epochs, warmup_epochs=usual.warmup_epochs).effective.flat
    unusual = {name: value for name, value in longer.items() if value != usual.flat[name]}
    unusual.pop("model", None)
    flags = [f"--model {config.model}", *(f"{flag(name)} {shlex.quote(str(value))}" for name, value in unusual.items())]
    return " ".join([*flags, f"--precision {precision}"] if precision else flags)
