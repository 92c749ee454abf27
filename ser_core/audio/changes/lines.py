"""What microphones and lines do to the spectrum: equalisers, band limits, low sample rates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np
import scipy  # whose signal package is loaded when it is used: that takes half a second

from ser_core.audio import SAMPLE_RATE

Kind = Literal["peak", "low shelf", "high shelf"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TELEPHONE_HZ = (300.0, 3400.0)
FILTER_ORDER = 8
NEUTRAL_HZ = 1000.0  # where a tilt leaves the level as it is


class Band(NamedTuple):
    """One band of an equaliser.

    Attributes:
        kind: `peak` changes what is around `hz`, a shelf all below or above it.
        hz: in 0..8,000.
        gain_db: above 0 for more of it.
        q: how narrow, > 0; a shelf without a hump has 0.7.
    """

    kind: Kind
    hz: float
    gain_db: float
    q: float = 0.7


def equalize(waveform: np.ndarray, bands: Sequence[Band]) -> np.ndarray:
    """Apply the bands of an equaliser to float32 `[samples]` at 16 kHz."""
    if not bands:
        return waveform
    return _filtered(np.array([_section(band) for band in bands]), waveform)


def random_bands(rng: np.random.Generator, max_db: float) -> list[Band]:
    """Two shelves and one or two peaks of up to ±`max_db`: some microphone at some distance."""
    peaks = [
        Band(
            "peak",
            float(np.exp(rng.uniform(np.log(150), np.log(6000)))),
            rng.uniform(-max_db, max_db),
            rng.uniform(0.5, 2),
        )
        for _ in range(rng.integers(1, 3))
    ]
    low = Band("low shelf", float(np.exp(rng.uniform(np.log(80), np.log(600)))), rng.uniform(-max_db, max_db))
    high = Band("high shelf", float(np.exp(rng.uniform(np.log(1500), np.log(6000)))), rng.uniform(-max_db, max_db))
    return [low, *peaks, high]


def tilt(waveform: np.ndarray, db_per_octave: float) -> np.ndarray:
    """Turn the spectrum of `[samples]` around 1 kHz, from 50 Hz up: `db_per_octave` above 0 gives more treble."""
    length = scipy.fft.next_fast_len(2 * len(waveform), real=True)  # room for the filter's tail on both sides
    hz = np.maximum(scipy.fft.rfftfreq(length, 1 / SAMPLE_RATE), 50).astype(np.float32)
    gains = 10 ** (db_per_octave * np.log2(hz / np.float32(NEUTRAL_HZ)) / 20)
    return scipy.fft.irfft(scipy.fft.rfft(waveform, length) * gains, length)[: len(waveform)].astype(np.float32)


def less_bass(waveform: np.ndarray, coefficient: float = 0.7) -> np.ndarray:
    """The filter `1 - coefficient z⁻¹`, coefficient in 0..1: a little less bass, a little more treble."""
    changed = waveform.copy()
    changed[1:] -= np.float32(coefficient) * waveform[:-1]
    return changed


def band_pass(waveform: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Keep what lies between two frequencies in 0..8,000 Hz: a Butterworth filter, 48 dB an octave on each side."""
    return low_pass(_butterworth(waveform, low_hz, "highpass"), high_hz)


def low_pass(waveform: np.ndarray, high_hz: float) -> np.ndarray:
    """Keep what lies below a frequency in 0..8,000 Hz: a Butterworth filter, 48 dB an octave."""
    return _butterworth(waveform, high_hz, "lowpass")


def through_rate(waveform: np.ndarray, rate: float) -> np.ndarray:
    """Bring `[samples]` at 16 kHz to a lower rate in Hz and back, as it was sent or stored; as long as before."""
    import soxr

    low = soxr.resample(waveform, SAMPLE_RATE, rate, quality="HQ")
    return fit_length(soxr.resample(low, rate, SAMPLE_RATE, quality="HQ"), len(waveform))


def fit_length(waveform: np.ndarray, n_samples: int) -> np.ndarray:
    """`[n_samples]`: cut, or filled up with zeros at the end."""
    return np.pad(waveform[:n_samples], (0, max(0, n_samples - len(waveform))))


def _butterworth(waveform: np.ndarray, hz: float, kind: Literal["lowpass", "highpass"]) -> np.ndarray:
    return _filtered(_sections(round(hz), kind), waveform)


@lru_cache(maxsize=256)
def _sections(hz: int, kind: Literal["lowpass", "highpass"]) -> np.ndarray:
    return scipy.signal.butter(FILTER_ORDER, hz, kind, fs=SAMPLE_RATE, output="sos")


def _filtered(sections: np.ndarray, waveform: np.ndarray) -> np.ndarray:
    # In 64 bits: sections at low frequencies have poles so close to 1 that 32 are too few.
    return scipy.signal.sosfilt(sections, waveform.astype(np.float64)).astype(np.float32)


def _section(band: Band) -> np.ndarray:
    """Second-order section `[6]` (R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients)."""
    omega = 2 * np.pi * band.hz / SAMPLE_RATE
    cos, alpha, a = np.cos(omega), np.sin(omega) / (2 * band.q), 10 ** (band.gain_db / 40)
    if band.kind == "peak":
        section = np.array([1 + alpha * a, -2 * cos, 1 - alpha * a, 1 + alpha / a, -2 * cos, 1 - alpha / a])
    else:
        sign, root = (1 if band.kind == "low shelf" else -1), 2 * np.sqrt(a) * alpha
        up, down = (a + 1) + sign * (a - 1) * cos, (a + 1) - sign * (a - 1) * cos
        section = np.array(
            [
                a * (down + root),
                sign * 2 * a * ((a - 1) - sign * (a + 1) * cos),
                a * (down - root),
                up + root,
                -sign * 2 * ((a - 1) + sign * (a + 1) * cos),
                up - root,
            ]
        )
    return section / section[3]
