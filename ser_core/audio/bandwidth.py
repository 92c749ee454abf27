"""Up to which frequency a recording holds sound: telephones, old recorders and low-rate files leave out the rest."""

from __future__ import annotations

import numpy as np
import scipy.fft

from ser_core.audio import SAMPLE_RATE

FULL_BAND_HZ = 7000.0  # a recording that reaches it is not called limited: lossy files end somewhat below 8 kHz
NARROWEST_HZ = 2500.0  # what ends below is no voice over some line, but a tone or a hum
SPEECH_HZ = (300.0, 3400.0)  # what every line carries, and so what the rest is compared with
RANGE_DB = 45.0
"""What lies further below the speech band isn't there.

Of real speech, the quietest 500 Hz of CREMA-D and RAVDESS clips lie 40 dB below at most, what a filter or a codec
leaves out 50 dB and more (`tests/audio/test_bandwidth.py` looks at both).
"""

BAND_HZ = 500.0
WINDOW = 512  # samples, 32 ms


def bandwidth(waveform: np.ndarray) -> float:
    """The highest frequency at which a recording holds sound, in steps of 500 Hz: 8,000 where nothing is missing.

    Args:
        waveform: float32 `[samples]` at 16 kHz, at any level.

    Returns:
        Hz, in 0..8,000; 0 for silence and for less than 32 ms.
    """
    if len(waveform) < WINDOW or not waveform.any():
        return 0.0
    # Not scipy.signal's spectrogram: loading that package takes half a second of each command's start.
    frames = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[:: WINDOW // 2]
    power = np.abs(scipy.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2
    loudness = power.sum(axis=1)
    spectrum = power[loudness >= np.median(loudness)].mean(axis=0)  # pauses only show the noise
    hz = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
    speech = spectrum[(hz >= SPEECH_HZ[0]) & (hz <= SPEECH_HZ[1])].mean()
    edges = np.arange(0, SAMPLE_RATE / 2, BAND_HZ)
    present = [spectrum[(hz >= low) & (hz < low + BAND_HZ)].mean() > speech * 10 ** (-RANGE_DB / 10) for low in edges]
    return float(edges[np.flatnonzero(present).max()] + BAND_HZ) if any(present) else 0.0


def is_band_limited(hz: float) -> bool:
    """Whether a `bandwidth` says that a part of the spectrum is missing."""
    return NARROWEST_HZ <= hz < FULL_BAND_HZ
