"""Loudness, pitch and voicing over time, as a network is given them, in units that people know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ser_core.analysis.colors import ACCENT
from ser_core.analysis.figures import MAX_POINTS, finish
from ser_core.audio import SAMPLE_RATE
from ser_core.features.config import FeatureConfig
from ser_core.features.contours import CONTOURS, LOUDNESS_UNIT_DB, has_pitch

SEMITONES = 12  # of an octave
AXES = {"loudness": "dB", "pitch": "semitones", "voicing": "0 to 1"}
ROW_HEIGHT = 120  # pixels
GAP = 12  # pixels between rows


def contours_figure(contours: np.ndarray, config: FeatureConfig, names: Sequence[str] = CONTOURS) -> go.Figure:
    """Contours over time, a row each.

    Loudness is in dB over the clip's active level, and pitch in semitones over the clip's median, where there is one.

    Args:
        contours: float32 `[3, frames]`, see `ser_core.features.contours`.
        config: they were computed with.
        names: which of `CONTOURS` to draw, at least one.
    """
    loudness, pitch, voicing = contours
    values = {
        "loudness": LOUDNESS_UNIT_DB * loudness,
        "pitch": np.where(has_pitch(voicing, path=config.pitch_path), SEMITONES * pitch, np.nan),
        "voicing": voicing,
    }
    height = ROW_HEIGHT * len(names) + 50
    figure = make_subplots(len(names), 1, shared_xaxes=True, vertical_spacing=GAP / height)
    for row, name in enumerate(names, start=1):
        stretch = -(-len(loudness) // MAX_POINTS)
        drawn = values[name][::stretch]  # means of voiced and unvoiced frames would be neither
        figure.add_scatter(
            x=np.arange(len(drawn)) * stretch * config.mel_hop_length / SAMPLE_RATE,
            y=np.round(drawn, 2),
            name=name,
            mode="lines+markers",  # a frame between gaps is a point
            line={"color": ACCENT, "width": 1.5},
            marker={"size": 2},
            hovertemplate=f"%{{x:.2f}} s: {name} %{{y}}<extra></extra>",
            row=row,
            col=1,
        )
    finish(figure, height, "", "")
    for row, name in enumerate(names, start=1):
        figure.update_yaxes(title=f"{name}<br>({AXES[name]})", row=row, col=1)
    return figure.update_xaxes(title="time (s)", row=len(names), col=1)
