"""One spectral channel at a time, on Features: what it measures, and what it makes of sounds that everybody knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from ser_app.address import choose
from ser_app.charts import show_figure
from ser_app.clip_view import play
from ser_app.nearby import is_near
from ser_app.player import tied
from ser_app.sources import example_audio
from ser_core.analysis.channel_figures import channel_figure
from ser_core.audio.preprocess import AudioConfig, preprocess
from ser_core.audio.synthetic import PLAIN_SOUNDS
from ser_core.features.channels import Channel
from ser_core.features.config import FeatureConfig
from ser_core.features.spectral import spectral_features


@st.fragment
def show_channels(spectral: np.ndarray, audio: AudioConfig, features: FeatureConfig, title: str) -> None:
    """The section with its heading; what is below the heading is made when the visitor gets there.

    Args:
        spectral: the recording's channels, `[27, frames]`.
        audio: how it was prepared; the sounds beside it are prepared alike, but for their silence, which they have not.
        features: how they were computed.
        title: of the section.
    """
    st.header(title)
    if "channel" not in st.query_params and not is_near("channels"):
        return
    channels = features.channels
    names = [channel.name for channel in channels]
    position = names.index(choose(st.selectbox, "Channel", names, key="channel", width=300))
    channel = channels[position]
    st.markdown(f"**{channel.name}** · {channel.says}")
    st.caption(f"Unit: {channel.unit}. Source: {channel.source}.")
    compared = {name: _plain(name, audio, features)[position] for name in PLAIN_SOUNDS}
    lines = {"This recording": spectral[position]} | compared
    span = (min(float(line.min()) for line in lines.values()), max(float(line.max()) for line in lines.values()))
    _show_line("This recording", spectral[position], channel, features, span)
    for cell, (name, values) in zip(st.columns(len(compared)), compared.items(), strict=True):
        with cell:
            st.markdown(f"**{name}**")
            play(example_audio(name), name.lower())
            _show_line(name, values, channel, features, span)
            st.caption(PLAIN_SOUNDS[name].says)
    st.caption("All four are on one scale.")
    with st.expander(f"All {len(channels)} channels, a sentence each"):
        st.markdown("\n".join(f"- **{one.name}** ({one.unit}): {one.says}" for one in channels))


def _show_line(
    name: str, values: np.ndarray, channel: Channel, features: FeatureConfig, span: tuple[float, float]
) -> None:
    says = f"mean {values.mean():.3g}, from {values.min():.3g} to {values.max():.3g}"
    show_figure(
        tied(channel_figure(values, channel.unit, features, span)),
        f"channel-{name}",
        file=f"{channel.name} {name}",
        alt=f"{channel.name} of {name.lower()} over time: {says}",
    )


def _plain(name: str, audio: AudioConfig, features: FeatureConfig) -> np.ndarray:
    """The channels of a plain sound, all of it: `[27, frames]`."""
    return spectral_features(preprocess(example_audio(name), replace(audio, vad="none")).waveform, features)
