"""What Whisper's encoder hears of speech: its log-mel spectrogram (Radford et al. 2022, section 2.2).

    speech → one level → Hann window of 25 ms every 10 ms → power → 80 mel bands → log10 → floor → scale

The original keeps the absolute level, so that the same voice recorded 20 dB quieter is another input. Here the speech
is brought to one level first, and everything 60 dB below the loudest band is one floor (80 dB in the original), so that
how silent a room was is less of a cue. Clips are taken as long as they are: the original pads each to 30 s.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.level import to_speech_level
from ser_core.features.filterbanks import mel_operator
from ser_core.features.spectrum import hann

N_FFT = 400  # samples, 25 ms
HOP_LENGTH = 160  # samples, 10 ms
N_MELS = 80
MAX_SECONDS = 30  # as many positions does the encoder know
MAX_FRAMES = MAX_SECONDS * SAMPLE_RATE // HOP_LENGTH
SMALLEST_POWER = 1e-10  # of which a logarithm is taken
DYNAMIC_RANGE_DB = 60.0


def whisper_log_mel(speech: np.ndarray) -> np.ndarray:
    """Log-mel spectrogram of one clip.

    Args:
        speech: float32 `[samples]` at 16 kHz at any level; what comes after 30 s is cut.

    Returns:
        float32 `[80, frames]`, a frame every 10 ms, `max(1, samples // 160)` of them; values lie around 0, between
        about -1 and 1.5.
    """
    speech = speech[: MAX_SECONDS * SAMPLE_RATE]
    n_frames = max(1, len(speech) // HOP_LENGTH)
    power = _power_spectrum(to_speech_level(speech), n_frames)
    mel = mel_operator(SAMPLE_RATE, N_FFT, N_MELS, SAMPLE_RATE / 2) @ power
    log = np.log10(np.maximum(mel, SMALLEST_POWER))
    floor = log.max() - DYNAMIC_RANGE_DB / 10
    return ((np.maximum(log, floor) + 4) / 4).astype(np.float32)


def _power_spectrum(waveform: np.ndarray, n_frames: int) -> np.ndarray:
    """Squared magnitudes of centred frames, mirrored at the ends of the clip: float32 `[201, frames]`."""
    side = N_FFT // 2
    # A mirror needs more samples than it shows; a clip of under 12.5 ms continues with zeros.
    waveform = np.pad(waveform, (0, max(0, side + 1 - len(waveform))))
    padded = np.pad(waveform, side, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP_LENGTH][:n_frames]
    spectrum = scipy.fft.rfft(frames * hann(N_FFT), axis=1)
    return np.ascontiguousarray((spectrum.real**2 + spectrum.imag**2).T)
