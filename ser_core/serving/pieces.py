"""Speech that is longer than the clips a model knows is classified in pieces, and the answer is their average."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import Speech
from ser_core.errors import NoSpeechError
from ser_core.serving.outputs import Outputs
from ser_core.serving.prediction import HOP_SECONDS, WINDOW_SECONDS, window_spans
from ser_core.serving.progress import Heard, share_of

T = TypeVar("T")

LONGEST_CLIP_SECONDS = 6.0  # of speech classified as a whole; CREMA-D's longest recording lasts 5 s
BATCH_SIZE = 32
TELLING_WORDS = 4  # of a warning, after which it says how much or where


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

    def hear(
        self,
        parts: Iterable[np.ndarray],
        prepare: Callable[[np.ndarray], Speech],
        classify: Callable[[Sequence[np.ndarray], Callable[[float], None]], Outputs],
        heard: Heard,
    ) -> None:
        """Classify parts of float32 `[samples]` at 16 kHz.

        Args:
            prepare: finds the speech in a part.
            classify: gives what the model says about pieces, and tells which share of them is done.
            heard: is told how many seconds were classified.
        """
        before = 0.0
        for audio in parts:
            seconds = len(audio) / SAMPLE_RATE
            try:
                speech = prepare(audio)
            except NoSpeechError as error:
                self.why_none = self.why_none or error
            else:
                windows = pieces(speech.waveform, WINDOW_SECONDS)
                self._add(speech, classify(windows, share_of(seconds, heard, before)))
            before += seconds
            heard(before)

    def _add(self, speech: Speech, outputs: Outputs) -> None:
        self.first = self.first or speech
        self.seconds += speech.seconds
        self._outputs.append(outputs)
        for warning in speech.warnings:
            self._warnings.setdefault(" ".join(warning.split()[:TELLING_WORDS]), warning)

    def warnings(self) -> list[str]:
        """Of all parts, one of each kind."""
        n_windows = sum(len(part.probabilities) for part in self._outputs)
        return [*self._warnings.values(), *is_average(self.seconds, n_windows)]

    def outputs(self) -> Outputs:
        """The mean over all pieces, as one row."""
        return Outputs.joined(self._outputs).mean()
