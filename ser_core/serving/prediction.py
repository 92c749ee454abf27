"""What a prediction is, without what makes it: this module imports quickly, so pages can show results before torch."""

from __future__ import annotations

from dataclasses import dataclass

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.equality import ByContent

WINDOW_SECONDS = 3.0  # of a timeline, and of the pieces that long recordings are classified in
HOP_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class Prediction(ByContent):
    """What a model says about a recording.

    Attributes:
        probabilities: by emotion, in the order of `EMOTIONS`, summing to 1.
        warnings: sentences about what may make it unreliable.
        speech: the speech that was classified, see `ser_core.audio.preprocess.Speech`.
        checkpoint: name of the model.
    """

    probabilities: dict[str, float]
    warnings: tuple[str, ...]
    speech: Speech
    checkpoint: str

    @property
    def emotion(self) -> str:
        """The likeliest emotion, one of `EMOTIONS`."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

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
