"""Accuracy of checkpoints over what they cost, with names that stand beside their marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ser_core.analysis.colors import ACCENT
from ser_core.analysis.figures import finish, plain

PHONE_PLOT = (290, 290)  # pixels between the axes of a figure on a phone
LETTER = (7, 14)  # pixels


def cost_figure(rows: Sequence[Mapping[str, Any]], cost: str, *, height: int = 360) -> go.Figure:
    """Accuracy of checkpoints over what they cost.

    Args:
        rows: one a checkpoint: `checkpoint`, `network`, `accuracy` in percent, `parameters`, `megabytes`,
            `milliseconds`.
        cost: the key that is drawn to the right, on a logarithmic scale.
    """
    largest = max((row["parameters"] or 1 for row in rows), default=1)
    sizes = [10 + 40 * ((row["parameters"] or 1) / largest) ** 0.5 for row in rows]
    costs, values = [row[cost] for row in rows], [row["accuracy"] for row in rows]
    # Room for the names, which are written around the marks.
    x_range = [np.log10(min(costs, default=1) / 3), np.log10(max(costs, default=1) * 3)]
    y_range = [min(values, default=0) - 5, max(values, default=0) + 6]
    figure = go.Figure(
        go.Scatter(
            x=costs,
            y=values,
            text=[plain(row["network"]) for row in rows],
            customdata=[[row["parameters"] or 0, row["megabytes"], plain(row["checkpoint"])] for row in rows],
            mode="markers+text",
            textposition=_beside([row["network"] for row in rows], np.log10(costs), values, sizes, x_range, y_range),
            cliponaxis=False,
            marker={"size": sizes, "color": ACCENT},
            hovertemplate="%{customdata[2]}: %{y:.1f} %, %{x:.1f}, %{customdata[0]:,} parameters, "
            "%{customdata[1]:.1f} MB<extra></extra>",
        )
    )
    figure.update_xaxes(type="log", range=x_range, dtick=1)
    figure.update_yaxes(range=y_range)
    unit = "milliseconds for 3 s of audio, one core" if cost == "milliseconds" else "megabytes of weights"
    return finish(figure, height, unit, "test accuracy (%)")


def _beside(
    names: Sequence[str],
    x: np.ndarray,
    y: Sequence[float],
    sizes: Sequence[float],
    x_range: Sequence[float],
    y_range: Sequence[float],
) -> list[str]:
    """Where each name stands beside its mark, so that it covers as little as can be, on a phone's screen.

    Args:
        names, x, y: of marks; sizes: their diameters in pixels.
        x_range, y_range: what the axes show.
    """
    across, up = (
        pixels * (np.asarray(values) - low) / (high - low)
        for pixels, values, (low, high) in zip(PHONE_PLOT, (x, y), (x_range, y_range), strict=True)
    )
    centers = list(zip(across.tolist(), up.tolist(), strict=True))
    taken = [_box(*center, size, size) for center, size in zip(centers, sizes, strict=True)]
    places = []
    for name, (center, middle), size in zip(names, centers, sizes, strict=True):
        width, height = LETTER[0] * len(name), LETTER[1]
        away, aside = (size + height) / 2, (size + width) / 2
        boxes = {
            "top center": _box(center, middle + away, width, height),
            "bottom center": _box(center, middle - away, width, height),
            "middle right": _box(center + aside, middle, width, height),
            "middle left": _box(center - aside, middle, width, height),
        }
        place = min(boxes, key=lambda one: sum(_common(boxes[one], other) for other in taken))
        taken.append(boxes[place])
        places.append(place)
    return places


def _box(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return x - width / 2, x + width / 2, y - height / 2, y + height / 2


def _common(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Area that two boxes share."""
    width = min(one[1], other[1]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[2], other[2])
    return max(width, 0.0) * max(height, 0.0)
