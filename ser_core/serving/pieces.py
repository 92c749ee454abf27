"""Speech that is longer than the clips a model knows is classified in pieces, and the answer is their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.serving.prediction import HOP_SECONDS, WINDOW_SECONDS, window_spans

T = TypeVar("T")

LONGEST_CLIP_SECONDS = 6.0  # of speech classified as a whole; CREMA-D's longest recording lasts 5 s
SHORT_SECONDS = 0.7  # of speech, about two syllables: an answer to less is worth a warning
BATCH_SIZE = 32


def pieces(waveform: np.ndarray, hop_seconds: float = HOP_SECONDS) -> list[np.ndarray]:
    """Speech as it is classified: as a whole, or in windows if it is long."""
    return [waveform[start:end] for start, end in piece_spans(len(waveform), hop_seconds)]


def piece_spans(n_samples: int, hop_seconds: float = HOP_SECONDS) -> list[tuple[int, int]]:
    """Half-open sample spans of those pieces, of so many samples of speech."""
    if n_samples <= LONGEST_CLIP_SECONDS * SAMPLE_RATE:
        return [(0, n_samples)]
    return window_spans(n_samples, WINDOW_SECONDS, hop_seconds)


def batches(items: Sequence[T]) -> list[Sequence[T]]:
    """Waveforms, or where they lie, as a network gets them at a time."""
    return [items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE)]


def is_short(seconds: float) -> list[str]:
    """The warning that a whole recording holds too little speech to tell an emotion by, if it does.

    Of a window, or of an utterance that has just begun, it isn't said: there is more to come.
    """
    if seconds >= SHORT_SECONDS:
        return []
    return [f"Only {seconds:.1f} s of speech was found: the answer is little more than a guess."]


def warned_if_short(speech: Speech) -> Speech:
    """All speech of a recording, with `is_short` among its warnings."""
    return replace(speech, warnings=(*speech.warnings, *is_short(speech.seconds)))


def is_average(seconds: float, n_windows: int) -> list[str]:
    """The warning that a prediction is an average, if it is one."""
    if n_windows == 1:
        return []
    return [
        f"{seconds:.0f} s of speech are longer than the clips this model knows: "
        f"this is the average over {n_windows} windows of {WINDOW_SECONDS:g} s."
    ]
