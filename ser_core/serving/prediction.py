"""What a prediction is, without what makes it: this module imports quickly, so pages can show results before torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.equality import ByContent
from ser_core.errors import ConfigError

if TYPE_CHECKING:
    from ser_core.audio.preprocess import Speech

WINDOW_SECONDS = 3.0  # of a timeline, and of the pieces that long recordings are classified in
HOP_SECONDS = 1.0
MIN_CONFIDENCE = 0.4  # an emotion that is less likely than this is not answered
SHORTEST_SECONDS = 0.001  # of a window or a hop: 16 samples
UNSURE = "unsure"


def require_probability(min_confidence: float) -> float:
    """The same, if it is one.

    Raises:
        ConfigError: it is out of its range.
    """
    if not (isinstance(min_confidence, Real) and 0 <= min_confidence <= 1):
        raise ConfigError(f"min_confidence is a probability from 0 to 1, not {min_confidence!r}.")
    return min_confidence


def require_seconds(name: str, seconds: float) -> float:
    """The same, if a window or a hop may last so long.

    Args:
        name: what lasts so long, to begin a sentence with.

    Raises:
        ConfigError: it is out of its range.
    """
    if not (isinstance(seconds, Real) and SHORTEST_SECONDS <= seconds < math.inf):
        raise ConfigError(f"{name} is a number of seconds from {SHORTEST_SECONDS} on, not {seconds!r}.")
    return seconds


def likeliest(probabilities: Mapping[str, float]) -> str:
    """The emotion of the highest probability."""
    return max(probabilities, key=probabilities.__getitem__)


def answer_from(probabilities: Mapping[str, float], min_confidence: float) -> str:
    """The likeliest emotion, or `UNSURE` where its probability is below `min_confidence`."""
    emotion = likeliest(probabilities)
    return emotion if probabilities[emotion] >= min_confidence else UNSURE


@dataclass(frozen=True, eq=False)
class Prediction(ByContent):
    """What a model says about a recording.

    Attributes:
        probabilities: by emotion, in the order of `EMOTIONS`, summing to 1.
        warnings: sentences about what may make it unreliable.
        speech: the speech that was classified, see `ser_core.audio.preprocess.Speech`; of a recording that lasts
            longer than 5 minutes, that of the first part in which somebody speaks.
        checkpoint: name of the model.
        min_confidence: below this probability of the likeliest emotion the answer is `UNSURE`, 0..1.
        speech_seconds: duration of all the speech.
        embedding: what the network made of it before it was classified and before any adaptation, float32 `[width]`,
            the average where there are several windows; None for a network that says nothing of one.
        adapted_to: recordings that the network was tuned to, see `Predictor.adapt`; 0 for none.
    """

    probabilities: dict[str, float]
    warnings: tuple[str, ...]
    speech: Speech = field(repr=False)
    checkpoint: str
    min_confidence: float = MIN_CONFIDENCE
    speech_seconds: float = 0.0
    embedding: np.ndarray | None = field(default=None, repr=False)
    adapted_to: int = 0

    def __post_init__(self) -> None:
        if not self.speech_seconds:
            object.__setattr__(self, "speech_seconds", self.speech.seconds)

    @property
    def emotion(self) -> str:
        """The likeliest emotion, one of `EMOTIONS`."""
        return likeliest(self.probabilities)

    @property
    def answer(self) -> str:
        """The likeliest emotion, or `UNSURE` where it is not likely enough."""
        return answer_from(self.probabilities, self.min_confidence)

    @property
    def confidence(self) -> float:
        """Its probability, 0..1."""
        return self.probabilities[self.emotion]


@dataclass(frozen=True)
class TimedPrediction:
    """One window of a timeline: from `start` to `end` in seconds, without a prediction where nobody speaks."""

    start: float
    end: float
    prediction: Prediction | None


def window_spans(n_samples: int, window_seconds: float, hop_seconds: float) -> list[tuple[int, int]]:
    """Half-open sample spans of overlapping windows at 16 kHz; the last one ends with the audio."""
    window, hop = round(window_seconds * SAMPLE_RATE), round(hop_seconds * SAMPLE_RATE)
    starts = list(range(0, max(1, n_samples - window + 1), hop))
    if starts[-1] + window < n_samples:
        starts.append(n_samples - window)
    return [(start, min(start + window, n_samples)) for start in starts]
