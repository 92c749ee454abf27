"""The parameters of the features, which travel with a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ser_core.audio import SAMPLE_RATE
from ser_core.errors import ConfigError

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
