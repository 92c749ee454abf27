"""What is done to a recording frame by frame: gates against noise, other pace, other pitch."""

from __future__ import annotations

import numpy as np
import scipy  # whose ndimage package is loaded when it is used

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.changes.lines import fit_length

FRAME_LENGTH = 512  # samples, 32 ms
HOP_LENGTH = 128  # samples, 8 ms
WINDOW = np.sqrt(np.hanning(FRAME_LENGTH + 1)[:-1] / 2).astype(
    np.float32
)  # its square, overlapping fourfold, sums to 1
SMOOTHING = (5, 3)  # frames and bins over which a gate opens and closes
N_HOPS = FRAME_LENGTH // HOP_LENGTH
QUIET_SHARE = 0.15  # of a recording's frames: pauses
TINY = np.float32(1e-20)  # gives digital silence a phase


def spectral_gate(waveform: np.ndarray, *, threshold_db: float = 6.0, reduction_db: float = 30.0) -> np.ndarray:
    """Turn down what hardly stands out of a steady background, as microphones and call software do.

    Each frequency's background is its mean power in the quietest frames of the recording.

    Args:
        waveform: float32 `[samples]` at 16 kHz.
        threshold_db: how far above the background something has to be to pass, in dB.
        reduction_db: by how much the rest is turned down, in dB, >= 0.

    Returns:
        float32 `[samples]`, as many.
    """
    frames = stft(waveform)
    powers = frames.real**2 + frames.imag**2
    inside = powers[N_HOPS - 1 : max(N_HOPS, len(powers) - N_HOPS)]  # frames without the zeros around the recording
    quietest = inside.sum(axis=1).argsort()[: max(1, int(QUIET_SHARE * len(inside)))]
    background = inside[quietest].mean(axis=0)
    passes = (powers > background * np.float32(10 ** (threshold_db / 10))).astype(np.float32)
    floor = np.float32(10 ** (-reduction_db / 20))
    gains = floor + (1 - floor) * scipy.ndimage.uniform_filter(passes, SMOOTHING)
    return inverse_stft(frames * gains, len(waveform))


def change_speed(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Play `[samples]` faster, and higher with it: `[samples / factor]`, `factor` > 0, above 1 for faster."""
    import soxr

    return soxr.resample(waveform, SAMPLE_RATE * factor, SAMPLE_RATE, quality="HQ") if factor != 1 else waveform


def stretch(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Speak faster at the same pitch: `[samples / factor]`, `factor` > 0, above 1 for faster.

    A phase vocoder (Flanagan and Golden 1966): frames are read at another pace, and each frequency's phase goes on as
    fast as it did.
    """
    frames = stft(waveform)
    positions = np.arange(0, len(frames) - 1, factor)
    before = positions.astype(int)
    share = (positions - before).astype(np.float32)[:, None]
    magnitudes = np.abs(frames)
    # Phases as complex numbers of magnitude 1: their products add angles up, without a sine or an arc tangent.
    turns = np.empty_like(frames[before])
    turns[0] = frames[0]
    turns[1:] = frames[before[:-1] + 1] * frames[before[:-1]].conj()
    turns += TINY
    phases = np.cumprod(turns / np.abs(turns), axis=0)
    strengths = (1 - share) * magnitudes[before] + share * magnitudes[before + 1]
    return inverse_stft(strengths * phases, round(len(waveform) / factor))


def change_pitch(waveform: np.ndarray, semitones: float) -> np.ndarray:
    """Speak higher at the same pace: float32 `[samples]`, as many; `semitones` below 0 for lower."""
    factor = 2 ** (semitones / 12)
    return fit_length(change_speed(stretch(waveform, 1 / factor), factor), len(waveform))


def stft(waveform: np.ndarray) -> np.ndarray:
    """Complex64 `[frames, 257]` of float32 `[samples]`: 32 ms every 8 ms, so that each sample is in four frames."""
    padded = np.pad(waveform, (FRAME_LENGTH - HOP_LENGTH, FRAME_LENGTH))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_LENGTH)[::HOP_LENGTH]
    return scipy.fft.rfft(frames * WINDOW, axis=1)


def inverse_stft(frames: np.ndarray, n_samples: int) -> np.ndarray:
    """Float32 `[n_samples]` from complex `[frames, 257]`, as `stft` gives them."""
    pieces = scipy.fft.irfft(frames, FRAME_LENGTH, axis=1).astype(np.float32) * WINDOW
    joined = np.zeros((len(pieces) + N_HOPS - 1, HOP_LENGTH), dtype=np.float32)
    for i in range(N_HOPS):
        joined[i : i + len(pieces)] += pieces[:, i * HOP_LENGTH : (i + 1) * HOP_LENGTH]
    return fit_length(joined.reshape(-1)[FRAME_LENGTH - HOP_LENGTH :], n_samples)
