"""What a finding looks like: the measured differences or figures, each with its interval and the report's own value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from ser_core.analysis.colors import ACCENT, GUIDE, REPORT_COLOR
from ser_core.analysis.comparison import Difference
from ser_core.analysis.figures import finish
from ser_core.analysis.report import REPORT_RESULTS, reported_difference
from ser_core.models.activations import activation_label
from ser_core.models.registry import model_label
from ser_core.records.runs import Run

ROW_PIXELS, HEAD_PIXELS = 38, 120
AXIS_CHARACTERS, LINE_PIXELS = 22, 18  # of a line of the axis title, for a phone


@dataclass(frozen=True)
class Mark:
    """One thing that was measured.

    Attributes:
        label: what it is, in a few words.
        value: as measured, a share or a difference of shares.
        low, high: its 95 % interval; the value itself where there is none.
        report: the report's own value, where it gives one.
        runs: names of the runs that it is of: two that are compared, or one; nothing of several pairs together.
        emotion: which emotion it is of, if it is of one.
    """

    label: str
    value: float
    low: float
    high: float
    report: float | None = None
    runs: tuple[str, ...] = ()
    emotion: str | None = None


@dataclass(frozen=True)
class Picture:
    """Marks on one axis.

    Attributes:
        marks: from top to bottom.
        axis: what is measured, as `difference in points`.
        limit: where a claim that has one begins to fail.
        points: whether values are differences of shares, to be drawn in points.
    """

    marks: tuple[Mark, ...]
    axis: str = "difference in accuracy, points"
    limit: float | None = None
    points: bool = True


def pair_mark(runs: tuple[Run, Run], names: tuple[str, str], asked: Collection[str], difference: Difference) -> Mark:
    """A comparison of two runs of the configurations of these names, which differ in what is asked."""
    known = all(name in REPORT_RESULTS for name in names)
    report = reported_difference(*names) if known else None
    return Mark(
        _label([runs], asked), difference.accuracy, *difference.interval, report, tuple(run.name for run in runs)
    )


def together_mark(
    pairs: Sequence[tuple[Run, Run]], names: Sequence[tuple[str, str]], asked: Collection[str], difference: Difference
) -> Mark:
    """All these pairs together; the report's value is the mean of what it gives them, if it gives all."""
    known = [reported_difference(*pair) for pair in names if all(name in REPORT_RESULTS for name in pair)]
    report = float(np.mean(known)) if len(known) == len(names) else None
    label = f"{_label(pairs, asked)}, all {len(pairs)} together"
    return Mark(label, difference.accuracy, *difference.interval, report)


def _label(pairs: Sequence[tuple[Run, Run]], asked: Collection[str]) -> str:
    """What the first runs have over the second ones, and what all have in common: `SiLU over ReLU, 2D, rate 0.001`."""
    first, second = ([pair[i] for pair in pairs] for i in (0, 1))
    apart = [" ".join(filter(None, (_common(runs, setting) for setting in asked))) for runs in (first, second)]
    alike = [_common([*first, *second], setting) for setting in ("model", "activation", "lr") if setting not in asked]
    return ", ".join([" over ".join(apart), *filter(None, alike)])


def _common(runs: Sequence[Run], setting: str) -> str:
    """A setting in words, if these runs have the same, and nothing else."""
    words = {PARTS[setting](run) for run in runs}
    return words.pop() if len(words) == 1 else ""


PARTS: dict[str, Callable[[Run], str]] = {
    "activation": lambda run: activation_label(run.train.activation),
    "model": lambda run: model_label(run.train.model),
    "lr": lambda run: f"rate {run.train.lr:g}",
    "form": lambda run: {"fixed": "fixed length", "variable": "variable length"}.get(run.train.form, run.train.form),
}


def finding_figure(picture: Picture) -> go.Figure:
    """Each mark with its interval, those of several pairs together larger, and the report's value as a diamond.

    A mark's `customdata` begins with its label.
    """
    scale = 100 if picture.points else 1
    form = ":+.1f" if picture.points else ":.2f"
    marks = picture.marks
    rows = {mark.label: mark.label.replace(", ", "<br>", 1) for mark in marks}  # in two lines, for a phone
    figure = go.Figure()
    figure.add_scatter(
        x=[scale * mark.value for mark in marks],
        y=list(rows.values()),
        error_x={
            "array": [scale * (mark.high - mark.value) for mark in marks],
            "arrayminus": [scale * (mark.value - mark.low) for mark in marks],
            "thickness": 1.5,
        },
        customdata=[[mark.label, scale * mark.low, scale * mark.high] for mark in marks],
        name="ours",
        mode="markers",
        marker={"size": [9 if mark.runs else 14 for mark in marks], "color": ACCENT},
        hovertemplate=f"%{{customdata[0]}}: %{{x{form}}} (%{{customdata[1]{form}}} to %{{customdata[2]{form}}})"
        "<extra>ours</extra>",
    )
    said = [mark for mark in marks if mark.report is not None]
    if said:
        figure.add_scatter(
            x=[scale * mark.report for mark in said if mark.report is not None],
            y=[rows[mark.label] for mark in said],
            customdata=[[mark.label] for mark in said],
            name="the report",
            mode="markers",
            marker={"size": 12, "symbol": "diamond-open", "color": REPORT_COLOR, "line": {"width": 2}},
            hovertemplate=f"%{{customdata[0]}}: %{{x{form}}}<extra>the report</extra>",
        )
    if picture.points:
        figure.add_vline(0, line={"width": 1, "color": GUIDE})
    if picture.limit is not None:
        figure.add_vline(scale * picture.limit, line={"dash": "dot", "width": 1.5, "color": REPORT_COLOR})
    figure.update_layout(clickmode="event+select", showlegend=True)
    figure.update_yaxes(autorange="reversed", type="category", categoryarray=list(rows.values()))
    axis = wrap(picture.axis, AXIS_CHARACTERS)
    height = HEAD_PIXELS + ROW_PIXELS * len(marks) + LINE_PIXELS * (len(axis) - 1)
    return finish(figure, height, "<br>".join(axis), "")
