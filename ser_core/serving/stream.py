"""Emotion over a live signal: push samples of any rate in blocks of any size, get time-stamped predictions.

    python -m ser_core.stream FILE [--checkpoint NAME] [--real-time]

The newest window is preprocessed with the checkpoint's own settings and classified at every hop. What comes out doesn't
depend on how the signal was cut into blocks: it is what `classify_window` says of the same window of the whole signal.
Nothing here knows of microphones, networks or pages; `ser_core.serving.listener` runs it beside one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.arrays import block_of, in_hz, rows_are_samples
from ser_core.audio.blocks import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from ser_core.audio.downmix import CANCEL, Downmix
from ser_core.audio.preprocess import preprocess
from ser_core.audio.vad import MIN_SPEECH_SECONDS
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import AudioError, ConfigError
from ser_core.serving.prediction import WINDOW_SECONDS, Prediction, require_seconds
from ser_core.serving.voice import voice_intervals

if TYPE_CHECKING:
    import soxr

    from ser_core.serving.predictor import Predictor


MIN_WINDOW_SECONDS, MAX_WINDOW_SECONDS = 1.0, 5.0
RECENT_SECONDS = 0.75  # who was silent for this long has stopped speaking


@dataclass(frozen=True)
class StreamConfig:
    """How a signal is followed.

    Attributes:
        window_seconds: length of what is classified, 1 to 5.
        hop_seconds: time between predictions, 0.001 or more, and at most the window.
        smoothing: share of the earlier probabilities in the shown ones, 0 (none) to below 1.
    """

    window_seconds: float = WINDOW_SECONDS
    hop_seconds: float = 0.5
    smoothing: float = 0.5

    def __post_init__(self) -> None:
        window = self.window_seconds
        if not (isinstance(window, Real) and MIN_WINDOW_SECONDS <= window <= MAX_WINDOW_SECONDS):
            raise ConfigError(
                f"window_seconds is from {MIN_WINDOW_SECONDS:g} to {MAX_WINDOW_SECONDS:g}, not {window!r}."
            )
        if require_seconds("hop_seconds", self.hop_seconds) > self.window_seconds:
            raise ConfigError(f"hop_seconds is at most the window, not {self.hop_seconds}.")
        if not (isinstance(self.smoothing, Real) and 0 <= self.smoothing < 1):
            raise ConfigError(f"smoothing is 0 or more and below 1, not {self.smoothing!r}.")

    @property
    def window(self) -> int:
        """Samples in a window at 16 kHz."""
        return round(self.window_seconds * SAMPLE_RATE)

    @property
    def hop(self) -> int:
        """Samples from one prediction to the next at 16 kHz."""
        return round(self.hop_seconds * SAMPLE_RATE)


@dataclass(frozen=True, eq=False)
class Window(ByContent):
    """A piece of the signal that is to be classified.

    Attributes:
        start, end: in seconds since the stream began.
        audio: float32 `[samples]` at 16 kHz.
        predictor, config: of the stream when it came due.
        warnings: sentences about what is wrong with the signal.
    """

    start: float
    end: float
    audio: np.ndarray
    predictor: Predictor
    config: StreamConfig
    warnings: tuple[str, ...] = ()

    def classify(self) -> Prediction | None:
        """What the model says of it, or None where nobody speaks. This takes its time, and any thread may do it."""
        prediction = classify_window(self.predictor, self.audio)
        return prediction and replace(prediction, warnings=(*self.warnings, *prediction.warnings))


@dataclass(frozen=True, eq=False)
class StreamPrediction(ByContent):
    """What was heard at one moment.

    Attributes:
        start, end: the window, in seconds since the stream began.
        prediction: of this window alone, or None where nobody speaks.
        smoothed: probabilities by emotion, smoothed over time since the voice began, or None where nobody speaks.
    """

    start: float
    end: float
    prediction: Prediction | None
    smoothed: dict[str, float] | None


class SpeechStream:
    """Follows one signal. Use it from one thread at a time.

    `push` and `finish` classify what comes due. Who wants to do that elsewhere takes the windows from `windows`, and
    gives `smoothed` what `Window.classify` says of each, in order.

    Args:
        predictor: classifies; may be replaced at any time, after which smoothing begins anew.
        config: see `StreamConfig`; the same.
        on_audio: is given all that is heard, float32 `[samples]` at 16 kHz, piece by piece.
    """

    def __init__(
        self,
        predictor: Predictor,
        config: StreamConfig = StreamConfig(),
        on_audio: Callable[[np.ndarray], None] | None = None,
    ):
        self.predictor, self.config, self.on_audio = predictor, config, on_audio
        self.n_samples = 0  # at 16 kHz, since the stream began
        self._recent = RingBuffer(round(MAX_WINDOW_SECONDS * SAMPLE_RATE))
        self._rate: int | None = None
        self._rows_are_samples: bool | None = None  # of blocks so far
        self._resampler: soxr.ResampleStream | None = None
        self._downmix = Downmix(SAMPLE_RATE)
        self._due = config.hop
        self._last_due = 0  # samples until the last window that came due
        self._probabilities: np.ndarray | None = None  # smoothed, of the last window
        self._smoothed_by: tuple[Predictor, StreamConfig] | None = None

    @property
    def seconds(self) -> float:
        """Duration of what was heard."""
        return self.n_samples / SAMPLE_RATE

    def push(self, samples: np.ndarray, sample_rate: int, *, newest_only: bool = False) -> list[StreamPrediction]:
        """Hear more of the signal.

        Args:
            samples: an array, tensor or list of floats in ±1 or of integers, up to 32 bits: `[samples]`,
                `[channels, samples]`, or plainly `[samples, channels]`, as sound cards give them.
            sample_rate: in Hz, 8,000 to 192,000; a change of it begins a new resampler.
            newest_only: leave out predictions that came due before the last one, to catch up.

        Returns:
            the predictions that came due, in order: one each hop.

        Raises:
            AudioError: the samples are no audio, or the rate is none that is supported.
        """
        return [self._judge(window) for window in self.windows(samples, sample_rate, newest_only=newest_only)]

    def windows(self, samples: np.ndarray, sample_rate: int, *, newest_only: bool = False) -> Iterator[Window]:
        """The same, up to the windows that come due: the signal is heard on as they are taken, up to the last one."""
        yield from self._hear(self._at_16_khz(samples, sample_rate), newest_only)

    def finish(self) -> list[StreamPrediction]:
        """The signal ends: hear what resampling held back, and classify what came after the last hop."""
        predictions = [self._judge(window) for window in self._hear(self._flush(), newest_only=False)]
        if self.n_samples > self._last_due:
            self._last_due = self.n_samples
            predictions.append(self._judge(self._newest_window()))
        return predictions

    def smoothed(self, window: Window, prediction: Prediction | None) -> StreamPrediction:
        """What a window's prediction says, with the probabilities of those before it."""
        if prediction is None:
            self._probabilities = None
            return StreamPrediction(window.start, window.end, None, None)
        if self._smoothed_by != (window.predictor, window.config):
            self._probabilities = None  # another model's word is nothing to go on with
        probabilities = np.array(list(prediction.probabilities.values()))
        if self._probabilities is not None:
            share = window.config.smoothing
            probabilities = share * self._probabilities + (1 - share) * probabilities
        self._probabilities, self._smoothed_by = probabilities, (window.predictor, window.config)
        named = dict(zip(EMOTIONS, probabilities.tolist(), strict=True))
        return StreamPrediction(window.start, window.end, prediction, named)

    def forget(self) -> None:
        """Begin a new window: what was heard so far, before a pause, is not classified again. Time goes on."""
        self._recent.clear()
        self._probabilities = None

    def window(self) -> np.ndarray:
        """The newest window: float32 `[samples]` at 16 kHz, shorter at the beginning."""
        return self._recent.newest(self.config.window)

    def _at_16_khz(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        block, sample_rate = self._turned(block_of(samples)), in_hz(sample_rate)
        if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            raise AudioError(f"A signal has {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz, not {sample_rate}.")
        rest = np.zeros(0, np.float32)
        if sample_rate != self._rate:
            rest = self._flush()
            self._rate, self._downmix = sample_rate, Downmix(sample_rate)
            if sample_rate != SAMPLE_RATE:
                import soxr

                self._resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
        mono = self._downmix.push(block)
        resampled = self._resampler.resample_chunk(mono) if self._resampler else mono
        return np.concatenate((rest, resampled)) if len(rest) else resampled

    def _turned(self, block: np.ndarray) -> np.ndarray:
        """A block as `[channels, samples]`."""
        if block.ndim == 1:
            return block[None]
        if not block.size:
            return block.reshape(1, 0)
        plainly = rows_are_samples(block.shape)
        # The few samples at a signal's end may be taken either way: they come as those before.
        turned = self._rows_are_samples if plainly is None else plainly
        if turned is None and len(block) >= max(2, block.shape[1]):
            raise AudioError(f"What {block.shape} samples are isn't plain: give [channels, samples], or more at once.")
        self._rows_are_samples = turned
        return block.T if turned else block

    def _flush(self) -> np.ndarray:
        if self._resampler is None:
            return np.zeros(0, np.float32)
        rest = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        self._resampler = self._rate = None
        return rest

    def _hear(self, audio: np.ndarray, newest_only: bool) -> Iterator[Window]:
        last_due = self._due + max(0, self.n_samples + len(audio) - self._due) // self.config.hop * self.config.hop
        while self.n_samples + len(audio) >= self._due:
            n = self._due - self.n_samples
            self._take(audio[:n])
            audio = audio[n:]
            self._last_due, due = self._due, self._due
            self._due += self.config.hop
            if not newest_only or due >= last_due:
                yield self._newest_window()
        self._take(audio)

    def _take(self, audio: np.ndarray) -> None:
        self._recent.write(audio)
        self.n_samples += len(audio)
        if self.on_audio:
            self.on_audio(audio)

    def _newest_window(self) -> Window:
        audio = self.window()
        start = (self.n_samples - len(audio)) / SAMPLE_RATE
        warnings = () if self._downmix.heard is None else (CANCEL,)
        return Window(start, self.seconds, audio, self.predictor, self.config, warnings)

    def _judge(self, window: Window) -> StreamPrediction:
        return self.smoothed(window, window.classify())


class RingBuffer:
    """The newest samples of a signal.

    Args:
        size: how many are kept.
    """

    def __init__(self, size: int):
        self._samples = np.zeros(size, np.float32)
        self._end = 0  # samples ever written since it was cleared

    def write(self, samples: np.ndarray) -> None:
        """Add float32 `[samples]`; the oldest are forgotten."""
        kept = samples[-len(self._samples) :]
        start = self._end + len(samples) - len(kept)
        self._samples[np.arange(start, start + len(kept)) % len(self._samples)] = kept
        self._end += len(samples)

    def newest(self, n: int) -> np.ndarray:
        """A copy of the newest n samples, or of as many as there are."""
        n = min(n, self._end, len(self._samples))
        return self._samples[np.arange(self._end - n, self._end) % len(self._samples)]

    def clear(self) -> None:
        """Forget all."""
        self._end = 0


def classify_window(predictor: Predictor, audio: np.ndarray) -> Prediction | None:
    """What a model says about a window of a live signal, float32 `[samples]` at 16 kHz; None where nobody speaks.

    Stricter than `Predictor.classify`: the voice must be heard in the last 0.75 s.
    """
    speech = preprocess(audio, predictor.config.audio)
    if speech.seconds < MIN_SPEECH_SECONDS:
        return None
    voice = voice_intervals(speech, predictor.config.audio)
    if len(voice) == 0 or voice[-1, 1] < len(audio) - RECENT_SECONDS * SAMPLE_RATE:
        return None
    return predictor.classify_speech(speech)


def blocks(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Cut `[..., samples]` into blocks of that size; the last one may be shorter."""
    for start in range(0, samples.shape[-1], size):
        yield samples[..., start : start + size]
