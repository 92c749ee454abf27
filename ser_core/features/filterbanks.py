"""The two matrices that turn a power spectrum into mel bands and pitch classes.

The same numbers as `librosa.filters.mel` and `librosa.filters.chroma` (a test holds them to 1e-6), computed in
NumPy: librosa's chroma compiles itself for ten seconds on a cold machine before it answers.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

# Slaney's mel scale: linear below 1 kHz, logarithmic above (Auditory Toolbox, 1998).
LINEAR_HZ_PER_MEL = 200.0 / 3
BREAK_HZ = 1000.0
LOG_STEP = np.log(6.4) / 27.0
A440_OCTAVE_HZ = 440.0 / 16  # librosa counts octaves from here
CHROMA_CENTRE_OCTAVE = 5.0
CHROMA_OCTAVE_WIDTH = 2.0


def hz_to_mel(frequency: np.ndarray | float) -> np.ndarray:
    """Frequencies in Hz to mels on Slaney's scale."""
    frequency = np.asarray(frequency, dtype=np.float64)
    linear = frequency / LINEAR_HZ_PER_MEL
    logarithmic = BREAK_HZ / LINEAR_HZ_PER_MEL + np.log(np.maximum(frequency, BREAK_HZ) / BREAK_HZ) / LOG_STEP
    return np.where(frequency < BREAK_HZ, linear, logarithmic)


def mel_to_hz(mels: np.ndarray | float) -> np.ndarray:
    """Mels on Slaney's scale to frequencies in Hz."""
    mels = np.asarray(mels, dtype=np.float64)
    break_mel = BREAK_HZ / LINEAR_HZ_PER_MEL
    return np.where(
        mels < break_mel,
        mels * LINEAR_HZ_PER_MEL,
        BREAK_HZ * np.exp(LOG_STEP * (np.maximum(mels, break_mel) - break_mel)),
    )


def mel_frequencies(n_mels: int, fmax: float) -> np.ndarray:
    """Centre frequencies in Hz of `n_mels` bands between 0 Hz and `fmax`: float64 `[n_mels]`."""
    return mel_to_hz(np.linspace(0, hz_to_mel(fmax), n_mels + 2))[1:-1]


@lru_cache(maxsize=32)
def mel_operator(sample_rate: int, n_fft: int, n_mels: int, fmax: float) -> csr_array:
    """`mel_filterbank` to multiply spectra with.

    Sparse, because a triangle spans few bins; and a dense product would wake the threads of the linear algebra
    library, which then fight those of the network for the cores (100 ms instead of 10 in one call of twenty).
    """
    return csr_array(mel_filterbank(sample_rate, n_fft, n_mels, fmax))


@lru_cache(maxsize=32)
def chroma_operator(sample_rate: int, n_fft: int, n_chroma: int) -> csr_array:
    """`chroma_filterbank` to multiply spectra with; it isn't sparse, but see `mel_operator`."""
    return csr_array(chroma_filterbank(sample_rate, n_fft, n_chroma))


@lru_cache(maxsize=32)
def mel_filterbank(sample_rate: int, n_fft: int, n_mels: int, fmax: float) -> np.ndarray:
    """Triangles of equal area on the mel scale: float32 `[n_mels, 1 + n_fft // 2]`, read-only."""
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    corners = mel_to_hz(np.linspace(0, hz_to_mel(fmax), n_mels + 2))
    widths = np.diff(corners)[:, None]
    ramps = corners[:, None] - bins
    rising, falling = -ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    weights = (triangles * (2.0 / (corners[2:] - corners[:-2]))[:, None]).astype(np.float32)
    weights.flags.writeable = False
    return weights


@lru_cache(maxsize=32)
def chroma_filterbank(sample_rate: int, n_fft: int, n_chroma: int) -> np.ndarray:
    """Gaussian bumps around each pitch class, tuned to A = 440 Hz: float32 `[n_chroma, 1 + n_fft // 2]`, read-only.

    Each column has unit length and octaves around 880 Hz weigh most (Ellis 2007, as in librosa).
    """
    frequencies = np.arange(1, n_fft) * (sample_rate / n_fft)
    octaves = np.log2(frequencies / A440_OCTAVE_HZ)
    positions = n_chroma * octaves
    # The bin at 0 Hz has no pitch: it is put one and a half octaves below the first.
    positions = np.concatenate(([positions[0] - 1.5 * n_chroma], positions))
    widths = np.concatenate((np.maximum(np.diff(positions), 1.0), [1.0]))

    half = round(n_chroma / 2)
    distances = positions - np.arange(n_chroma)[:, None]
    distances = np.remainder(distances + half + 10 * n_chroma, n_chroma) - half
    weights = np.exp(-0.5 * (2 * distances / widths) ** 2)
    weights /= np.linalg.norm(weights, axis=0)
    octave_weights = np.exp(-0.5 * ((positions / n_chroma - CHROMA_CENTRE_OCTAVE) / CHROMA_OCTAVE_WIDTH) ** 2)
    weights = weights * octave_weights
    weights = np.roll(weights, -3 * (n_chroma // 12), axis=0)  # from A first to C first
    result = np.ascontiguousarray(weights[:, : 1 + n_fft // 2], dtype=np.float32)
    result.flags.writeable = False
    return result
