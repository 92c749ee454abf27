"""The sound of a room, from a synthetic impulse response."""

from __future__ import annotations

import numpy as np
import scipy  # whose signal package is loaded when it is used: that takes half a second

from ser_core.audio import SAMPLE_RATE

FIRST_SECONDS = 0.003  # from the direct sound to the first reflection: a wall half a metre away
EARLY_SECONDS = 0.05  # until when single reflections stand out
N_REFLECTIONS = 8
EARLY_SHARE = 0.5  # of the reverberant power, in these


def reverberate(
    waveform: np.ndarray, rng: np.random.Generator, *, rt60: float, direct_to_reverberant_db: float
) -> np.ndarray:
    """Float32 `[samples]` at 16 kHz as heard in a room: as long as before, the direct sound where it was.

    Args:
        rt60, direct_to_reverberant_db: see `impulse_response`.
    """
    response = impulse_response(rng, rt60=rt60, direct_to_reverberant_db=direct_to_reverberant_db)
    return scipy.signal.fftconvolve(waveform, response)[: len(waveform)]


def impulse_response(rng: np.random.Generator, *, rt60: float, direct_to_reverberant_db: float) -> np.ndarray:
    """The direct sound, some early reflections, and noise that decays exponentially (Moorer 1979).

    Args:
        rt60: seconds in which the reverberation falls by 60 dB, > 0.
        direct_to_reverberant_db: energy of the direct sound over all that comes after it, in dB; it falls with the
            distance to the microphone.

    Returns:
        float32 `[rt60 * 16,000]` of unit energy, the direct sound first.
    """
    n_samples = max(round(rt60 * SAMPLE_RATE), round(2 * FIRST_SECONDS * SAMPLE_RATE))
    first, early_end = round(FIRST_SECONDS * SAMPLE_RATE), min(round(EARLY_SECONDS * SAMPLE_RATE), n_samples)
    decay = 10 ** (-3 * np.arange(n_samples) / (rt60 * SAMPLE_RATE))
    early = np.zeros(n_samples)
    early[rng.integers(first, early_end, N_REFLECTIONS)] = rng.choice([-1, 1], N_REFLECTIONS)
    late = rng.standard_normal(n_samples)
    late[:first] = 0
    reflected = EARLY_SHARE**0.5 * _unit_energy(early * decay) + (1 - EARLY_SHARE) ** 0.5 * _unit_energy(late * decay)
    response = _unit_energy(reflected) * 10 ** (-direct_to_reverberant_db / 20)
    response[0] = 1
    return _unit_energy(response).astype(np.float32)


def _unit_energy(response: np.ndarray) -> np.ndarray:
    return response / np.sqrt(np.square(response).sum())
