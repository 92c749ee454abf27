"""Channels to one: their average, or the loudest where they cancel each other, in a recording and in a live signal."""

from __future__ import annotations

import numpy as np

CANCELLED = 0.01  # of the loudest channel's power, below which channels cancel each other; a voice on one of 8 has more
CANCEL = "The channels cancel each other, as they are in opposite phase: only the loudest is heard."
STEP_SECONDS = 0.1  # after which it is decided anew what is heard of a live signal
MEMORY = 0.97  # of the power so far, that is left after a step: it halves in 2.3 s
STILL_LOUD = 0.5  # of the loudest channel's power: one that was heard and has as much is heard on


def mixed_down(samples: np.ndarray) -> tuple[np.ndarray, bool]:
    """The average of `[channels, samples]`, or the loudest channel where next to nothing is left of an average.

    Returns:
        `[samples]`, and whether the channels cancel each other.
    """
    average = to_mono(samples)
    loudest = max(samples, key=_power)
    cancelled = _power(average) < CANCELLED * _power(loudest)
    return (loudest if cancelled else average), cancelled


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Average the channels: `[channels, samples]` to `[samples]`."""
    return samples[0] if len(samples) == 1 else samples.mean(axis=0)


def _power(waveform: np.ndarray) -> float:
    return float(np.dot(waveform, waveform))


class Downmix:
    """The same for a live signal, which is known only so far: each tenth of a second is heard as those before it say.

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
        self._sums, self._powers = np.zeros((2, 1 + channels))  # of the average and each channel

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
            self._sums += [_power(average[start:end]), *(_power(channel[start:end]) for channel in block)]
            self._left -= end - start
            if not self._left:
                self._decide()
            start = end
        return mixed

    def _decide(self) -> None:
        self._powers = MEMORY * self._powers + self._sums
        self._sums, self._left = np.zeros_like(self._sums), self._step
        average, channels = self._powers[0], self._powers[1:]
        if average >= CANCELLED * channels.max():
            self.heard = None
        elif self.heard is None or channels[self.heard] < STILL_LOUD * channels.max():
            self.heard = int(channels.argmax())
