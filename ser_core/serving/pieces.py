"""Speech that is longer than the clips a model knows is classified in pieces, and the answer is their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.errors import NoSpeechError
from ser_core.serving.forward import Outputs
from ser_core.serving.prediction import HOP_SECONDS, WINDOW_SECONDS, window_spans

LONGEST_CLIP_SECONDS = 6.0  # of speech classified as a whole; CREMA-D's longest recording lasts 5 s
BATCH_SIZE = 32
TELLING_WORDS = 4  # of a warning, after which it says how much or where


def pieces(waveform: np.ndarray, hop_seconds: float = HOP_SECONDS) -> list[np.ndarray]:
    """Speech as it is classified: as a whole, or in windows if it is long."""
    if len(waveform) <= LONGEST_CLIP_SECONDS * SAMPLE_RATE:
        return [waveform]
    return [waveform[start:end] for start, end in window_spans(len(waveform), WINDOW_SECONDS, hop_seconds)]


def batches(waveforms: Sequence[np.ndarray]) -> list[Sequence[np.ndarray]]:
    """What a network gets at a time."""
    return [waveforms[start : start + BATCH_SIZE] for start in range(0, len(waveforms), BATCH_SIZE)]


def is_average(seconds: float, n_windows: int) -> list[str]:
    """The warning that a prediction is an average, if it is one."""
    if n_windows == 1:
        return []
    return [
        f"{seconds:.0f} s of speech are longer than the clips this model knows: "
        f"this is the average over {n_windows} windows of {WINDOW_SECONDS:g} s."
    ]


@dataclass
class Average:
    """What a model says about a recording in parts, none of which is kept but the first.

    Attributes:
        first: speech of the first part in which somebody speaks.
        seconds: duration of all speech.
        why_none: what is wrong with the first part in which nobody does.
    """

    first: Speech | None = None
    seconds: float = 0.0
    why_none: NoSpeechError | None = None
    _outputs: list[Outputs] = field(default_factory=list)
    _warnings: dict[str, str] = field(default_factory=dict)

    def add(self, speech: Speech, outputs: list[Outputs]) -> None:
        """A part, and what the model says about its pieces, batch by batch."""
        self.first = self.first or speech
        self.seconds += speech.seconds
        self._outputs += outputs
        for warning in speech.warnings:
            self._warnings.setdefault(" ".join(warning.split()[:TELLING_WORDS]), warning)

    def warnings(self) -> list[str]:
        """Of all parts, one of each kind."""
        n_windows = sum(len(batch.probabilities) for batch in self._outputs)
        return [*self._warnings.values(), *is_average(self.seconds, n_windows)]

    def outputs(self) -> Outputs:
        """The mean over all pieces, as one row."""
        return Outputs.joined(self._outputs).mean()
