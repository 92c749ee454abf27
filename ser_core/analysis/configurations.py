"""Which of the report's configurations a record belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache

from ser_core.analysis.report import REPORT_RESULTS, ReportResult
from ser_core.audio.preprocess import AudioConfig
from ser_core.errors import RunError
from ser_core.models.config import NetworkConfig
from ser_core.models.registry import model_label
from ser_core.records.runs import Run
from ser_core.training.config import SELECTIONS, TrainConfig, usual_config, usual_warmup
from ser_core.training.study import report_study, with_epochs
from ser_core.words import counted

HOW_SILENCE_IS_FOUND = {
    name: getattr(AudioConfig(), name) for name in ("vad", "vad_top_db", "vad_floor_dbfs", "vad_threshold")
}


@cache
def _report_names() -> dict[TrainConfig, str]:
    both = [replace(config, select=select) for config in report_study() for select in SELECTIONS]
    return {_without_length(config): config.name for config in both}


def _without_length(config: TrainConfig) -> TrainConfig:
    """The same settings of whatever length, and without what the report leaves open: how silence is found."""
    config = of_usual_length(config)
    return replace(config, audio=replace(config.audio, **HOW_SILENCE_IS_FOUND))


@lru_cache(4096)  # pages ask for the same ones again and again
def of_usual_length(config: TrainConfig) -> TrainConfig:
    """What has an effect, of the usual number of epochs. A warm-up that isn't usual for theirs is another setting."""
    config = config.effective
    if config.warmup_epochs == usual_warmup(config.epochs, config.model):
        (config,) = with_epochs([config], TrainConfig.epochs)
    return replace(config, epochs=TrainConfig.epochs)


def configuration_of(run: Run) -> str | None:
    """Name of the report's configuration that a record belongs to, by its settings and not by its name.

    So `lr0.001-SiLU-2D-30`, trained with the settings of `lr0.001-SiLU-2D` but for fewer epochs, belongs to that, and
    a run of another seed that bears its name does not. Where the epoch was picked by validation accuracy, the name
    says so, as `lr0.001-ReLU-ResNet38-by-accuracy`. None where no configuration has such settings, or where a run was
    trained on other corpora.
    """
    return None if run.environment.corpora else _report_names().get(_without_length(run.train))


def run_label(run: Run) -> str:
    """What people call a run: with its length, which its name may say or not, as `lr0.001-SiLU-2D, 150 epochs`."""
    return f"{name_without_length(run)}, {counted(run.train.epochs, 'epoch')}"


def name_without_length(run: Run) -> str:
    """A run's name without its number of epochs, where the name ends with that."""
    return run.name.removesuffix(f"-{run.train.epochs}")


def network_label(run: Run) -> str:
    """What people call a run's network, with its form of input if that is not the usual one.

    One that a teacher taught is another, since it isn't from its clips alone; and so is one with another head, since
    without its conformer a Conformer is none.
    """
    label, head = model_label(run.train.model), run.train.network.head
    if head != NetworkConfig.head:
        label += ", no head" if head == "none" else f", {head} head"
    if run.train.form != usual_config(run.train.model).form:
        label += f", {run.train.form}"
    return f"{label} with a teacher" if run.taught else label


def reported_result(run: Run) -> ReportResult | None:
    """The report's figures for the settings of a run of any length, if it gives any."""
    return REPORT_RESULTS.get(configuration_of(run) or "")


def by_configuration(runs: Iterable[Run]) -> dict[str, dict[int, list[Run]]]:
    """Records of each of the report's configurations, by its name, and of each number of epochs.

    Several may differ in precision, numerics or preprocessing; the one that bears the configuration's name is first.
    """
    records: dict[str, dict[int, list[Run]]] = {}
    for run in runs:
        if name := configuration_of(run):
            of_length = records.setdefault(name, {}).setdefault(run.train.epochs, [])
            of_length.insert(0 if run.name == name else len(of_length), run)
    return records


def in_order_of_names(runs: Iterable[Run]) -> list[Run]:
    """Those first that bear the name of their settings, then by name.

    So which of several of the same settings stands for them is not the one that did best, which would be chosen by
    what it is to show.
    """
    return sorted(runs, key=lambda run: (run.name != run.train.name, run.name))


def readable(runs: Iterable[Run]) -> list[Run]:
    """The runs whose per-clip predictions can be read: without them, a run can't be compared with another."""
    found = []
    for run in runs:
        try:
            run.predictions()
        except RunError:
            continue
        found.append(run)
    return found
