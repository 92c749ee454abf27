"""Frames and power spectra, which the spectral features and the mel image share."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

AMIN = 1e-10  # power below this counts as this, before the logarithm
TOP_DB = 80.0  # dB; nothing is further below the loudest value than this


def power_spectrum(waveform: np.ndarray, n_fft: int, hop_length: int) -> np.ndarray:
    """Squared magnitude of the short-time Fourier transform, Hann window, centred frames, zeros around.

    Returns:
        float32 `[1 + n_fft // 2, 1 + samples // hop_length]`.
    """
    spectrum = scipy.fft.rfft(centred_frames(waveform, n_fft, hop_length) * hann(n_fft), axis=1)
    return np.ascontiguousarray((spectrum.real**2 + spectrum.imag**2).T)


def power_to_db(power: np.ndarray) -> np.ndarray:
    """Power to dB, no more than 80 dB below the loudest value."""
    decibels = 10 * np.log10(np.maximum(power, AMIN))
    return np.maximum(decibels, decibels.max() - TOP_DB)


def centred_frames(waveform: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Overlapping frames, the first centred on the first sample, zeros around: `[1 + samples // hop_length, frame]`.

    A read-only view, but for the padding.
    """
    padded = np.pad(waveform.astype(np.float32, copy=False), frame_length // 2)
    return sliding_window_view(padded, frame_length)[::hop_length]


@cache
def hann(n_fft: int) -> np.ndarray:
    """The periodic Hann window: float32 `[n_fft]`."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
