"""A recording that is classified piece by piece: what is known so far, for those who wait for it.

The answer is the average over the pieces, and where they lie is a timeline: neither costs anything beyond the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.kept import kept_intervals, part_of
from ser_core.audio.preprocess import NO_SPEECH, Speech
from ser_core.errors import NoSpeechError
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.serving.outputs import Outputs
from ser_core.serving.pieces import is_average, is_short, piece_spans
from ser_core.serving.prediction import Prediction, TimedPrediction

AT_ONCE = 8  # pieces: as fast as more of them, and seconds of work even for a large network
PAUSE_SECONDS = 1.5  # from which on a pause is a gap in the timeline
TELLING_WORDS = 4  # of a warning, after which it says how much or where


class Classifies(Protocol):
    """What a predictor does for pieces, see `ser_core.serving.predictor.Predictor`."""

    config: CheckpointConfig

    def prepare(self, audio: np.ndarray, *, any_sound: bool = False) -> Speech: ...
    def outputs(self, waveforms: Sequence[np.ndarray]) -> Outputs: ...
    def prediction(self, speech: Speech, outputs: Outputs, warnings: Sequence[str]) -> Prediction: ...


class Following:
    """Classifies a recording as it is iterated over, a few pieces a step; no part of it is kept but the first.

    Args:
        predictor: that is asked.
        parts: of the recording, float32 `[samples]` at 16 kHz, one after the other.
        hop_seconds: from one window of 3 s of speech to the next, where there is too much of it for one.
        warnings: what is known to be wrong with the recording; it may grow as parts are taken.
        any_sound: whether sounds will do in which no voice is recognised.

    Attributes:
        seconds: of the recording that were heard so far, which each step gives.
    """

    def __init__(
        self,
        predictor: Classifies,
        parts: Iterable[np.ndarray],
        hop_seconds: float,
        warnings: Sequence[str] = (),
        *,
        any_sound: bool = False,
    ):
        self.seconds = 0.0
        self._predictor, self._known = predictor, warnings
        self._first: Speech | None = None
        self._why_none: NoSpeechError | None = None
        self._speech_seconds = 0.0
        self._outputs: list[Outputs] = []
        self._spans: list[tuple[int, int]] = []  # where the pieces lie, samples of the recording
        self._warnings: dict[str, str] = {}
        self._steps = self._classify(parts, hop_seconds, any_sound)

    def __iter__(self) -> Iterator[float]:
        return self._steps

    def _classify(self, parts: Iterable[np.ndarray], hop_seconds: float, any_sound: bool) -> Iterator[float]:
        before = 0  # samples in earlier parts
        for audio in parts:
            try:
                speech = self._predictor.prepare(audio, any_sound=any_sound)
            except NoSpeechError as error:
                self._why_none = self._why_none or error
            else:
                self._hear_of(speech)
                kept = kept_intervals(speech, self._predictor.config.audio)
                spans = piece_spans(len(speech.waveform), hop_seconds)
                for i in range(0, len(spans), AT_ONCE):
                    if i:
                        self.seconds = max(self.seconds, self._spans[-1][1] / SAMPLE_RATE)
                        yield self.seconds
                    some = spans[i : i + AT_ONCE]
                    self._outputs.append(self._predictor.outputs([speech.waveform[a:b] for a, b in some]))
                    self._spans += [(before + a, before + b) for a, b in (_longest(part_of(kept, *s)) for s in some)]
            before += len(audio)
            self.seconds = before / SAMPLE_RATE
            yield self.seconds

    def _hear_of(self, speech: Speech) -> None:
        self._first = self._first or speech
        self._speech_seconds += speech.seconds
        for warning in speech.warnings:
            self._warnings.setdefault(" ".join(warning.split()[:TELLING_WORDS]), warning)

    @property
    def n_pieces(self) -> int:
        """That were classified so far."""
        return len(self._spans)

    def answer(self) -> Prediction:
        """The average over all that was heard so far.

        Raises:
            NoSpeechError: nobody has spoken yet, or no voice was recognised.
        """
        if self._first is None or not self._outputs:
            raise self._why_none or NoSpeechError("No speech was found.")
        outputs = Outputs.joined(self._outputs).mean()
        length = [*is_short(self._speech_seconds), *is_average(self._speech_seconds, self.n_pieces)]
        warnings = [*self._known, *self._warnings.values(), *length]
        return replace(self._predictor.prediction(self._first, outputs, warnings), speech_seconds=self._speech_seconds)

    def timeline(self) -> list[TimedPrediction]:
        """The pieces so far where they lie in the recording, without their sound; longer pauses have no answer.

        A piece that reaches across such a pause is where most of it lies.
        """
        outputs, pause = Outputs.joined(self._outputs), PAUSE_SECONDS * SAMPLE_RATE
        windows: list[TimedPrediction] = []
        end = 0
        for i, (first, behind) in enumerate(self._spans):
            if first - end > pause:
                windows.append(TimedPrediction(end / SAMPLE_RATE, first / SAMPLE_RATE, None))
            prediction = self._predictor.prediction(NO_SPEECH, outputs.part(i, i + 1), ())
            windows.append(TimedPrediction(first / SAMPLE_RATE, behind / SAMPLE_RATE, prediction))
            end = max(end, behind)
        if self.seconds - end / SAMPLE_RATE > PAUSE_SECONDS:
            windows.append(TimedPrediction(end / SAMPLE_RATE, self.seconds, None))
        return windows


def _longest(intervals: np.ndarray) -> tuple[int, int]:
    """Of sample intervals `[n, 2]`, from begin to end of the longest group without a pause between them."""
    apart = np.flatnonzero(intervals[1:, 0] - intervals[:-1, 1] > PAUSE_SECONDS * SAMPLE_RATE) + 1
    groups = np.split(intervals, apart)
    longest = max(groups, key=lambda group: (group[:, 1] - group[:, 0]).sum())
    return int(longest[0, 0]), int(longest[-1, 1])
