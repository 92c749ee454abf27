"""Plotly figures from plain arrays; nothing here knows about the app.

Time is in seconds and frequency in hertz on every axis. Colours hold on light and dark backgrounds.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.colors
import plotly.graph_objects as go

from ser_core.analysis.colors import ACCENT, EMOTION_COLORS, patterns, series_colors
from ser_core.audio import SAMPLE_RATE
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.filterbanks import mel_frequencies
from ser_core.features.whisper import HOP_LENGTH
from ser_core.words import percent

SPEECH_SHADE = "rgba(84, 112, 214, 0.18)"
MAX_POINTS = 2_000  # drawn per waveform: more than a screen has pixels
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}
LAST_TICK = 40  # pixels to the right of a plot for half of `100 %`, or for what is written behind a full bar
HERTZ_TICKS = (500, 1000, 2000, 4000)
COMPACT_HEIGHT = 200  # pixels; below this a figure has room for its data only
WRITTEN_SIZE = 12  # pixels: without a size, Plotly shrinks the letters of all cells until the longest fits
WRITTEN: dict[str, Any] = {
    "colorscale": [[0, "#f3f8fd"], [1, "#4a94d0"]],
    "textfont": {"color": "#10202f", "size": WRITTEN_SIZE},
    "showscale": False,
}
"""Of heatmaps whose cells say their values: in all of its colours, the letters have a contrast of 4.5:1 or more."""
WRITTEN_IN_DARK: dict[str, Any] = {
    "colorscale": [[0, "#1d2530"], [1, "#2f6fae"]],
    "textfont": {"color": "#f2f6fa", "size": WRITTEN_SIZE},
}
# Magma, but for its first colour: "#000004" is one that Streamlit's theme replaces by a colour of its own.
MAGMA = ["#010005", *plotly.colors.sequential.Magma[1:]]


def waveform_figure(
    audio: np.ndarray,
    intervals: np.ndarray | None = None,
    *,
    height: int = 180,
    unit: str = "amplitude",
) -> go.Figure:
    """Waveform `[samples]` at 16 kHz over time, with the speech `intervals` `[n, 2]` shaded."""
    times, low, high = envelope(audio)
    figure = go.Figure(
        go.Scatter(
            x=np.concatenate((times, times[::-1])),
            y=np.concatenate((high, low[::-1])),
            fill="toself",
            line={"width": 0.6, "color": ACCENT},
            hoverinfo="skip",
        )
    )
    # All at once: `add_vrect` takes longer with each one, and a recording of minutes has hundreds.
    shade = {"type": "rect", "yref": "y domain", "y0": 0, "y1": 1, "fillcolor": SPEECH_SHADE, "layer": "below"}
    spoken = intervals / SAMPLE_RATE if intervals is not None else ()
    figure.update_layout(shapes=[{**shade, "x0": start, "x1": end, "line": {"width": 0}} for start, end in spoken])
    figure.update_yaxes(exponentformat="none")  # of a quiet recording 0.0005, not 500µ
    return finish(figure, height, "time (s)", unit)


def envelope(audio: np.ndarray, max_points: int = MAX_POINTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times in seconds, and the lowest and highest sample of each of at most so many stretches."""
    stretch = max(1, -(-len(audio) // max_points))
    padded = np.pad(audio, (0, -len(audio) % stretch), mode="edge") if len(audio) else np.zeros(stretch, np.float32)
    blocks = padded.reshape(-1, stretch)
    return np.arange(len(blocks)) * stretch / SAMPLE_RATE, blocks.min(axis=1), blocks.max(axis=1)


def log_mel_figure(
    log_mel_db: np.ndarray, config: FeatureConfig = FeatureConfig(), *, height: int = 260, colorbar: bool = True
) -> go.Figure:
    """Mel spectrogram `[n_mels, frames]` in dB over seconds and hertz."""
    log_mel_db, stretch = thin(log_mel_db)
    seconds = np.arange(log_mel_db.shape[1]) * stretch * config.mel_hop_length / SAMPLE_RATE
    bands = mel_frequencies(config.n_mels, config.fmax)
    figure = go.Figure(
        go.Heatmap(
            z=np.round(log_mel_db, 1),
            x=seconds,
            customdata=np.broadcast_to(np.round(bands)[:, None], log_mel_db.shape),
            zmin=-80,
            zmax=0,
            colorscale=MAGMA,
            showscale=colorbar,
            colorbar={"title": "dB", "thickness": 10, "outlinewidth": 0},
            hovertemplate="%{x:.2f} s, %{customdata} Hz: %{z} dB<extra></extra>",
        )
    )
    hertz_axis(figure, bands, height)
    return finish(figure, height, "time (s)", "frequency (Hz)")


def hertz_axis(figure: go.Figure, bands: np.ndarray, height: int, **where: int) -> None:
    """Label rows that are mel bands, with their centres in Hz, `[bands]`; `where` is a row and column of subplots."""
    ticks = [hertz for hertz in HERTZ_TICKS[:: 1 if height > COMPACT_HEIGHT else 2] if hertz <= bands[-1]]
    figure.update_yaxes(
        tickvals=np.interp(ticks, bands, np.arange(len(bands))), ticktext=[_hertz(hertz) for hertz in ticks], **where
    )


def thin(matrix: np.ndarray) -> tuple[np.ndarray, int]:
    """`[rows, columns]` averaged to at most 2,000 columns, and how many columns became one."""
    stretch = -(-matrix.shape[1] // MAX_POINTS)
    if stretch <= 1:
        return matrix, 1
    padded = np.pad(matrix, ((0, 0), (0, -matrix.shape[1] % stretch)), mode="edge")
    return padded.reshape(len(matrix), -1, stretch).mean(axis=2), stretch


def mel_image_figure(image: np.ndarray, *, height: int = 320) -> go.Figure:
    """The image `[size, size]` in 0..1 that the 2D CNN gets, pixel by pixel."""
    figure = go.Figure(
        go.Heatmap(
            z=np.round(image, 3),
            zmin=0,
            zmax=1,
            colorscale=MAGMA,
            colorbar={"thickness": 10, "outlinewidth": 0},
            hovertemplate="column %{x}, band %{y}: %{z}<extra></extra>",
        )
    )
    figure.update_yaxes(scaleanchor="x", constrain="domain")
    figure.update_xaxes(constrain="domain")
    return finish(figure, height, "column (time, whole clip)", "mel band")


def whisper_figure(log_mel: np.ndarray, *, height: int = 320) -> go.Figure:
    """What a Whisper encoder gets of a clip, `[80, frames]`, in dB below its loudest value over time."""
    log_mel, stretch = thin(log_mel)
    decibels = 40 * (log_mel - log_mel.max())  # a quarter of a tenfold power is 1 there
    figure = go.Figure(
        go.Heatmap(
            z=np.round(decibels, 1),
            x=np.arange(log_mel.shape[1]) * stretch * HOP_LENGTH / SAMPLE_RATE,
            colorscale=MAGMA,
            colorbar={"thickness": 10, "outlinewidth": 0, "ticksuffix": " dB"},
            hovertemplate="%{x:.2f} s, band %{y}: %{z} dB<extra></extra>",
        )
    )
    return finish(figure, height, "time (s)", "mel band")


def probability_figure(probabilities: Mapping[str, Mapping[str, float]], *, height: int = 260) -> go.Figure:
    """Bars per emotion for one or several sources (models, raters): shares in 0..1 by source and emotion."""
    figure = go.Figure()
    names = [f"{EMOTION_NAMES[e]}" for e in EMOTIONS]
    colors, single = series_colors(probabilities), len(probabilities) == 1
    for (source, shares), pattern in zip(probabilities.items(), patterns(colors.values()), strict=True):
        figure.add_bar(
            y=names,
            x=[shares[e] for e in EMOTIONS],
            name=plain(source),
            orientation="h",
            marker={
                "color": [EMOTION_COLORS[e] for e in EMOTIONS] if single else colors[source],
                "pattern": {"shape": pattern},
            },
            text=[percent(shares[e], 0) for e in EMOTIONS] if single else None,
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra>" + plain(source) + "</extra>",
        )
    figure.update_layout(barmode="group", showlegend=len(probabilities) > 1)
    figure.update_yaxes(autorange="reversed")
    finish(figure, height, "", "")
    figure.update_xaxes(range=[0, 1], **ticks_of_shares(0.25))
    return figure.update_layout(margin_r=LAST_TICK)


def spectral_figure(features: np.ndarray, config: FeatureConfig = FeatureConfig(), *, height: int = 520) -> go.Figure:
    """All spectral channels `[27, frames]` over time, each scaled to its own range and named."""
    features, stretch = thin(features)
    low, high = features.min(axis=1, keepdims=True), features.max(axis=1, keepdims=True)
    scaled = (features - low) / np.where(high > low, high - low, 1)
    figure = go.Figure(
        go.Heatmap(
            z=np.round(scaled, 3),
            x=np.arange(features.shape[1]) * stretch * config.hop_length / SAMPLE_RATE,
            y=config.channel_names,
            customdata=np.round(features, 3),
            colorscale="Viridis",
            showscale=False,
            hovertemplate="%{y} at %{x:.2f} s: %{customdata}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", dtick=1)
    return finish(figure, height, "time (s)", "")


SELECTABLE = "selectable"
"""`meta` of a trace that shows nothing of its own, but makes the cells of a heatmap selectable."""


def plain(name: str) -> str:
    """A name from outside as text in a figure, where tags of HTML and `%{…}` would mean something."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace("%{", "%&#123;")


def _said(value: Any) -> Any:
    """What a label of a figure says, without what `plain` and figures put into it."""
    return html.unescape(value.replace("<br>", " ")) if isinstance(value, str) else value


def figure_rows(figure: go.Figure) -> list[dict[str, Any]]:
    """The numbers of a figure as rows: `series`, `x`, `y`, `value` of heatmaps, `low` and `high` of intervals."""
    rows = []
    for trace in figure.data:
        if trace.meta == SELECTABLE:
            continue
        series = {"series": _said(trace.name or "")}
        if isinstance(trace, go.Heatmap):
            rows += [
                series | {"x": _said(x), "y": _said(y), "value": value}
                for y, values in zip(_places(trace.y, len(trace.z)), trace.z, strict=True)
                for x, value in zip(_places(trace.x, len(values)), values, strict=True)
            ]
            continue
        points = [series | {"x": _said(x), "y": _said(y)} for x, y in zip(trace.x, trace.y, strict=True)]
        for values, error in ((trace.x, trace.error_x), (trace.y, trace.error_y)):
            if error.array is not None:
                for point, value, above, below in zip(points, values, error.array, error.arrayminus, strict=True):
                    point |= {"low": value - below, "high": value + above}
        rows += points
    return rows


def ticks_of_shares(step: float) -> dict[str, Any]:
    """Ticks of an axis of shares, every so much of 1: `25 %`, as everywhere else and not `25%`."""
    values = np.arange(0, 1 + step / 2, step)
    return {"tickvals": values, "ticktext": [percent(value, 0) for value in values]}


def in_dark(figure: go.Figure) -> go.Figure:
    """The same figure for a dark background, where heatmaps that say their values would be lamps."""
    return figure.for_each_trace(
        lambda trace: trace.update(WRITTEN_IN_DARK) if trace.texttemplate else None, {"type": "heatmap"}
    )


def _places(given: Sequence[Any] | None, n: int) -> Sequence[Any]:
    """Of the rows or columns of a heatmap: their numbers where none are given."""
    return range(n) if given is None else given


def finish(figure: go.Figure, height: int, x_title: str, y_title: str) -> go.Figure:
    """Height in pixels, titles of the axes (none where there is no room) and what all figures have in common."""
    layout: dict[str, Any] = {"height": height, "margin": MARGIN, "showlegend": figure.layout.showlegend or False}
    figure.update_layout(**layout, legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0})
    titled = height > COMPACT_HEIGHT - 50
    figure.update_xaxes(title=x_title if titled else None, zeroline=False)
    figure.update_yaxes(title=y_title if titled else None, zeroline=False, automargin=True)
    return figure


def _hertz(frequency: float) -> str:
    return f"{frequency / 1000:g}k" if frequency >= 1000 else f"{frequency:g}"
