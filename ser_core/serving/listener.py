"""A `SpeechStream` that listens in a thread of its own, for a live page: feed it from anywhere, look at it any time."""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.equality import ByContent
from ser_core.errors import SERError
from ser_core.serving.rows import stream_row
from ser_core.serving.stream import SpeechStream, StreamConfig, StreamPrediction, Window
from ser_core.serving.utterances import Utterance, Utterances

if TYPE_CHECKING:
    from ser_core.serving.predictor import Predictor


log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_ROWS = 50_000  # of the timeline: seven hours at two a second
MAX_KEPT_SECONDS = 3_600
IDLE_SECONDS = 5.0  # without a block, after which the thread ends; the next block starts another
LEVEL_SECONDS = 0.2
SILENCE_DBFS = -90.0
FULL_SCALE = 32768  # of 16-bit samples


@dataclass(frozen=True, eq=False)
class Heard(ByContent):
    """What a listener knows at one moment.

    Attributes:
        seconds: duration of what was heard.
        level_dbfs, peak: loudness of the last 0.2 s, RMS in dB relative to full scale (>= -90), and highest sample.
        window: float32 `[samples]` at 16 kHz, the newest window.
        newest: the newest prediction, if any came due.
        rows: the timeline so far, keys as in `ser_core.serving.rows.TIMELINE_COLUMNS`.
        utterances: so far; the last one may go on.
        waited: seconds since the last block came, or since listening began.
        backlog_seconds: audio that waits to be heard.
        kept_seconds: audio that was kept.
        error: why the last block could not be heard, or the last window not classified; None once that goes well again.
    """

    seconds: float
    level_dbfs: float
    peak: float
    window: np.ndarray
    newest: StreamPrediction | None
    rows: tuple[dict[str, Any], ...]
    utterances: tuple[Utterance, ...]
    waited: float
    backlog_seconds: float
    kept_seconds: float
    error: str | None


class Block(NamedTuple):
    """A piece of the signal, and which part of it: a new part begins with each connection, pause and clearing."""

    samples: np.ndarray
    rate: int
    part: int

    @property
    def kind(self) -> tuple[object, ...]:
        """Blocks that have it in common can be joined."""
        return self.part, self.rate, self.samples.shape[:-1], self.samples.dtype


