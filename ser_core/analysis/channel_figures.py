"""Spectral channels as a network gets them, and one of them over time in its own unit."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from ser_core.analysis.colors import ACCENT
from ser_core.analysis.figures import finish, spectral_figure, thin
from ser_core.audio import SAMPLE_RATE
from ser_core.features.config import FeatureConfig
from ser_core.features.spectral import fix_frames


def network_figure(features: np.ndarray, config: FeatureConfig = FeatureConfig(), *, height: int = 520) -> go.Figure:
    """Channels `[27, frames]` cut or zero-padded as a network gets them, the padding named.

    Each channel is on its own scale, in which the zeros are: zero is no silence, but a value as any other.
    """
    figure = spectral_figure(fix_frames(features, config.n_frames), config, height=height)
    frames = features.shape[1]
    if frames < config.n_frames:
        start, end = (frame * config.hop_length / SAMPLE_RATE for frame in (frames - 0.5, config.n_frames - 0.5))
        figure.add_shape(
            type="line", x0=start, x1=start, y0=0, y1=1, yref="y domain", line={"color": "white", "width": 2}
        )
        figure.add_annotation(
            x=(start + end) / 2, y=1, yref="y domain", yanchor="bottom", text="zeros", showarrow=False
        )
        figure.update_layout(margin={"t": 24})
    return figure


def fitting(frames: int, config: FeatureConfig = FeatureConfig()) -> str:
    """A sentence on what is done to so many frames, that they are as many as a network takes."""
    hop, wanted = config.hop_length / SAMPLE_RATE, config.n_frames
    takes = f"The 1D CNN takes {len(config.channel_names)} × {wanted}, {(wanted - 1) * hop:.2g} s."
    if frames == wanted:
        return f"{takes} This speech has just as many frames."
    if frames > wanted:
        return f"{takes} This speech has {frames} frames: the last {(frames - wanted) * hop:.2f} s are cut off."
    return f"{takes} This speech has {frames} frames: {(wanted - frames) * hop:.2f} s of zeros follow it."


def channel_figure(
    values: np.ndarray, unit: str, config: FeatureConfig, span: tuple[float, float], *, height: int = 200
) -> go.Figure:
    """One channel `[frames]` over time, in its unit, on a scale that others share: from and to `span`."""
    drawn, stretch = thin(values[None])
    figure = go.Figure(
        go.Scatter(
            x=np.arange(drawn.shape[1]) * stretch * config.hop_length / SAMPLE_RATE,
            y=drawn[0],
            line={"color": ACCENT, "width": 1.5},
            hovertemplate="%{x:.2f} s: %{y:.3g}<extra></extra>",
        )
    )
    margin = 0.05 * (span[1] - span[0]) or 1
    figure.update_yaxes(range=[span[0] - margin, span[1] + margin])
    return finish(figure, height, "time (s)", unit)
