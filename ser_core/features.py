"""What the networks see: 27 spectral channels over time, and a 64 × 64 mel image (report, section 3).

Every channel is the number that librosa's own function gives for the same waveform (tests hold each to it), but one
short-time Fourier transform serves both chroma and MFCC, and nothing is compiled at run time.

Shapes: a waveform is float32 `[samples]` at 16 kHz, as `ser_core.audio.preprocess` leaves it.

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

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from ser_core.errors import ConfigError
from ser_core.filterbanks import chroma_operator, mel_operator
from ser_core.vad import SAMPLE_RATE

AMIN = 1e-10  # power below this counts as this, before the logarithm
TOP_DB = 80.0  # dB; nothing is further below the loudest value than this
ZERO_CROSSING_THRESHOLD = 1e-10  # amplitude below this counts as zero
PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


@dataclass(frozen=True)
class FeatureConfig:
    """Parameters of the features; the defaults are the report's (sections 3.1 and 3.2).

    Attributes:
        frame_length: window of the spectral features, in samples; even int > 0.
        hop_length: step of the spectral features, in samples; int > 0.
        n_mfcc: MFCC kept, 1 to `mfcc_n_mels`.
        mfcc_n_mels: mel bands beneath the MFCC. The report is silent; librosa's 128 would leave a quarter of the
            bands empty at a window of 512, so the usual 40 is taken.
        n_frames: frames of the fixed-size form; 301 is 3 s.
        mel_n_fft: window of the mel image, in samples; even int > 0.
        mel_hop_length: step of the mel image, in samples; int > 0.
        n_mels: mel bands of the image; int > 0.
        mel_fmax: upper edge of the mel bands in Hz; no higher than half the sample rate is ever used.
        image_size: height and width of the mel image, in pixels.
    """

    frame_length: int = 512
    hop_length: int = 160
    n_mfcc: int = 13
    mfcc_n_mels: int = 40
    n_frames: int = 301
    mel_n_fft: int = 1024
    mel_hop_length: int = 256
    n_mels: int = 64
    mel_fmax: float = 10_000.0
    image_size: int = 64

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ConfigError(f"{name} is a number above 0, not {value}.")
        if self.frame_length % 2 or self.mel_n_fft % 2:
            raise ConfigError("frame_length and mel_n_fft are even: frames are centred.")
        if self.n_mfcc > self.mfcc_n_mels:
            raise ConfigError(f"n_mfcc is at most mfcc_n_mels ({self.mfcc_n_mels}), not {self.n_mfcc}.")

    @property
    def fmax(self) -> float:
        """Upper edge of the mel bands actually used, in Hz."""
        return min(self.mel_fmax, SAMPLE_RATE / 2)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the spectral channels, in order: ZCR, 12 pitch classes, MFCC, RMS."""
        chroma = (f"chroma {pitch}" for pitch in PITCH_CLASSES)
        return ("ZCR", *chroma, *(f"MFCC {i}" for i in range(self.n_mfcc)), "RMS")


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


def log_mel(waveform: np.ndarray, config: FeatureConfig = FeatureConfig()) -> np.ndarray:
    """Mel spectrogram in dB relative to its loudest value (report, section 3.2).

    Returns:
        float32 `[n_mels, 1 + samples // mel_hop_length]` in -80..0, the lowest band first.
    """
    power = power_spectrum(waveform, config.mel_n_fft, config.mel_hop_length)
    mel = mel_operator(SAMPLE_RATE, config.mel_n_fft, config.n_mels, config.fmax) @ power
    return power_to_db(mel) - power_to_db(mel.max(keepdims=True))


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


def power_spectrum(waveform: np.ndarray, n_fft: int, hop_length: int) -> np.ndarray:
    """Squared magnitude of the short-time Fourier transform, Hann window, centred frames, zeros around.

    Returns:
        float32 `[1 + n_fft // 2, 1 + samples // hop_length]`.
    """
    spectrum = scipy.fft.rfft(centred_frames(waveform, n_fft, hop_length) * _hann(n_fft), axis=1)
    return np.ascontiguousarray((spectrum.real**2 + spectrum.imag**2).T)


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


def power_to_db(power: np.ndarray) -> np.ndarray:
    """Power to dB, no more than 80 dB below the loudest value."""
    decibels = 10 * np.log10(np.maximum(power, AMIN))
    return np.maximum(decibels, decibels.max() - TOP_DB)


def centred_frames(waveform: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Overlapping frames, the first centred on the first sample, zeros around: `[1 + samples // hop_length, frame]`.

    A read-only view, but for the padding.
    """
    padded = np.pad(waveform.astype(np.float32, copy=False), frame_length // 2)
    return sliding_window_view(padded, frame_length)[::hop_length]


@cache
def _hann(n_fft: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
