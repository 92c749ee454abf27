"""Sounds tied to their pictures, in the browser alone: nothing is sent to the server while a sound plays.

A line moves over every picture of a sound as it plays, a click into a picture goes there, the space bar plays and
stops, arrow keys go a second back and on, and a sound that starts stops the others (`player.js`). The players are the
browser's own, and the pictures Plotly's: without JavaScript's help both work as ever.

A picture belongs to the last sound before it on the page. Only pictures over the time of that sound are tied: of the
whole recording (waveform, mel spectrogram, explanation, timeline), of a part of it, or of the speech in it, in which
the line rests while the sound pauses. What a network gets is cut, padded or resized: those pictures have no line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.mono import PART_SECONDS

HINT = """
<p class="fine">Click a picture to hear from there. <kbd>Space</kbd> plays and stops, <kbd>←</kbd> <kbd>→</kbd> go
1 s.</p>
<p class="coarse">Tap a picture to hear from there.</p>
"""
CSS = """
p { margin: 0; font: 0.875rem var(--st-font); color: var(--st-text-color); opacity: 0.8; }
kbd { font: 0.8em var(--st-code-font); border: 1px solid currentColor; border-radius: 0.25em; padding: 0 0.3em; }
.coarse { display: none; }
@media (hover: none) { .fine { display: none; } .coarse { display: block; } }
"""
ALL_OF_IT = ((0.0, 1e9),)
SAME = 1e-4  # of full scale: nothing that anybody hears

_player = st.components.v2.component(
    "sound_and_pictures", html=HINT, css=CSS, js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


def tie_pictures() -> None:
    """Tie the sounds of this page to their pictures, and say here how: once a page, below its first player."""
    _player(key="player")


def tied(figure: go.Figure, kept: np.ndarray | None = None) -> go.Figure:
    """Mark a figure over time, so that it goes with the sound before it.

    Args:
        figure: whose first axis is seconds, or a date that begins with the sound.
        kept: `[n, 2]`, seconds of the sound that the figure shows one after another; None for all of it.
    """
    return figure.update_layout(meta={"kept": ALL_OF_IT if kept is None else np.round(kept, 4).tolist()})


def start_of(part: np.ndarray, audio: np.ndarray) -> float:
    """Seconds of a recording after which a part of it begins, as `Predictor` reads it: every so many minutes.

    Args:
        part: `[samples]` at 16 kHz, from which a constant may have been taken.
        audio: `[samples]` at 16 kHz, of which it is a part; else it is taken to begin at 0.
    """
    for start in range(0, len(audio), PART_SECONDS * SAMPLE_RATE):
        there = audio[start : start + len(part)]
        if len(there) == len(part) > 0 and np.ptp(there - part) < SAME:
            return start / SAMPLE_RATE
    return 0.0
