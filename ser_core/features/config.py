"""The parameters of the features, which travel with a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ser_core.audio import SAMPLE_RATE
from ser_core.errors import ConfigError
from ser_core.features.channels import Channel
from ser_core.features.descriptors import SPECTRAL_FEATURES

LARGEST = {
    "frame_length": 65_536,
    "hop_length": 65_536,
    "n_mfcc": 1_024,
    "mfcc_n_mels": 1_024,
    "n_frames": 10_000,
    "mel_n_fft": 65_536,
    "mel_hop_length": 65_536,
    "n_mels": 1_024,
    "mel_fmax": 1_000_000,
    "image_size": 512,
}
"""Of each setting, far beyond all use: a checkpoint from elsewhere says them, and each is an amount of memory."""
MOST_WINDOWS = 8


@dataclass(frozen=True)
class FeatureConfig:
    """Parameters of the features; the defaults are the report's (sections 3.1 and 3.2).

    Attributes:
        spectral: kinds of spectral features, in the order of their channels.
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
        image_size: height and width of the mel image, in pixels; networks say the smallest that they take.
        mel_windows: more windows of the mel spectrogram, in samples, each of which makes one more of it; even int > 0.
            A short window tells when something happens, a long one which harmonics there are.
        pitch_path: whether the pitch among the contours is the path through all frames, and not each frame's by itself,
            see `ser_core.features.pitch`.
    """

    spectral: tuple[str, ...] = ("zcr", "chroma", "mfcc", "rms")
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
    mel_windows: tuple[int, ...] = ()
    pitch_path: bool = False

    def __post_init__(self) -> None:
        for name in ("spectral", "mel_windows"):  # JSON makes lists of them
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if unknown := [name for name in self.spectral if name not in SPECTRAL_FEATURES]:
            raise ConfigError(f"spectral is some of {', '.join(SPECTRAL_FEATURES)}, not {unknown[0]!r}.")
        if not self.spectral or len(set(self.spectral)) < len(self.spectral):
            raise ConfigError("spectral names one kind of features or more, each once.")
        for name, most in LARGEST.items():
            if not 0 < (value := getattr(self, name)) <= most:
                raise ConfigError(f"{name} is a number above 0 and up to {most:,}, not {value}.")
        for window in self.mel_windows:
            if not 0 < window <= LARGEST["mel_n_fft"]:
                raise ConfigError(f"mel_windows are numbers above 0 and up to {LARGEST['mel_n_fft']:,}, not {window}.")
        if len(self.mel_windows) > MOST_WINDOWS or len({self.mel_n_fft, *self.mel_windows}) <= len(self.mel_windows):
            own = f"mel_n_fft, which is {self.mel_n_fft}"
            raise ConfigError(f"mel_windows are at most {MOST_WINDOWS}, all different, and none of them {own}.")
        if any(window % 2 for window in (self.frame_length, self.mel_n_fft, *self.mel_windows)):
            raise ConfigError("frame_length, mel_n_fft and mel_windows are even: frames are centred.")
        if self.n_mfcc > self.mfcc_n_mels:
            raise ConfigError(f"n_mfcc is at most mfcc_n_mels ({self.mfcc_n_mels}), not {self.n_mfcc}.")

    @property
    def fmax(self) -> float:
        """Upper edge of the mel bands actually used, in Hz."""
        return min(self.mel_fmax, SAMPLE_RATE / 2)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The spectral channels, in order, and what they measure; by default ZCR, 12 pitch classes, MFCC, RMS."""
        return tuple(channel for name in self.spectral for channel in SPECTRAL_FEATURES[name].channels(self))

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of `channels`."""
        return tuple(channel.name for channel in self.channels)
