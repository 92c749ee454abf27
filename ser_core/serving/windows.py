"""What is heard in each window of a recording, of which no more than a part is in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.errors import NoSpeechError
from ser_core.serving.pieces import BATCH_SIZE
from ser_core.serving.prediction import Prediction, TimedPrediction, require_seconds
from ser_core.serving.progress import Heard, unheard


class Predicts(Protocol):
    """What a predictor does for windows, see `ser_core.serving.predictor.Predictor`."""

    def prepare(self, audio: np.ndarray) -> Speech: ...

    def classify_speeches(self, speeches: Sequence[Speech]) -> list[Prediction]: ...


def timed_predictions(
    predictor: Predicts,
    parts: Iterable[np.ndarray],
    window_seconds: float,
    hop_seconds: float,
    heard: Heard = unheard,
) -> Iterator[TimedPrediction]:
    """Classify overlapping windows of a recording.

    Args:
        parts: of it, float32 `[samples]` at 16 kHz, one after the other.
        window_seconds, hop_seconds: length of a window and from the start of one to the next, each 0.001 or more.
        heard: is told how many seconds were classified.

    Raises:
        ConfigError: one of them is out of its range.
    """
    require_seconds("window_seconds", window_seconds)
    require_seconds("hop_seconds", hop_seconds)
    windows = windows_of(parts, window_seconds, hop_seconds)
    while batch := list(itertools.islice(windows, BATCH_SIZE)):
        speeches = [_speech_or_none(predictor, samples) for _, samples in batch]
        predictions = iter(predictor.classify_speeches([speech for speech in speeches if speech]))
        for (start, samples), speech in zip(batch, speeches, strict=True):
            end = (start + len(samples)) / SAMPLE_RATE
            yield TimedPrediction(start / SAMPLE_RATE, end, next(predictions) if speech else None)
        heard(end)


def windows_of(
    parts: Iterable[np.ndarray], window_seconds: float, hop_seconds: float
) -> Iterator[tuple[int, np.ndarray]]:
    """First sample and samples of the windows that `ser_core.serving.prediction.window_spans` cuts a recording in."""
    window, hop = round(window_seconds * SAMPLE_RATE), round(hop_seconds * SAMPLE_RATE)
    kept, first = np.zeros(0, np.float32), 0  # of the recording, from this sample on
    start = 0  # of the next window
    for part in parts:
        kept = np.concatenate([kept, part])
        while start + window <= first + len(kept):
            yield start, kept[start - first : start - first + window]
            start += hop
        spare = min(start, first + len(kept) - window) - first  # the last window ends with the recording
        if spare > 0:
            kept, first = kept[spare:], first + spare
    end = first + len(kept)
    if start == 0:
        yield 0, kept
    elif start - hop + window < end:
        yield end - window, kept[end - window - first :]


def _speech_or_none(predictor: Predicts, samples: np.ndarray) -> Speech | None:
    try:
        return predictor.prepare(samples)
    except NoSpeechError:
        return None
