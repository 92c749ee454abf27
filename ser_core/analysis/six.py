"""The same actor and sentence in all six emotions: on common scales, and one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from ser_core.analysis.colors import EMOTION_COLORS
from ser_core.analysis.figures import envelope, finish
from ser_core.audio import SAMPLE_RATE
from ser_core.corpus.clips import Clip, load_index
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.mel import log_mel

HOP_LENGTH = FeatureConfig.mel_hop_length
GAP_SAMPLES = 32 * HOP_LENGTH
"""Silence between two sounds, about half a second; whole frames of a mel spectrogram, as everything here."""


def versions_of(clip: Clip) -> dict[str, Clip]:
    """By emotion, what the actor of a clip recorded of its sentence: in the clip's intensity, where there is one."""
    same = [one for one in load_index().values() if (one.actor, one.sentence) == (clip.actor, clip.sentence)]
    same.sort(key=lambda one: one.intensity != clip.intensity)
    return {emotion: found[0] for emotion in EMOTIONS if (found := [one for one in same if one.emotion == emotion])}


class InTurn(NamedTuple):
    """Sounds one after another.

    Attributes:
        audio: float32 `[samples]` at 16 kHz, silence between them.
        spans: by emotion, the half-open sample interval of its sound in `audio`.
    """

    audio: np.ndarray
    spans: dict[str, tuple[int, int]]


def in_turn(sounds: Mapping[str, np.ndarray]) -> InTurn:
    """Join sounds by emotion, float32 `[samples]` at 16 kHz each, in their order; there is one or more."""
    pieces, spans, position = [], {}, 0
    for emotion, sound in sounds.items():
        silence = np.zeros(-len(sound) % HOP_LENGTH + GAP_SAMPLES, np.float32)
        spans[emotion] = position, position + len(sound)
        pieces += [sound, silence]
        position += len(sound) + len(silence)
    return InTurn(np.concatenate(pieces[:-1]), spans)


def comparable_log_mels(joined: InTurn) -> dict[str, np.ndarray]:
    """By emotion, `log_mel` in dB below the loudest value of all, not of each: a quiet one stays quiet."""
    all_of_them = log_mel(joined.audio)
    return {
        emotion: all_of_them[:, start // HOP_LENGTH : 1 + end // HOP_LENGTH]
        for emotion, (start, end) in joined.spans.items()
    }


def in_turn_figure(joined: InTurn, *, height: int = 150) -> go.Figure:
    """The waveforms one after another, each named, in its emotion's colour."""
    figure = go.Figure()
    for emotion, (start, end) in joined.spans.items():
        times, low, high = envelope(joined.audio[start:end], max_points=600)
        times = times + start / SAMPLE_RATE
        figure.add_scatter(
            x=np.concatenate((times, times[::-1])),
            y=np.concatenate((high, low[::-1])),
            name=EMOTION_NAMES[emotion],
            fill="toself",
            line={"width": 0.6, "color": EMOTION_COLORS[emotion]},
            hoverinfo="skip",
        )
        middle = (start + end) / 2 / SAMPLE_RATE
        figure.add_annotation(
            x=middle, y=1, yref="y domain", yanchor="bottom", text=EMOTION_NAMES[emotion], showarrow=False
        )
    finish(figure, height, "time (s)", "")
    return figure.update_layout(margin={"t": 24})
