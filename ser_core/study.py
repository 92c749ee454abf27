"""Studies: the configurations that a grid trains, in the order in which they are worth having."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

from ser_core.audio import AudioConfig
from ser_core.errors import SERError
from ser_core.report import REPORT_ACTIVATIONS, REPORT_MODELS, REPORT_RATES, REPORT_RESULTS, ReportResult
from ser_core.runs import Run
from ser_core.splits import N_FOLDS
from ser_core.train_config import SELECTIONS, TrainConfig

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
        for model, lr, activation in itertools.product(REPORT_MODELS, REPORT_RATES, REPORT_ACTIVATIONS)
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
def _report_names() -> dict[TrainConfig, str]:
    both = [replace(config, select=select) for config in report_study() for select in SELECTIONS]
    return {_without_length(config): config.name for config in both}


def _without_length(config: TrainConfig) -> TrainConfig:
    """The same settings without what the report leaves open (preprocessing), and without their number of epochs."""
    (usual,) = with_epochs([config], TrainConfig.epochs)
    return replace(usual, audio=AudioConfig())


def configuration_of(run: Run) -> str | None:
    """Name of the report's configuration that a record belongs to, by its settings and not by its name.

    So `lr0.001-SiLU-2D-30`, trained with the settings of `lr0.001-SiLU-2D` but for fewer epochs, belongs to that, and
    a run of another seed that bears its name does not. Where the epoch was picked by validation accuracy, the name
    says so, as `lr0.001-ReLU-ResNet38-by-accuracy`. None where no configuration has such settings.
    """
    try:
        return _report_names().get(_without_length(TrainConfig.from_dict(run.train)))
    except (SERError, KeyError, TypeError):
        return None  # of another version of this code


def reported_result(run: Run) -> ReportResult | None:
    """The report's figures for a run that bears the name of a configuration and has its settings, if it gives any."""
    return REPORT_RESULTS.get(run.name) if configuration_of(run) == run.name else None


def by_configuration(runs: Iterable[Run]) -> dict[str, dict[int, list[Run]]]:
    """Records of each of the report's configurations, by its name, and of each number of epochs.

    Several may differ in precision, numerics or preprocessing; the one that bears the configuration's name is first.
    """
    records: dict[str, dict[int, list[Run]]] = {}
    for run in runs:
        if name := configuration_of(run):
            of_length = records.setdefault(name, {}).setdefault(run.train["epochs"], [])
            of_length.insert(0 if run.name == name else len(of_length), run)
    return records
