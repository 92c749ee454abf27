"""The same settings on speakers whom a network learned from, and on speakers whom it never heard, side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from ser_core.analysis.colors import series_colors
from ser_core.analysis.comparable import differences, which_folds
from ser_core.analysis.configurations import network_label, run_label
from ser_core.analysis.figures import finish, plain, ticks_of_shares
from ser_core.analysis.steps import INTERVAL
from ser_core.corpus.splits import SPLITS
from ser_core.equality import ByContent
from ser_core.models.activations import activation_label
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.study import speakers_study
from ser_core.words import between, percent

HEARD, UNHEARD = "speakers it learned from", "speakers it never heard"
ROW_PIXELS, HEAD_PIXELS = 60, 110
MARGIN = 0.02  # of the axis, beside what is drawn


class Accuracy(NamedTuple):
    """How often a network is right: 0..1, the 95 % interval, and of how many clips."""

    value: float
    low: float
    high: float
    clips: int


@dataclass(frozen=True, eq=False)
class Speakers(ByContent):
    """Trainings that differ in nothing but the split.

    Attributes:
        shared: of the report's split, in which speakers of test clips are in training, too.
        folds: of splits that keep speakers apart, in their order; at least one.
    """

    shared: Run
    folds: tuple[Run, ...]

    @property
    def heard(self) -> Accuracy:
        """On speakers it learned from."""
        return pooled([self.shared])

    @property
    def unheard(self) -> Accuracy:
        """On speakers it never heard."""
        return pooled(self.folds)


def alike(runs: Iterable[Run], one: Run | None) -> list[Run]:
    """Those that differ from one in nothing but the split, fold by fold."""
    found = [run for run in runs if one and _but_the_split(run.train) == _but_the_split(one.train)]
    found = [run for run in found if one and not differences((one, run), asked=("split",))]
    return sorted(found, key=lambda run: SPLITS.index(run.train.split))


def _but_the_split(config: TrainConfig) -> TrainConfig:
    return replace(config, split=SPLITS[0])


def pooled(folds: Sequence[Run]) -> Accuracy:
    """Right answers to all test clips of the folds of one model, or of its run on the report's split.

    No speaker is in two folds. So their errors are independent, and what is beside each to the ends of its interval
    adds up in squares.
    """
    clips = np.array([run.environment.clips.test for run in folds])
    accuracies = np.array([run.accuracy for run in folds])
    ends = np.array([run.accuracy_interval for run in folds])
    accuracy = float(clips @ accuracies / clips.sum())
    below, above = np.hypot.reduce(clips[:, None] * (ends - accuracies[:, None])) / clips.sum()
    return Accuracy(accuracy, accuracy - float(below), accuracy + float(above), int(clips.sum()))


def speaker_results(runs: Iterable[Run]) -> list[Speakers]:
    """All settings that were trained both ways on CREMA-D by itself, the best validation accuracy first."""
    known = [run for run in runs if not run.environment.corpora and run.train.split in SPLITS]
    shared = sorted((run for run in known if run.train.split == SPLITS[0]), key=lambda run: run.val_rank, reverse=True)
    apart: dict[TrainConfig, list[Run]] = {}  # by their settings, on the report's split: a page asks at each change
    for run in known:
        if run.train.split != SPLITS[0]:
            apart.setdefault(_but_the_split(run.train), []).append(run)
    found = [Speakers(run, tuple(alike(apart.get(run.train, ()), run))) for run in shared]
    return [result for result in found if result.folds]


def not_yet(runs: Iterable[Run]) -> list[TrainConfig]:
    """What `grid.py speakers` trains and no record is of."""
    known = {run.train.effective for run in runs if not run.environment.corpora}
    return [config for config in speakers_study() if config.effective not in known]


def most_folds(results: Iterable[Speakers], shipped: Collection[str] = ()) -> list[Speakers]:
    """One of each network: the one that ships, or else the one with the most folds, and of those the one with the best
    validation accuracy.

    Args:
        shipped: names of runs whose weights ship.
    """

    def rank(result: Speakers) -> tuple[bool, int]:
        return result.shared.name in shipped, len(result.folds)

    of_network: dict[str, Speakers] = {}
    for result in results:
        label = network_label(result.shared)
        if label not in of_network or rank(result) > rank(of_network[label]):
            of_network[label] = result
    return list(of_network.values())


def speaker_rows(results: Iterable[Speakers]) -> list[dict[str, Any]]:
    """Rows of a table: accuracies and the ends of their intervals in 0..1, the difference in points."""
    return [
        {
            "run": run_label(result.shared),
            HEARD: (heard := result.heard).value,
            UNHEARD: (unheard := result.unheard).value,
            "difference": 100 * (unheard.value - heard.value),
            "folds": which_folds(result.folds),
            HEARD + INTERVAL: between(heard.low, heard.high),
            UNHEARD + INTERVAL: between(unheard.low, unheard.high),
        }
        for result in results
    ]


def speakers_figure(results: Sequence[Speakers]) -> go.Figure:
    """A line a run, with two marks: both accuracies with their intervals."""
    figure, colors = go.Figure(), series_colors((HEARD, UNHEARD))
    labels = [f"{_in_two_lines(result.shared)}<br><i>{_said(result)}</i>" for result in results]
    ends = [end for result in results for one in (result.heard, result.unheard) for end in (one.low, one.high)]
    for name in (HEARD, UNHEARD):
        found = [result.heard if name == HEARD else result.unheard for result in results]
        figure.add_scatter(
            x=[one.value for one in found],
            y=labels,
            error_x={
                "array": [one.high - one.value for one in found],
                "arrayminus": [one.value - one.low for one in found],
                "thickness": 1.5,
            },
            customdata=[[one.low, one.high, one.clips] for one in found],
            name=name,
            mode="markers",
            orientation="h",  # both marks of a line beside each other, see `scattermode`
            marker={"size": 10, "color": colors[name], "symbol": "circle" if name == HEARD else "diamond"},
            hovertemplate="%{x:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%}) of %{customdata[2]:,} clips"
            f"<extra>{name}</extra>",
        )
    figure.update_xaxes(**ticks_of_shares(0.1), range=[min(ends) - MARGIN, max(ends) + MARGIN])
    figure.update_yaxes(autorange="reversed", type="category", categoryarray=labels)
    figure.update_layout(showlegend=True, scattermode="group")
    return finish(figure, HEAD_PIXELS + ROW_PIXELS * len(labels), "accuracy", "")


def _said(result: Speakers) -> str:
    """Both accuracies and the folds: `75.6 → 73.4 %, all 5 folds`."""
    return f"{100 * result.heard.value:.1f} → {percent(result.unheard.value)}, {which_folds(result.folds)}"


def _in_two_lines(run: Run) -> str:
    """A run's name, with a break after its activation, for a phone."""
    first, activation, rest = run.name.partition(f"-{activation_label(run.train.activation)}-")
    return plain(first) + (f"{activation}<br>{plain(rest)}" if rest else "")
