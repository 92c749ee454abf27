"""What the networks see: 27 spectral channels over time, and a 64 × 64 mel image (report, section 3).

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

from ser_core.features.config import FeatureConfig
from ser_core.features.descriptors import SPECTRAL_FEATURES
from ser_core.features.spectrum import power_spectrum


def spectral_features(waveform: np.ndarray, config: FeatureConfig = FeatureConfig()) -> np.ndarray:
    """ZCR, chroma, MFCC and RMS, frame by frame (report, section 3.1), or those that the configuration names.

    Returns:
        float32 `[27, 1 + samples // hop_length]`, channels as in `FeatureConfig.channel_names`. ZCR and chroma lie
        in 0..1, MFCC are in dB, RMS is in the waveform's unit.
    """
    power = power_spectrum(waveform, config.frame_length, config.hop_length)
    rows = [np.atleast_2d(SPECTRAL_FEATURES[name].compute(waveform, power, config)) for name in config.spectral]
    return np.concatenate(rows).astype(np.float32)


def fix_frames(features: np.ndarray, n_frames: int = FeatureConfig.n_frames) -> np.ndarray:
    """Cut or zero-pad `[channels, frames]` at its end to `[channels, n_frames]`."""
    features = features[:, :n_frames]
    return np.pad(features, ((0, 0), (0, n_frames - features.shape[1])))


def mean_over_time(features: np.ndarray) -> np.ndarray:
    """The single-channel form: `[channels, frames]` to the means `[1, channels]` (report, section 4.4)."""
    return features.mean(axis=1)[None]
