"""Plotly figures of groups of clips: accuracy in each, and the model's uncertainty over that of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ser_core.analysis.colors import ACCENT, GUIDE
from ser_core.analysis.figures import finish, ticks_of_shares
from ser_core.analysis.groups import GroupAccuracy
from ser_core.analysis.raters import Bin

MANY_GROUPS = 20
"""More groups than these have no room for their names."""


def groups_figure(
    groups: Sequence[GroupAccuracy], overall: float, apart: Mapping[str, bool] = {}, *, height: int = 360
) -> go.Figure:
    """Accuracy of each group of clips with its interval, beside the accuracy over all clips.

    Each mark's `customdata` begins with its group. Many groups, as all actors, stand beside each other from the lowest
    to the highest, without their names.

    Args:
        apart: by group, whether its mark is filled; without it, all are.
    """
    many = len(groups) > MANY_GROUPS
    shown = sorted(groups, key=lambda group: group.accuracy) if many else groups
    values = [group.accuracy for group in shown]
    names = [group.group if many else f"{group.group} ({group.clips:,})" for group in shown]
    bars = {
        "array": [group.high - group.accuracy for group in shown],
        "arrayminus": [group.accuracy - group.low for group in shown],
        "thickness": 1 if many else 1.5,
    }
    open_or_filled = ["circle" if apart.get(group.group, not apart) else "circle-open" for group in shown]
    figure = go.Figure(
        go.Scatter(
            x=names if many else values,
            y=values if many else names,
            error_x=None if many else bars,
            error_y=bars if many else None,
            customdata=[[group.group, group.accuracy, group.low, group.high, group.clips] for group in shown],
            mode="markers",
            marker={"size": 7 if many else 10, "color": ACCENT, "symbol": open_or_filled},
            hovertemplate="%{customdata[0]}: %{customdata[1]:.1%} (%{customdata[2]:.1%} to %{customdata[3]:.1%}) of "
            "%{customdata[4]:,} clips<extra></extra>",
        )
    )
    (figure.add_hline if many else figure.add_vline)(overall, line={"dash": "dot", "width": 1, "color": GUIDE})
    figure.update_layout(clickmode="event+select")
    if many:
        figure.update_xaxes(type="category", showticklabels=False, showgrid=False)
        figure.update_yaxes(**ticks_of_shares(0.1))
        return finish(figure, height, "from the lowest to the highest", "accuracy")
    figure.update_xaxes(**ticks_of_shares(0.1))
    figure.update_yaxes(autorange="reversed", type="category")
    return finish(figure, 90 + 30 * len(groups), "accuracy", "")


def uncertainty_figure(bins: Sequence[Bin], *, height: int = 300) -> go.Figure:
    """The model's mean entropy over that of people's votes, with intervals; `customdata` begins with `bin_label`."""
    figure = go.Figure(
        go.Scatter(
            x=[f"{b.start:.1f} to {b.end:.1f}" for b in bins],
            y=[b.mean for b in bins],
            customdata=[[bin_label(b), b.clips] for b in bins],
            error_y={
                "array": [b.high - b.mean for b in bins],
                "arrayminus": [b.mean - b.low for b in bins],
                "thickness": 1.5,
            },
            mode="lines+markers",
            line={"color": ACCENT, "width": 1},
            marker={"size": 9},
            hovertemplate="people %{x} bits: model %{y:.2f} bits (%{customdata[1]:,} clips)<extra></extra>",
        )
    )
    figure.update_layout(clickmode="event+select")
    figure.update_yaxes(rangemode="tozero")
    return finish(figure, height, "people's entropy (bits)", "model's entropy (bits)")


def bin_label(one: Bin) -> str:
    """What a bin is called: `0.5 to 1.0 bits`."""
    return f"{one.start:.1f} to {one.end:.1f} bits"
