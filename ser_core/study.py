"""Studies: the configurations that a grid trains, in the order in which they are worth having."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

from ser_core.errors import SERError
from ser_core.names import ACTIVATION_LABELS
from ser_core.runs import Run
from ser_core.splits import N_FOLDS
from ser_core.train_config import TrainConfig

GRID_MODELS = ("1d", "2d", "combined")
GRID_RATES = (0.001, 0.01, 0.1)
BEST_1D = TrainConfig(model="1d", activation="elu", lr=0.01)
BEST_2D = TrainConfig(model="2d", activation="silu", lr=0.001)
BEST_COMBINED = TrainConfig(model="combined", activation="silu", lr=0.001)


def report_study() -> list[TrainConfig]:
    """All that the report trained: its table 2, the rest of its 27 configurations, and its variations (section 4.4).

    The report names activation and learning rate of the ResNets and of the combined model on variable-length input
    (table 2). For single-channel 1D features it names neither: they are those of the fixed form's best.
    """
    table_2 = [BEST_2D, BEST_1D, BEST_COMBINED, replace(BEST_COMBINED, form="variable")]
    grid = [
        TrainConfig(model=model, activation=activation, lr=lr)
        for model, lr, activation in itertools.product(GRID_MODELS, GRID_RATES, ACTIVATION_LABELS)
    ]
    single_channel = [replace(BEST_1D, form="mean"), replace(BEST_COMBINED, form="mean")]
    resnets = [TrainConfig(model=model, activation="relu", lr=0.001) for model in ("resnet38", "resnet101")]
    return list(dict.fromkeys([*table_2, *grid, *single_channel, *resnets]))


def speakers_study() -> list[TrainConfig]:
    """The best of each architecture on speakers it never heard: five folds each."""
    return [
        replace(best, split=f"fold{fold}")
        for best in (BEST_1D, BEST_2D, BEST_COMBINED)
        for fold in range(1, N_FOLDS + 1)
    ]


STUDIES: dict[str, Callable[[], list[TrainConfig]]] = {"report": report_study, "speakers": speakers_study}


def with_epochs(configs: Iterable[TrainConfig], epochs: int) -> list[TrainConfig]:
    """The same configurations trained for so many epochs, of which at most all warm up."""
    return [replace(c, epochs=epochs, warmup_epochs=min(TrainConfig.warmup_epochs, epochs)) for c in configs]


@cache
def _report_configs() -> dict[str, TrainConfig]:
    return {config.name: config for config in report_study()}


def configuration_of(run: Run) -> str:
    """Name of the report's configuration that a record belongs to, also where it has a name of its own.

    So `lr0.001-SiLU-2D-30`, trained with the settings of `lr0.001-SiLU-2D` but for fewer epochs, belongs to that.
    Without such settings, it is the record's own name.
    """
    study = _report_configs()
    if run.name in study:
        return run.name
    try:
        (settings,) = with_epochs([TrainConfig.from_dict(run.train)], TrainConfig.epochs)
    except (SERError, KeyError, TypeError):
        return run.name  # of another version of this code
    return settings.name if study.get(settings.name) == settings else run.name


def by_configuration(runs: Iterable[Run]) -> dict[str, dict[int, Run]]:
    """Records of each configuration, by its name, and of each number of epochs.

    Where several have the same settings, the one that bears the configuration's name counts, or else the first.
    """
    records: dict[str, dict[int, Run]] = {}
    for run in runs:
        name, epochs = configuration_of(run), run.train["epochs"]
        lengths = records.setdefault(name, {})
        if run.name == name or epochs not in lengths:
            lengths[epochs] = run
    return records
