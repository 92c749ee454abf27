"""The kinds of spectral features by name. A new one is a function below, and a line in `SPECTRAL_FEATURES`.

A waveform is float32 `[samples]` at 16 kHz; `power` is its spectrum, `[1 + frame_length // 2, frames]`, see
`ser_core.features.spectrum`. Every number is what librosa's own function gives for the same waveform (tests hold each
to it), but one short-time Fourier transform serves both chroma and MFCC, and nothing is compiled at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import scipy.fft

from ser_core.audio import SAMPLE_RATE
from ser_core.features.channels import (
    PITCH_CLASSES,
    Channel,
    chroma_channels,
    mfcc_channels,
    rms_channels,
    zero_crossing_channels,
)
from ser_core.features.filterbanks import chroma_operator, mel_operator
from ser_core.features.spectrum import centred_frames, power_to_db

ZERO_CROSSING_THRESHOLD = 1e-10  # amplitude below this counts as zero


class SpectralSettings(Protocol):
    """What the features ask for, see `ser_core.features.config.FeatureConfig`."""

    @property
    def frame_length(self) -> int: ...
    @property
    def hop_length(self) -> int: ...
    @property
    def n_mfcc(self) -> int: ...
    @property
    def mfcc_n_mels(self) -> int: ...


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


def mfcc(power: np.ndarray, config: SpectralSettings) -> np.ndarray:
    """Mel-frequency cepstral coefficients: `[bins, frames]` to `[n_mfcc, frames]`, in dB, orthonormal DCT-II."""
    mel = mel_operator(SAMPLE_RATE, config.frame_length, config.mfcc_n_mels, SAMPLE_RATE / 2) @ power
    return scipy.fft.dct(power_to_db(mel), axis=0, norm="ortho")[: config.n_mfcc]


class SpectralFeature(NamedTuple):
    """One kind of spectral features.

    Attributes:
        channels: what they are called and measure for a configuration, one a channel.
        compute: them of a waveform and its power spectrum: `[channels, frames]`, or `[frames]` for one channel.
    """

    channels: Callable[[SpectralSettings], tuple[Channel, ...]]
    compute: Callable[[np.ndarray, np.ndarray, SpectralSettings], np.ndarray]


SPECTRAL_FEATURES = {
    "zcr": SpectralFeature(
        lambda config: zero_crossing_channels(),
        lambda waveform, power, config: zero_crossing_rate(waveform, config.frame_length, config.hop_length),
    ),
    "chroma": SpectralFeature(
        lambda config: chroma_channels(),
        lambda waveform, power, config: chroma(power, config.frame_length),
    ),
    "mfcc": SpectralFeature(
        lambda config: mfcc_channels(config.n_mfcc, config.mfcc_n_mels),
        lambda waveform, power, config: mfcc(power, config),
    ),
    "rms": SpectralFeature(
        lambda config: rms_channels(),
        lambda waveform, power, config: rms(waveform, config.frame_length, config.hop_length),
    ),
}
"""All kinds by name; `FeatureConfig.spectral` says which are used."""
