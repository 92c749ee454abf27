"""The pitch of a voice from the autocorrelation of short frames (Boersma 1993), by itself or along the cheapest path.

A frame's candidates are the peaks of its autocorrelation over that of the window (Boersma, "Accurate short-term
analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound", 1993). The highest peak of
each frame by itself (`highest_peak`) jumps by an octave where two are about equally high. The path (`pitch_path`) takes
candidates that are high and near to those of the frames around them, or none where there is no voice. Of steps between
voiced frames of 60 clips of CREMA-D, 21 % are larger than a quarter of an octave without it, and 1.5 % with it; of
frames that librosa's pYIN finds voiced, too, 9 and 2 % are more than 20 % off (`benchmarks/results/pitch.txt`). Spectra
end at 4 kHz, so that lags are those of 8 kHz, and a parabola finds the peak between them. A steady tone's peak may lie
between lags where those of half or a third of its pitch do not, and look lower: the path looks at quarters of a lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeVar

import numpy as np
import scipy.fft

from ser_core.audio import SAMPLE_RATE
from ser_core.features.spectrum import hann

T = TypeVar("T")

WINDOW = 640  # samples, 40 ms: three periods of the lowest pitch
N_FFT = 2048  # with zeros behind the window, so that no lag wraps around
LAG_RATE = SAMPLE_RATE // 2  # Hz, of lags
LOWEST_HZ, HIGHEST_HZ = 75.0, 600.0
VOICED = 0.45  # height of a peak, relative to that at lag 0, from which a frame has a pitch

OCTAVE_COST = 0.03  # of a peak's height, an octave lower: of equal peaks, the highest pitch is heard

# Of the path, as in Praat ("Sound: To Pitch (ac)"), but for the number of candidates, and for what counts as silent:
# there it is what lies far below the highest sample, so that a click would silence all else.
CANDIDATES = 8  # of a frame
FINER = 4  # steps between whole lags
PATH_OCTAVE_COST = 0.01
OCTAVE_JUMP_COST = 0.35  # of a peak's height, for a pitch an octave away from the one before
ONSET_COST = 0.14  # for a voice that begins or ends
COSTS_SECONDS = 0.01  # step between frames that costs are meant for
IMPOSSIBLE = -9.0  # height of a candidate that is none, and of all in silence

BLOCK = 500  # frames whose autocorrelation is computed at once, 35 MB at most


def highest_peak(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency of each frame by itself, whether it has one or not.

    Args:
        frames: float32 `[frames, 640]` at 16 kHz.

    Returns:
        octaves above 1 Hz, and height of the autocorrelation's peak relative to that at lag 0, `[frames]` each.
    """
    octaves, height = (np.concatenate(part) for part in zip(*_blocks(frames, _highest_peak), strict=True))
    return octaves, height


