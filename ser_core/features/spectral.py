"""What the networks see: 27 spectral channels over time, and a 64 × 64 mel image (report, section 3).

Every channel is the number that librosa's own function gives for the same waveform (tests hold each to it), but one
short-time Fourier transform serves both chroma and MFCC, and nothing is compiled at run time.

Shapes: a waveform is float32 `[samples]` at 16 kHz, as `ser_core.audio.preprocess.preprocess` leaves it.

| function            | result                 | for                              |
|---------------------|------------------------|----------------------------------|
| `spectral_features` | `[27, frames]`         | any length                       |
| `fix_frames`        | `[27, 301]`            | 1D CNN                           |
| `mean_over_time`    | `[1, 27]`              | single-channel variant           |
| `log_mel`           | `[64, frames]`, dB     | figures                          |
| `scale_mel`         | `[64, frames]` in 0..1 | variable-length 2D CNN           |
| `mel_image`         | `[1, 64, 64]` in 0..1  | 2D CNN                           |
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from ser_core.audio import SAMPLE_RATE
from ser_core.features.config import PITCH_CLASSES, FeatureConfig
from ser_core.features.filterbanks import chroma_operator, mel_operator
from ser_core.features.spectrum import centred_frames, power_spectrum, power_to_db

ZERO_CROSSING_THRESHOLD = 1e-10  # amplitude below this counts as zero


def spectral_features(waveform: np.ndarray, config: FeatureConfig = FeatureConfig()) -> np.ndarray:
    """ZCR, chroma, MFCC and RMS, frame by frame (report, section 3.1).

    Returns:
        float32 `[27, 1 + samples // hop_length]`, channels as in `FeatureConfig.channel_names`. ZCR and chroma lie
        in 0..1, MFCC are in dB, RMS is in the waveform's unit.
    """
    power = power_spectrum(waveform, config.frame_length, config.hop_length)
    rows = (
        zero_crossing_rate(waveform, config.frame_length, config.hop_length)[None],
        chroma(power, config.frame_length),
        mfcc(power, config),
        rms(waveform, config.frame_length, config.hop_length)[None],
    )
    return np.concatenate(rows).astype(np.float32)


def fix_frames(features: np.ndarray, n_frames: int = FeatureConfig.n_frames) -> np.ndarray:
    """Cut or zero-pad `[channels, frames]` at its end to `[channels, n_frames]`."""
    features = features[:, :n_frames]
    return np.pad(features, ((0, 0), (0, n_frames - features.shape[1])))


def mean_over_time(features: np.ndarray) -> np.ndarray:
    """The single-channel form: `[channels, frames]` to the means `[1, channels]` (report, section 4.4)."""
    return features.mean(axis=1)[None]


def zero_crossing_rate(waveform: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Share of a frame's samples at which the sign changes: `[1 + samples // hop_length]` in 0..1."""
    padded = np.pad(waveform, frame_length // 2, mode="edge" if len(waveform) else "constant")
    negative = padded < -ZERO_CROSSING_THRESHOLD
    crossings = np.concatenate(([0, 0], np.cumsum(negative[1:] != negative[:-1])))
    starts = np.arange(1 + len(waveform) // hop_length) * hop_length
    return (crossings[starts + frame_length] - crossings[starts + 1]) / frame_length


def rms(waveform: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Root mean square of each centred frame: `[1 + samples // hop_length]`, in the waveform's unit."""
    frames = centred_frames(waveform, frame_length, hop_length)
    return np.sqrt(np.einsum("ij,ij->i", frames, frames) / frame_length)


def chroma(power: np.ndarray, n_fft: int) -> np.ndarray:
    """Energy of the twelve pitch classes, the strongest of each frame 1: `[bins, frames]` to `[12, frames]`.

    A = 440 Hz is assumed: estimating a tuning, as librosa does by default, is for instruments.
    """
    raw = chroma_operator(SAMPLE_RATE, n_fft, len(PITCH_CLASSES)) @ power
    strongest = raw.max(axis=0)
    return raw / np.where(strongest < np.finfo(np.float32).tiny, 1, strongest)


def mfcc(power: np.ndarray, config: FeatureConfig) -> np.ndarray:
    """Mel-frequency cepstral coefficients: `[bins, frames]` to `[n_mfcc, frames]`, in dB, orthonormal DCT-II."""
    mel = mel_operator(SAMPLE_RATE, config.frame_length, config.mfcc_n_mels, SAMPLE_RATE / 2) @ power
    return scipy.fft.dct(power_to_db(mel), axis=0, norm="ortho")[: config.n_mfcc]
