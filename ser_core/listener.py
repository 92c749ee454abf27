"""A `SpeechStream` that listens in a thread of its own, for a live page: feed it from anywhere, look at it any time."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_core.audio import to_mono
from ser_core.errors import SERError
from ser_core.results import stream_row
from ser_core.stream import SpeechStream, StreamConfig, StreamPrediction
from ser_core.vad import SAMPLE_RATE

if TYPE_CHECKING:
    from ser_core.predict import Predictor

MAX_ROWS = 50_000  # of the timeline: seven hours at two a second
MAX_KEPT_SECONDS = 3_600
IDLE_SECONDS = 5.0  # without a block, after which the thread ends; the next block starts another
LEVEL_SECONDS = 0.2
SILENCE_DBFS = -90.0
FULL_SCALE = 32768  # of 16-bit samples


@dataclass(frozen=True)
class Heard:
    """What a listener knows at one moment.

    Attributes:
        seconds: duration of what was heard.
        level_dbfs, peak: loudness of the last 0.2 s, RMS in dB relative to full scale (>= -90), and highest sample.
        window: float32 `[samples]` at 16 kHz, the newest window.
        newest: the newest prediction, if any came due.
        rows: the timeline so far, keys as in `ser_core.results.TIMELINE_COLUMNS`.
        waited: seconds since the last block came, or since listening began.
        backlog_seconds: audio that waits to be heard.
        kept_seconds: audio that was kept.
        error: why a block could not be heard, if one couldn't.
    """

    seconds: float
    level_dbfs: float
    peak: float
    window: np.ndarray
    newest: StreamPrediction | None
    rows: tuple[dict[str, Any], ...]
    waited: float
    backlog_seconds: float
    kept_seconds: float
    error: str | None


class Listener:
    """Hears blocks of audio in a thread of its own.

    The thread runs while blocks come, and ends by itself when none comes for 5 s: nothing has to be stopped. When
    classifying can't keep up, it skips to the newest window and loses no audio.

    Args:
        predictor, config: see `SpeechStream`.
        keep_audio: whether to remember the whole session (up to an hour), in memory only.
    """

    def __init__(self, predictor: Predictor, config: StreamConfig = StreamConfig(), *, keep_audio: bool = False):
        self.keep_audio = keep_audio
        self.paused = False
        self._stream = SpeechStream(predictor, config, self._keep)
        self._blocks: queue.SimpleQueue[tuple[np.ndarray, int]] = queue.SimpleQueue()
        self._pending: tuple[np.ndarray, int] | None = None
        self._lock = threading.Lock()  # over the stream and what is remembered
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begin()

    def _begin(self) -> None:
        self._rows: deque[dict[str, Any]] = deque(maxlen=MAX_ROWS)
        self._kept: list[np.ndarray] = []
        self._newest: StreamPrediction | None = None
        self._error: str | None = None
        self._fed = self._taken = 0.0  # seconds
        self._last_block = time.monotonic()

    def feed(self, samples: np.ndarray, sample_rate: int) -> None:
        """Take a block and return at once.

        Args:
            samples: `[samples]` or `[channels, samples]`, float in ±1 or 16-bit integers.
            sample_rate: in Hz.
        """
        self._last_block = time.monotonic()
        if self.paused:
            return
        self._fed += samples.shape[-1] / sample_rate
        self._blocks.put((samples, sample_rate))
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
                self._thread.start()

    def look(self) -> Heard:
        """What is known now."""
        with self._lock:
            window = self._stream.window()
            recent = window[-round(LEVEL_SECONDS * SAMPLE_RATE) :]
            level = 10 * np.log10(np.mean(np.square(recent))) if recent.any() else SILENCE_DBFS
            return Heard(
                seconds=self._stream.seconds,
                level_dbfs=max(float(level), SILENCE_DBFS),
                peak=float(np.abs(recent).max(initial=0)),
                window=window,
                newest=self._newest,
                rows=tuple(self._rows),
                waited=time.monotonic() - self._last_block,
                backlog_seconds=max(0.0, self._fed - self._taken),
                kept_seconds=sum(map(len, self._kept)) / SAMPLE_RATE,
                error=self._error,
            )

    def configure(self, predictor: Predictor, config: StreamConfig) -> None:
        """Classify what comes by another model or in another way."""
        if self._stream.predictor is predictor and self._stream.config == config:
            return
        with self._lock:
            self._stream.predictor, self._stream.config = predictor, config

    def pause(self, paused: bool) -> None:
        """Hear nothing until this is called with False; windows don't reach across the pause."""
        if paused != self.paused:
            with self._lock:
                self.paused = paused
                self._newest = None
                self._stream.forget()

    def expect(self) -> None:
        """A connection begins: count the time until its first block from now, and hear it apart from the last one."""
        with self._lock:
            self._last_block = time.monotonic()
            self._newest = None
            self._stream.forget()

    def clear(self) -> None:
        """Begin anew: forget the timeline and the audio."""
        with self._lock:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._blocks.get_nowait()
            self._stream = SpeechStream(self._stream.predictor, self._stream.config, self._keep)
            self._begin()

    def audio(self) -> np.ndarray:
        """The audio that was kept: float32 `[samples]` at 16 kHz, empty if none was to be kept."""
        with self._lock:
            kept = np.concatenate([np.zeros(0, np.int16), *self._kept])
        return kept.astype(np.float32) / FULL_SCALE

    def _run(self) -> None:
        import torch
        from threadpoolctl import threadpool_limits

        torch.get_num_threads()  # torch sets up its threads when first asked, and would undo what follows
        with threadpool_limits(
            1, user_api="openmp"
        ):  # for one window, waiting for other cores costs more than it saves
            while blocks := self._next_blocks():
                self._hear(*blocks)

    def _next_blocks(self) -> tuple[list[np.ndarray], int] | None:
        """All that waits and continues one signal, with its rate; None if nothing came for a while."""
        try:
            block, rate = self._pending or self._blocks.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return None
        self._pending, blocks = None, [block]
        with contextlib.suppress(queue.Empty):
            while True:
                another, other_rate = self._blocks.get_nowait()
                if (other_rate, another.shape[:-1], another.dtype) != (rate, block.shape[:-1], block.dtype):
                    self._pending = another, other_rate
                    break
                blocks.append(another)
        return blocks, rate

    def _hear(self, blocks: list[np.ndarray], rate: int) -> None:
        samples = np.concatenate(blocks, axis=-1)
        seconds = samples.shape[-1] / rate
        if samples.dtype == np.int16:
            samples = samples.astype(np.float32) / FULL_SCALE
        if samples.ndim == 2:
            samples = to_mono(samples)
        with self._lock:
            self._taken += seconds
            try:
                heard = self._stream.push(samples, rate, newest_only=True)
            except SERError as error:
                self._error = str(error)
                return
            self._rows.extend(stream_row(prediction) for prediction in heard)
            if heard:
                self._newest = heard[-1]

    def _keep(self, audio: np.ndarray) -> None:
        if self.keep_audio and self._stream.n_samples < MAX_KEPT_SECONDS * SAMPLE_RATE:
            self._kept.append(np.clip(np.rint(audio * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16))