def _highest_peak(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, lags = _autocorrelation(frames)
    worth = height + OCTAVE_COST * np.log2(LAG_RATE / (LOWEST_HZ * lags))
    inner = worth[:, 1:-1]
    peaks = (inner >= worth[:, :-2]) & (inner >= worth[:, 2:])
    best = 1 + np.where(peaks, inner, -np.inf).argmax(1)
    rows = np.arange(len(frames))
    before, at, after = (height[rows, best + step] for step in (-1, 0, 1))
    return np.log2(LAG_RATE / (lags[best] + _shift(before, at, after))), at


def pitch_path(frames: np.ndarray, seconds: float, silent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency of each frame that has one, along the path that is cheapest for all of them together.

    Args:
        frames: float32 `[frames, 640]` at 16 kHz.
        seconds: from one frame to the next, > 0.
        silent: which frames are too quiet for a voice, bool `[frames]`.

    Returns:
        octaves above 1 Hz, and height of the autocorrelation's peak relative to that at lag 0, in 0..1, `[frames]`
        each; 0 where there is no voice.
    """
    octaves, height, strength = (np.concatenate(part) for part in zip(*_blocks(frames, _candidates), strict=True))
    strength[silent] = IMPOSSIBLE
    taken = _cheapest_path(octaves, strength, COSTS_SECONDS / seconds)
    voiced = taken < CANDIDATES
    place = np.arange(len(frames)), np.where(voiced, taken, 0)
    return np.where(voiced, octaves[place], 0), np.where(voiced, np.clip(height[place], 0, 1), 0)


def _candidates(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each frame the best pitches in octaves above 1 Hz, the height of their peaks, and their worth."""
    height, lags = _autocorrelation(frames, FINER)
    inner = height[:, 1:-1]
    peaks = (inner >= height[:, :-2]) & (inner >= height[:, 2:])
    gain = PATH_OCTAVE_COST * np.log2(LAG_RATE / (LOWEST_HZ * lags[1:-1])).astype(np.float32)
    worth = np.where(peaks, inner + gain, -np.inf)
    chosen = 1 + np.argpartition(worth, -CANDIDATES, axis=1)[:, -CANDIDATES:]
    rows = np.arange(len(frames))[:, None]
    before, at, after = (height[rows, chosen + step] for step in (-1, 0, 1))
    shift = _shift(before, at, after)
    octaves = np.log2(LAG_RATE / (lags[chosen] + shift / FINER))
    top = at - 0.25 * (before - after) * shift
    worth = np.clip(top, 0, 1) + PATH_OCTAVE_COST * (octaves - np.log2(LOWEST_HZ))
    return octaves, top, np.where(peaks[rows, chosen - 1], worth, IMPOSSIBLE)


def _cheapest_path(octaves: np.ndarray, strength: np.ndarray, weight: float) -> np.ndarray:
    """Which candidate each frame takes, int `[frames]`; their number where it takes none (Viterbi's algorithm).

    Args:
        octaves, strength: of the candidates, `[frames, candidates]`.
        weight: of what it costs to go from one candidate to another.
    """
    frames, none = octaves.shape
    costs = np.full((max(0, frames - 1), none + 1, none + 1), ONSET_COST)
    costs[:, :none, :none] = OCTAVE_JUMP_COST * np.abs(octaves[:-1, :, None] - octaves[1:, None])
    costs[:, none, none] = 0
    costs *= weight
    worth = np.column_stack((strength, np.full(frames, VOICED)))
    back = np.empty((frames, none + 1), int)
    so_far = worth[0] if frames else worth
    for i in range(1, frames):
        reached = so_far[:, None] - costs[i - 1]
        back[i] = reached.argmax(axis=0)
        so_far = reached.max(axis=0) + worth[i]
    taken = np.empty(frames, int)
    if frames:
        taken[-1] = so_far.argmax()
    for i in range(frames - 1, 0, -1):
        taken[i - 1] = back[i, taken[i]]
    return taken


def _blocks(frames: np.ndarray, compute: Callable[[np.ndarray], T]) -> Iterator[T]:
    """What is computed of frames, a few at a time: the spectra of all would take hundreds of megabytes."""
    return (compute(frames[start : start + BLOCK]) for start in range(0, max(1, len(frames)), BLOCK))


def _autocorrelation(frames: np.ndarray, finer: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Of each frame over that of the window, relative to lag 0, `[frames, lags]`; and these lags, so much finer."""
    windowed = (frames - frames.mean(1, keepdims=True)) * hann(WINDOW)
    spectrum = scipy.fft.rfft(windowed, N_FFT, axis=1)[:, : N_FFT // 4 + 1]
    correlation = scipy.fft.irfft(spectrum.real**2 + spectrum.imag**2, finer * N_FFT // 2, axis=1)
    first, last = int(LAG_RATE / HIGHEST_HZ), int(LAG_RATE / LOWEST_HZ) + 1
    steps = np.arange(finer * first - 1, finer * last + 2)
    window = _window_correlation(finer)[steps]
    return correlation[:, steps] / (np.maximum(correlation[:, :1], 1e-12) * window), steps / finer


def _shift(before: np.ndarray, at: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How far from a peak the parabola through it and its neighbours is highest, -0.5 to 0.5 of a step."""
    bend = before - 2 * at + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0)
    return np.clip(shift, -0.5, 0.5)


@cache
def _window_correlation(finer: int) -> np.ndarray:
    """Autocorrelation of the window by lag, relative to that at lag 0: float32 `[finer * N_FFT // 2]`."""
    spectrum = scipy.fft.rfft(hann(WINDOW), N_FFT)[: N_FFT // 4 + 1]
    correlation = scipy.fft.irfft(np.abs(spectrum) ** 2, finer * N_FFT // 2)
    return np.maximum(correlation / correlation[0], 1e-3).astype(np.float32)
