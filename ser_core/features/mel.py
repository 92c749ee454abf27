"""The mel image: what the 2D networks see (report, section 3.2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from ser_core.audio import SAMPLE_RATE
from ser_core.features.config import FeatureConfig
from ser_core.features.filterbanks import mel_operator
from ser_core.features.spectrum import TOP_DB, power_spectrum, power_to_db


def log_mel(waveform: np.ndarray, config: FeatureConfig = FeatureConfig()) -> np.ndarray:
    """Mel spectrogram in dB relative to its loudest value (report, section 3.2).

    Returns:
        float32 `[n_mels, 1 + samples // mel_hop_length]` in -80..0, the lowest band first.
    """
    power = power_spectrum(waveform, config.mel_n_fft, config.mel_hop_length)
    mel = mel_operator(SAMPLE_RATE, config.mel_n_fft, config.n_mels, config.fmax) @ power
    return power_to_db(mel) - power_to_db(mel.max(keepdims=True))


def mel_spectrograms(waveform: np.ndarray, config: FeatureConfig = FeatureConfig()) -> np.ndarray:
    """The mel spectrogram of each window, as long as the clip.

    Returns:
        float32 `[1 + mel_windows, n_mels, 1 + samples // mel_hop_length]` in 0..1: that of `mel_n_fft`, and those of
        `mel_windows`, each relative to its own loudest value; the lowest band first.
    """
    windows = (config.mel_n_fft, *config.mel_windows)
    return np.stack([scale_mel(log_mel(waveform, replace(config, mel_n_fft=n, mel_windows=()))) for n in windows])


def scale_mel(log_mel_db: np.ndarray) -> np.ndarray:
    """Map a `log_mel` from -80..0 dB to 0..1, same shape."""
    return np.clip(log_mel_db / TOP_DB + 1, 0, 1).astype(np.float32)


def mel_image(log_mel_db: np.ndarray, config: FeatureConfig = FeatureConfig()) -> np.ndarray:
    """The whole clip's `log_mel` as one square image.

    Time is squeezed or stretched to fit, with a triangle filter as wide as the step, so that no frame is skipped.

    Args:
        log_mel_db: `[n_mels, frames]`, from `log_mel`.

    Returns:
        float32 `[1, image_size, image_size]` in 0..1, the lowest band first.
    """
    size = (config.image_size, config.image_size)
    image = Image.fromarray(scale_mel(log_mel_db)).resize(size, Image.Resampling.BILINEAR)
    return np.clip(np.asarray(image, dtype=np.float32), 0, 1)[None]