class Listener:
    """Hears blocks of audio in a thread of its own.

    The thread runs while blocks come, and ends by itself when none comes for 5 s: nothing has to be stopped. When
    classifying can't keep up, it skips to the newest window and loses no audio. Nobody waits for the classifying: not
    who looks, nor who feeds or clears it.

    Args:
        predictor, config: see `SpeechStream`.
        keep_audio: whether to remember the whole session (up to an hour), in memory only.
    """

    def __init__(self, predictor: Predictor, config: StreamConfig = StreamConfig(), *, keep_audio: bool = False):
        self.keep_audio = keep_audio
        self.paused = False
        self._blocks: queue.SimpleQueue[Block] = queue.SimpleQueue()
        self._pending: Block | None = None  # the thread's own: the first that couldn't be joined to those before it
        self._lock = threading.Lock()  # over all that follows; never held while classifying
        self._thread: threading.Thread | None = None
        self._part = 0  # that blocks come in now
        self._begin(predictor, config)

    def _begin(self, predictor: Predictor, config: StreamConfig) -> None:
        self._stream = SpeechStream(predictor, config, self._keep)
        self._first_part = self._heard_part = self._judged_part = self._part
        self._rows: deque[dict[str, Any]] = deque(maxlen=MAX_ROWS)
        self._utterances = Utterances()
        self._kept: list[tuple[int, np.ndarray]] = []  # with the sample at which each begins
        self._n_kept = 0  # samples
        self._newest: StreamPrediction | None = None
        self._block_error: str | None = None
        self._window_error: str | None = None
        self._fed = self._taken = 0.0  # seconds
        self._last_block = time.monotonic()

    def feed(self, samples: np.ndarray, sample_rate: int) -> None:
        """Take a block and return at once.

        Args:
            samples: `[samples]` or `[channels, samples]`, float in ±1 or 16-bit integers.
            sample_rate: in Hz.
        """
        with self._lock:
            self._last_block = time.monotonic()
            if self.paused:
                return
            self._fed += _seconds(samples, sample_rate)
            self._blocks.put(Block(samples, sample_rate, self._part))
            if self._thread is None:
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
                utterances=self._utterances.all(),
                waited=time.monotonic() - self._last_block,
                backlog_seconds=max(0.0, self._fed - self._taken),
                kept_seconds=self._n_kept / SAMPLE_RATE,
                error=self._block_error or self._window_error,
            )

    def configure(self, predictor: Predictor, config: StreamConfig) -> None:
        """Classify what comes by another model or in another way."""
        with self._lock:
            self._stream.predictor, self._stream.config = predictor, config

    def pause(self, paused: bool) -> None:
        """Hear nothing until this is called with False; windows don't reach across the pause."""
        with self._lock:
            if paused != self.paused:
                self.paused = paused
                self._begin_part()

    def expect(self) -> None:
        """A connection begins: count the time until its first block from now, and hear it apart from the last one."""
        with self._lock:
            self._last_block = time.monotonic()
            self._begin_part()

    def clear(self) -> None:
        """Begin anew: forget the timeline and the audio, and what was fed and is not heard yet."""
        with self._lock:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._blocks.get_nowait()
            self._part += 1
            self._begin(self._stream.predictor, self._stream.config)

    def audio(self, start: float = 0.0, end: float = math.inf) -> np.ndarray:
        """The audio that was kept: float32 `[samples]` at 16 kHz, empty if none was to be kept.

        Args:
            start, end: of what is wanted of it, in seconds since listening began.
        """
        first, behind = round(start * SAMPLE_RATE), end * SAMPLE_RATE
        with self._lock:
            kept = list(self._kept)
        wanted = [
            piece[max(0, first - at) : None if at + len(piece) <= behind else round(behind) - at]
            for at, piece in kept
            if at < behind and first < at + len(piece)
        ]
        return np.concatenate([np.zeros(0, np.int16), *wanted]).astype(np.float32) / FULL_SCALE

    def _begin_part(self) -> None:
        self._part += 1
        self._newest = None
        self._stream.forget()

    def _run(self) -> None:
        try:
            import torch
            from threadpoolctl import threadpool_limits

            torch.get_num_threads()  # torch sets up its threads when first asked, and would undo what follows
            # For one window, waiting for other cores costs more than it saves.
            with threadpool_limits(1, user_api="openmp"):
                while blocks := self._next_blocks():
                    self._hear(blocks)
        except Exception as error:
            log.exception("The listener's thread failed")
            with self._lock:
                self._thread, self._block_error = None, _sentence(error)  # the next block starts another

    def _next_blocks(self) -> list[Block]:
        """All that waits and goes on in one piece; empty if nothing came for a while, and the thread is to end."""
        block = self._pending or self._wait()
        if block is None:
            return []
        self._pending, blocks = None, [block]
        with contextlib.suppress(queue.Empty):
            while True:
                another = self._blocks.get_nowait()
                if another.kind != block.kind:
                    self._pending = another
                    break
                blocks.append(another)
        return blocks

    def _wait(self) -> Block | None:
        with contextlib.suppress(queue.Empty):
            return self._blocks.get(timeout=IDLE_SECONDS)
        with self._lock:
            with contextlib.suppress(queue.Empty):
                return self._blocks.get_nowait()  # it came just now
            self._thread = None  # whoever feeds from now on starts another
        return None

    def _hear(self, blocks: list[Block]) -> None:
        """Hear what came, and remember what the model says if it is time to ask it."""
        part = blocks[0].part
        for window in self._take(blocks):
            self._judge(window, part)
        with self._lock:
            if part >= self._first_part:
                self._taken += sum(_seconds(block.samples, block.rate) for block in blocks)

    def _take(self, blocks: list[Block]) -> list[Window]:
        part = blocks[0].part
        with self._lock:
            if part < self._first_part:  # cleared meanwhile
                return []
            if part != self._heard_part:
                self._heard_part = part
                self._stream.forget()
            windows, self._block_error = _attempt(
                lambda: list(self._stream.windows(_joined(blocks), blocks[0].rate, newest_only=True)), self._block_error
            )
        return windows or []

    def _judge(self, window: Window, part: int) -> None:
        prediction, problem = _attempt(window.classify, self._window_error)
        with self._lock:
            if part < self._first_part:  # cleared meanwhile
                return
            self._window_error = problem
            heard = None if problem else self._stream.smoothed(window, prediction)
            if part != self._judged_part:
                self._judged_part = part
                self._utterances.end()
            if heard:
                self._rows.append(stream_row(heard))
                self._utterances.hear(heard)
            if part == self._part:
                self._newest = heard

    def _keep(self, audio: np.ndarray) -> None:
        if self.keep_audio and self._stream.n_samples < MAX_KEPT_SECONDS * SAMPLE_RATE:
            samples = np.clip(np.rint(audio * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
            self._kept.append((self._stream.n_samples - len(samples), samples))
            self._n_kept += len(samples)


def _attempt(action: Callable[[], T], known: str | None) -> tuple[T | None, str | None]:
    """What an action gives, or a sentence on why it gives nothing: listening goes on in any case.

    Args:
        known: what went wrong the last time. What the user didn't cause goes to the log, but not again and again.
    """
    try:
        return action(), None
    except SERError as error:
        return None, str(error)
    except Exception as error:
        problem = _sentence(error)
        if problem != known:
            log.exception(problem)
        return None, problem


def _sentence(error: Exception) -> str:
    return f"Listening fails ({type(error).__name__}: {error}). It goes on, and the server's log says more."


def _joined(blocks: list[Block]) -> np.ndarray:
    """Blocks of one kind as one."""
    return np.concatenate([block.samples for block in blocks], axis=-1)


def _seconds(samples: np.ndarray, rate: int) -> float:
    return samples.shape[-1] / rate
