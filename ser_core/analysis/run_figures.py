"""Plotly figures of recorded runs: accuracy over settings, confusions, training curves, emotions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ser_core.analysis.calibration import Reliability
from ser_core.analysis.colors import ACCENT, GUIDE, patterns, series_colors
from ser_core.analysis.confusion import cell_label, confused_pairs, row_shares
from ser_core.analysis.figures import LAST_TICK, SELECTABLE, WRITTEN, finish, plain, ticks_of_shares
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.models.activations import activation_label
from ser_core.records.runs import Run
from ser_core.training.report_grid import REPORT_ACTIVATIONS, REPORT_RATES
from ser_core.words import percent

ACCURACY_RANGE = (0.35, 0.65)  # of the report's grid; the same colours mean the same in every heatmap
CELL_PIXELS = 46
LEGEND_ROW = 20  # pixels
CURVE_POINTS = 200


def accuracy_heatmap(runs: Iterable[Run], *, height: int = 260) -> go.Figure:
    """Test accuracy over the report's activations and learning rates (its figure 7), of runs that differ in no more.

    Each cell says its epochs. Over each lies a marker whose `customdata` is the name of its run: heatmaps report no
    selections, markers do.
    """
    known = {(run.train.activation, run.train.lr): run for run in runs}
    rows, columns = REPORT_ACTIVATIONS, [f"{lr:g}" for lr in REPORT_RATES]
    cells = [[known.get((activation, lr)) for lr in REPORT_RATES] for activation in rows]
    figure = go.Figure(
        go.Heatmap(
            z=[[run.accuracy if run else None for run in row] for row in cells],
            x=columns,
            y=[activation_label(activation) for activation in rows],
            text=[[_cell_text(run) for run in row] for row in cells],
            texttemplate="%{text}",
            zmin=ACCURACY_RANGE[0],
            zmax=ACCURACY_RANGE[1],
            **WRITTEN,
            xgap=3,
            ygap=3,
            hoverinfo="skip",
        )
    )
    present = [run for row in cells for run in row if run]
    figure.add_scatter(
        x=[f"{run.train.lr:g}" for run in present],
        y=[activation_label(run.train.activation) for run in present],
        customdata=[[run.name, *run.accuracy_interval, plain(run.name)] for run in present],
        **_cover(),
        hovertemplate="%{customdata[3]}<br>%{customdata[1]:.1%} to %{customdata[2]:.1%}<extra></extra>",
    )
    figure.update_xaxes(type="category", categoryarray=columns, range=[-0.5, len(columns) - 0.5])
    figure.update_yaxes(type="category", autorange="reversed")
    _as_matrix(figure)
    figure.update_layout(clickmode="event+select")
    return finish(figure, height, "learning rate", "")


def _cell_text(run: Run | None) -> str:
    if run is None:
        return "no run"
    status = "" if run.status == "finished" else f"<br>{plain(run.status)}"
    return f"<b>{percent(run.accuracy)}</b><br>{run.train.epochs} ep.{status}"


def confusion_figure(
    confusion: Sequence[Sequence[int]] | np.ndarray,
    *,
    normalised: bool = True,
    height: int = 380,
    who: str = "predicted",
) -> go.Figure:
    """A confusion matrix `[6, 6]` of counts, rows intended: as shares of each row, or in counts (report, figure 8).

    Shares of an emotion without clips are left blank. Over each cell that has clips lies a marker whose `customdata`
    begins with the cell's `ser_core.analysis.confusion.cell_label`: heatmaps report no selections, markers do.

    Args:
        who: what the columns are, `predicted` by a model or `heard` by people.
    """
    counts = np.asarray(confusion)
    shares = row_shares(counts)
    cells = [row.tolist() if n else [None] * len(row) for row, n in zip(shares, counts.sum(axis=1), strict=True)]
    names = [EMOTION_NAMES[emotion] for emotion in EMOTIONS]
    figure = go.Figure(
        go.Heatmap(
            z=cells if normalised else counts,
            x=names,
            y=names,
            text=[[percent(share, 0) for share in row] for row in shares] if normalised else None,
            texttemplate="%{text}" if normalised else "%{z:,}",
            zmin=0,
            zmax=1 if normalised else None,
            **WRITTEN,
            hoverinfo="skip",
        )
    )
    found = confused_pairs(counts, counts.size, right=True)
    figure.add_scatter(
        x=[EMOTION_NAMES[pair.predicted] for pair in found],
        y=[EMOTION_NAMES[pair.true] for pair in found],
        customdata=[[cell_label(pair.true, pair.predicted, who), pair.clips, pair.share] for pair in found],
        **_cover(),
        hovertemplate="%{customdata[0]}: %{customdata[1]:,} (%{customdata[2]:.1%})<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(range=[-0.5, len(names) - 0.5])
    figure.update_layout(clickmode="event+select")
    _as_matrix(figure)
    return finish(figure, height, who, "intended")


def _cover() -> dict[str, Any]:
    """How markers are drawn that make the cells of a heatmap selectable."""
    return {
        "meta": SELECTABLE,
        "mode": "markers",
        "marker": {"symbol": "square", "size": CELL_PIXELS, "opacity": 0, "color": ACCENT},
        "selected": {"marker": {"opacity": 0.25}},
        "unselected": {"marker": {"opacity": 0}},
    }


def _as_matrix(figure: go.Figure) -> None:
    """Nothing to zoom into, and no lines between cells."""
    figure.update_xaxes(showgrid=False, fixedrange=True, ticks="")
    figure.update_yaxes(showgrid=False, fixedrange=True, ticks="")


def curves_figure(histories: Mapping[str, Mapping[str, np.ndarray]], quantity: str, *, height: int = 340) -> go.Figure:
    """Training (dotted) and validation curves of runs over epochs (report, figure 9).

    Args:
        histories: columns of each run's history, by name of the run.
        quantity: `loss` (cross-entropy in nats) or `accuracy` (0..1).
    """
    figure, colors = go.Figure(), series_colors(histories)
    for name, history in histories.items():
        color = colors[name]
        for part, style in (("train", "dot"), ("val", "solid")):
            label = f"{plain(name)}, {'training' if part == 'train' else 'validation'}"
            figure.add_scatter(
                x=history["epoch"],
                y=history[f"{part}_{quantity}"],
                name=label,
                showlegend=part == "val" or len(histories) == 1,  # with several, lines of a colour belong together
                mode="lines",
                line={"color": color, "dash": style, "width": 1.2 if part == "train" else 2},
                hovertemplate="%{y:.1%}" if quantity == "accuracy" else "%{y:.3f}",
            )
    figure.update_layout(hovermode="x unified", showlegend=True)
    if quantity == "accuracy":
        figure.update_yaxes(**ticks_of_shares(0.1))
    height += LEGEND_ROW * max(0, len(histories) - 2)
    return finish(figure, height, "epoch", f"{quantity} (nats)" if quantity == "loss" else quantity)


def emotion_bars(values: Mapping[str, Mapping[str, float]], title: str, *, height: int = 300) -> go.Figure:
    """A figure in 0..1 for each emotion and source, as bars beside each other; what a source lacks has no bar."""
    figure, colors = go.Figure(), series_colors(values)
    for (source, by_emotion), pattern in zip(values.items(), patterns(colors.values()), strict=True):
        figure.add_bar(
            x=[EMOTION_NAMES[emotion] for emotion in EMOTIONS],
            y=[by_emotion.get(emotion) for emotion in EMOTIONS],
            name=plain(source),
            marker={"color": colors[source], "pattern": {"shape": pattern}},
            hovertemplate="%{x}: %{y:.2f}<extra>" + plain(source) + "</extra>",
        )
    figure.update_layout(barmode="group", showlegend=len(values) > 1)
    figure.update_yaxes(range=[0, 1])
    return finish(figure, height + LEGEND_ROW * max(0, len(values) - 2), "", title)


def reliability_figure(of_runs: Mapping[str, Reliability], *, height: int = 320) -> go.Figure:
    """How often each run is right over how sure it says it is; on the dotted line it says the truth."""
    figure, colors = go.Figure(), series_colors(of_runs)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": GUIDE}, showlegend=False)
    for name, found in of_runs.items():
        color = colors[name]
        figure.add_scatter(
            x=found.confidence,
            y=found.accuracy,
            customdata=found.share,
            name=plain(name),
            mode="lines+markers",
            marker={"size": 5 + 25 * found.share**0.5, "color": color},
            line={"width": 1, "color": color},
            cliponaxis=False,  # marks at 0 and 100 % are whole
            hovertemplate="says %{x:.0%}, right %{y:.0%}, %{customdata:.0%} of clips<extra></extra>",
        )
    return _of_shares(figure, len(of_runs), height, "probability that it gives", "right")


def risk_coverage_figure(
    of_runs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    marks: Mapping[str, tuple[float, float]] = {},
    *,
    height: int = 320,
) -> go.Figure:
    """Accuracy on the clips of which each run is surest, over the share of clips that those are.

    Args:
        of_runs: by name, what `ser_core.analysis.calibration.risk_coverage` gives.
        marks: points on some of the curves, what `ser_core.analysis.calibration.answered_from` gives.
    """
    figure, colors = go.Figure(), series_colors(of_runs)
    for name, (coverage, accuracy) in of_runs.items():
        shown = np.linspace(len(coverage) // 50, len(coverage) - 1, min(len(coverage), CURVE_POINTS)).astype(int)
        figure.add_scatter(
            x=coverage[shown],
            y=accuracy[shown],
            name=plain(name),
            mode="lines",
            line={"color": colors[name]},
            hovertemplate="the surest %{x:.0%}: right %{y:.1%}<extra></extra>",
        )
        if name in marks:
            share, right = marks[name]
            figure.add_scatter(
                x=[share],
                y=[right],
                showlegend=False,
                mode="markers",
                marker={"size": 11, "color": colors[name]},
                cliponaxis=False,
                hovertemplate="answers %{x:.0%}: right %{y:.1%}<extra></extra>",
            )
    return _of_shares(figure, len(of_runs), height, "share that is answered", "right of those")


def _of_shares(figure: go.Figure, n_runs: int, height: int, x: str, y: str) -> go.Figure:
    """Both axes as shares from 0 to 100 %, and a legend where there are several runs."""
    figure.update_layout(showlegend=n_runs > 1)
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(range=[0, 1], **ticks_of_shares(0.25))
    finish(figure, height + LEGEND_ROW * max(0, n_runs - 2), x, y)
    return figure.update_layout(margin_r=LAST_TICK)
