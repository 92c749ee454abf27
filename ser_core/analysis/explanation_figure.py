"""An explanation drawn over the mel spectrogram of its recording: orange spoke for the emotion, blue against it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ser_core.analysis.explanation import Explanation
from ser_core.analysis.figures import MARGIN, hertz_axis, thin
from ser_core.audio import SAMPLE_RATE
from ser_core.features.config import FeatureConfig
from ser_core.features.filterbanks import mel_frequencies
from ser_core.features.mel import log_mel

FOR, AGAINST = "242, 142, 43", "58, 134, 255"
OVERLAY = [
    [0, f"rgba({AGAINST}, 0.9)"],
    [0.5, f"rgba({AGAINST}, 0)"],
    [0.5, f"rgba({FOR}, 0)"],
    [1, f"rgba({FOR}, 0.9)"],
]
DIVERGING = [[0, f"rgb({AGAINST})"], [0.5, "rgb(32, 33, 42)"], [1, f"rgb({FOR})"]]
GREYS = [[0, "rgb(16, 16, 22)"], [1, "rgb(215, 215, 222)"]]
MAX_COLUMNS = 600
COLUMN_SECONDS = 0.01
BAR_SECONDS = 0.1
LEAST_LOST = 0.05  # of occlusion: when less is lost everywhere, nothing is drawn in full colour
STRONGEST = 98.0  # percent of the values that aren't brighter than the brightest colour
AROUND_SECONDS = 1.0  # shown around a part of a long recording
ROW_HEIGHT, NAME_HEIGHT, BARS_HEIGHT = 220, 13, 90  # pixels


def explanation_figure(audio: np.ndarray, explanation: Explanation) -> go.Figure:
    """The mel spectrogram of a recording with what spoke for an emotion, over one axis of time.

    Mel bands, or times alone, are coloured in the spectrogram; spectral features have rows of their own below it. At
    the bottom stands what each tenth of a second adds up to. The recording's pauses have no colour.

    Args:
        audio: float32 `[samples]` at 16 kHz: the whole recording.
        explanation: of its speech.
    """
    features, n_names = FeatureConfig(), len(explanation.names)
    heights = [ROW_HEIGHT, *([NAME_HEIGHT * n_names] if n_names else []), BARS_HEIGHT]
    total = sum(heights)
    figure = make_subplots(
        len(heights),
        1,
        shared_xaxes=True,
        vertical_spacing=0.03,
        row_heights=[height / total for height in heights],
    )
    bands = mel_frequencies(features.n_mels, features.fmax)
    mel, stretch = thin(log_mel(audio))
    seconds = np.arange(mel.shape[1]) * stretch * features.mel_hop_length / SAMPLE_RATE
    grey = {"colorscale": GREYS, "showscale": False, "hoverinfo": "skip", "zmin": -80, "zmax": 0}
    figure.add_trace(go.Heatmap(z=np.round(mel), x=seconds, **grey), 1, 1)

    columns, values = _columns(explanation)
    top = _strongest(explanation)
    if n_names:
        rows: dict = {"y": list(explanation.names), "colorscale": DIVERGING}
        hover = "%{y} at %{x:.2f} s: %{z:.3f}<extra></extra>"
    elif explanation.hertz is not None:
        hertz = np.broadcast_to(np.round(explanation.hertz)[:, None], values.shape)
        rows = {"y": np.interp(explanation.hertz, bands, np.arange(len(bands))), "customdata": hertz}
        hover = "%{x:.2f} s, %{customdata} Hz: %{z:.3f}<extra></extra>"
    else:
        values = np.broadcast_to(values, (2, len(columns)))
        rows = {"y": [len(bands) / 4 - 0.5, len(bands) * 3 / 4 - 0.5], "customdata": np.round(100 * values, 1)}
        hover = "%{x:.2f} s: %{customdata} points<extra></extra>"
    overlay = {"zmin": -top, "zmax": top, "colorscale": OVERLAY, "showscale": False, "hovertemplate": hover} | rows
    figure.add_trace(go.Heatmap(z=values.round(4), x=columns, **overlay), 2 if n_names else 1, 1)

    times, sums = moments(explanation)
    colours = np.where(sums > 0, f"rgb({FOR})", f"rgb({AGAINST})")
    bars = {"width": 0.9 * BAR_SECONDS, "marker": {"color": colours, "line": {"width": 0}}}
    share = explanation.values.ndim == 1
    hover = "%{x:.2f} s: %{y:.1f} points<extra></extra>" if share else "%{x:.2f} s: %{y:.3f}<extra></extra>"
    figure.add_trace(go.Bar(x=times, y=100 * sums if share else sums, hovertemplate=hover, **bars), len(heights), 1)

    hertz_axis(figure, bands, ROW_HEIGHT, row=1, col=1)
    if n_names:
        figure.update_yaxes(autorange="reversed", dtick=1, row=2, col=1)
    title = "points" if share else None
    figure.update_yaxes(title=title, showticklabels=share, nticks=4, zeroline=True, row=len(heights), col=1)
    figure.update_xaxes(range=_shown(audio, explanation), zeroline=False)
    figure.update_xaxes(title="time (s)", row=len(heights), col=1)
    figure.update_yaxes(automargin=True)
    return figure.update_layout(height=total + 60, margin=MARGIN, showlegend=False, bargap=0)


def moments(explanation: Explanation) -> tuple[np.ndarray, np.ndarray]:
    """Seconds in the recording of each tenth of a second, and what it adds up to: both `[moments]`."""
    times, over_time = explanation.times, explanation.over_time
    if explanation.values.ndim == 1:
        return times, over_time
    spoken = float(np.diff(explanation.kept).sum())
    group = max(1, round(BAR_SECONDS * len(times) / spoken))
    starts = np.arange(0, len(times), group)
    sizes = np.diff(np.append(starts, len(times)))
    return np.add.reduceat(times, starts) / sizes, np.add.reduceat(over_time, starts)


def _columns(explanation: Explanation) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced seconds in the recording, and the values there."""
    start, end = explanation.kept[0, 0], explanation.kept[-1, 1]
    column = max(COLUMN_SECONDS, (end - start) / MAX_COLUMNS)
    seconds = np.arange(start, end, column) + column / 2
    return seconds, explanation.on(seconds)


def _strongest(explanation: Explanation) -> float:
    """The value that has the brightest colour."""
    sizes = np.abs(explanation.values)
    if explanation.method == "occlusion":
        return max(LEAST_LOST, float(sizes.max()))
    return float(np.percentile(sizes, STRONGEST)) or 1.0


def _shown(audio: np.ndarray, explanation: Explanation) -> tuple[float, float]:
    """Seconds from and to which the recording is shown at first: all of it, or around the part that is explained."""
    end = len(audio) / SAMPLE_RATE
    if explanation.whole:
        return 0.0, end
    first, last = float(explanation.kept[0, 0]), float(explanation.kept[-1, 1])
    return max(0.0, first - AROUND_SECONDS), min(end, last + AROUND_SECONDS)
