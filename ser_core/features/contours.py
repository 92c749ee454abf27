"""How loudness and pitch move over a clip, whatever its level and whoever speaks.

Pitch is the lag of the highest peak of each frame's autocorrelation, over that of the window (Boersma, "Accurate
short-term analysis of the fundamental frequency", 1993, without its search for the cheapest path): 300 frames take
about 10 ms on one core. Spectra end at 4 kHz, so that lags are those of 8 kHz, and a parabola finds the peak between
them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.level import active_power
from ser_core.features.spectrum import centred_frames, hann

CONTOURS = ("loudness", "pitch", "voicing")
"""The rows of `contours`, in order."""

WINDOW = 640  # samples, 40 ms: three periods of the lowest pitch
N_FFT = 2048  # with zeros behind the window, so that no lag wraps around
LAG_RATE = SAMPLE_RATE // 2  # Hz, of lags
LOWEST_HZ, HIGHEST_HZ = 75.0, 600.0
OCTAVE_COST = 0.03  # of a peak's height, an octave lower: of equal peaks, the highest pitch is heard
VOICED = 0.45  # height of a peak, relative to that at lag 0, from which a frame has a pitch
SILENT_DB = 30.0  # below the active level: quieter frames have none
LOUDNESS_UNIT_DB = 20.0
LOUDNESS_RANGE = (-3.0, 1.0)  # units
PITCH_RANGE = (-1.5, 1.5)  # octaves


def contours(waveform: np.ndarray, hop_length: int) -> np.ndarray:
    """Loudness and pitch over time, which don't change with the level of the clip.

    Args:
        waveform: float32 `[samples]` at 16 kHz.
        hop_length: step, in samples; int > 0.

    Returns:
        float32 `[3, 1 + samples // hop_length]`, see `CONTOURS`: loudness relative to the clip's active level, in units
        of 20 dB, -3 to 1; pitch relative to the clip's median, in octaves, -1.5 to 1.5, and 0 where there is none;
        voicing, 0..1, how periodic the sound is, 0 where it is too quiet.
    """
    frames = centred_frames(waveform, WINDOW, hop_length)
    power = np.einsum("ij,ij->i", frames, frames) / WINDOW
    level = active_power(waveform)
    relative = 10 * np.log10(np.maximum(power / level, 1e-9)) if level else np.full(len(frames), -100.0)
    octaves, height = pitch(frames)
    voicing = np.where(relative > -SILENT_DB, np.clip(height, 0, 1), 0)
    voiced = voicing >= VOICED
    median = np.median(octaves[voiced]) if voiced.any() else 0.0
    relative_pitch = np.where(voiced, np.clip(octaves - median, *PITCH_RANGE), 0)
    loudness = np.clip(relative / LOUDNESS_UNIT_DB, *LOUDNESS_RANGE)
    return np.stack((loudness, relative_pitch, voicing)).astype(np.float32)


def pitch(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency of each frame, whether it has one or not.

    Args:
        frames: float32 `[frames, 640]` at 16 kHz.

    Returns:
        octaves above 1 Hz, and height of the autocorrelation's peak relative to that at lag 0, `[frames]` each.
    """
    windowed = (frames - frames.mean(1, keepdims=True)) * hann(WINDOW)
    spectrum = scipy.fft.rfft(windowed, N_FFT, axis=1)[:, : N_FFT // 4 + 1]
    correlation = scipy.fft.irfft(spectrum.real**2 + spectrum.imag**2, N_FFT // 2, axis=1)
    first, last = int(LAG_RATE / HIGHEST_HZ), int(LAG_RATE / LOWEST_HZ) + 1
    lags = np.arange(first - 1, last + 2)
    height = correlation[:, lags] / (np.maximum(correlation[:, :1], 1e-12) * _window_correlation()[lags])
    worth = height + OCTAVE_COST * np.log2(LAG_RATE / (LOWEST_HZ * lags))
    inner = worth[:, 1:-1]
    peaks = (inner >= worth[:, :-2]) & (inner >= worth[:, 2:])
    best = 1 + np.where(peaks, inner, -np.inf).argmax(1)
    rows = np.arange(len(frames))
    before, at, after = (height[rows, best + step] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0)
    return np.log2(LAG_RATE / (lags[best] + np.clip(shift, -0.5, 0.5))), at


@cache
def _window_correlation() -> np.ndarray:
    """Autocorrelation of the window by lag, relative to that at lag 0: float32 `[N_FFT // 2]`."""
    spectrum = scipy.fft.rfft(hann(WINDOW), N_FFT)[: N_FFT // 4 + 1]
    correlation = scipy.fft.irfft(np.abs(spectrum) ** 2, N_FFT // 2)
    return np.maximum(correlation / correlation[0], 1e-3).astype(np.float32)
