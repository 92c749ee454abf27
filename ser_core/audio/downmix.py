"""Channels to one: their average, or the loudest where they cancel each other, in a recording and in a live signal.

It is decided from step to step of a tenth of a second, each with its neighbours. What is quiet beside the rest, as the
hum of a cable in the pauses of a voice, decides nothing: it is heard as what is around it.
"""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np

from ser_core.audio import SAMPLE_RATE

CANCELLED = 0.01  # of the loudest channel's power, below which channels cancel each other; a voice on one of 8 has more
CANCEL = "The channels cancel each other, as they are in opposite phase: only the loudest is heard."
STEP_SECONDS = 0.1  # after which it is decided anew what is heard
WINDOW = 5  # steps that decide together: channels may be opposite for a moment
QUIET = 0.001  # of the loudest power, below which a window decides nothing
MEMORY = 0.97  # of the loudest power of a live signal so far, that is left after a step: it halves in 2.3 s
STILL_LOUD = 0.5  # of the loudest channel's power: one that was heard and has as much is heard on


def mixed_down(samples: np.ndarray) -> tuple[np.ndarray, bool]:
    """The average of `[channels, samples]` at 16 kHz, or the loudest channel where next to nothing is left of it.

    Returns:
        `[samples]`, and whether the channels cancel each other anywhere.
    """
    average = to_mono(samples)
    if len(samples) == 1 or not samples.shape[1]:
        return average, False
    loudest = max(samples, key=_power)
    if _power(average) < CANCELLED * _power(loudest):
        return loudest, True
    step = round(STEP_SECONDS * SAMPLE_RATE)
    steps = [slice(start, start + step) for start in range(0, len(average), step)]
    cancelled = _cancelled(np.array([_powers(average[each], samples[:, each]) for each in steps]))
    if not cancelled.any():
        return average, False
    mono, start = average.copy(), 0
    for alike, group in itertools.groupby(cancelled):
        end = start + step * len(list(group))
        if alike:
            mono[start:end] = max(samples[:, start:end], key=_power)
        start = end
    return mono, True


def _cancelled(powers: np.ndarray) -> np.ndarray:
    """Whether channels cancel each other in each of many steps, by its `_powers`."""
    windows = np.lib.stride_tricks.sliding_window_view(powers, min(WINDOW, len(powers)), axis=0).sum(axis=-1)
    loudest = windows[:, 1:].max(axis=1)
    opposite = (windows[:, 0] < CANCELLED * loudest) & (loudest >= QUIET * loudest.max())
    # A step is in as many windows, of which the last begins with it.
    cancelled = np.array([opposite[max(0, step - WINDOW + 1) : step + 1].any() for step in range(len(powers))])
    loud = powers[:, 1:].max(axis=1) >= QUIET * powers[:, 1:].max()
    (plain,) = np.nonzero(cancelled | loud)
    return cancelled[plain[np.maximum(0, np.searchsorted(plain, np.arange(len(powers)), side="right") - 1)]]


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Average the channels: `[channels, samples]` to `[samples]`."""
    return samples[0] if len(samples) == 1 else samples.mean(axis=0)


def _powers(average: np.ndarray, samples: np.ndarray) -> list[float]:
    """The power of the average of `[channels, samples]`, and of each channel."""
    return [_power(waveform) for waveform in (average, *samples)]


def _power(waveform: np.ndarray) -> float:
    return float(np.dot(waveform, waveform))


class Downmix:
    """The same for a live signal, which is known only so far: each step is heard as those before it say.

    What comes out doesn't depend on how the signal is cut into blocks.

    Args:
        rate: in Hz.

    Attributes:
        heard: the channel that is heard, counted from 0; None for the average.
    """

    def __init__(self, rate: float):
        self._step = max(1, round(STEP_SECONDS * rate))
        self._begin(0)

    def _begin(self, channels: int) -> None:
        self.heard: int | None = None
        self._left = self._step  # samples until it is decided anew
        self._sums = np.zeros(1 + channels)  # of the power of the average and of each channel, in this step
        self._window = deque[np.ndarray](maxlen=WINDOW)
        self._loudest = 0.0

    def push(self, block: np.ndarray) -> np.ndarray:
        """`[channels, samples]` to `[samples]`; another number of channels is another signal."""
        if len(block) == 1:
            return block[0]
        if len(block) + 1 != len(self._sums):
            self._begin(len(block))
        mixed, start = block.mean(axis=0), 0
        average = mixed.copy()
        while start < len(mixed):
            end = min(start + self._left, len(mixed))
            if self.heard is not None:
                mixed[start:end] = block[self.heard, start:end]
            self._sums += _powers(average[start:end], block[:, start:end])
            self._left -= end - start
            if not self._left:
                self._decide()
            start = end
        return mixed

    def _decide(self) -> None:
        self._window.append(self._sums)
        self._sums, self._left = np.zeros_like(self._sums), self._step
        average, *channels = np.sum(self._window, axis=0)
        loudest = max(channels)
        self._loudest = max(MEMORY * self._loudest, loudest)
        if loudest < QUIET * self._loudest:
            return
        if average >= CANCELLED * loudest:
            self.heard = None
        elif self.heard is None or channels[self.heard] < STILL_LOUD * loudest:
            self.heard = channels.index(loudest)
