"""A small network of our own: convolutions, a conformer, attentive statistics, beside them loudness and pitch.

    log-mel [80, frames] ── convolutions, a step every 40 ms ──┐
    contours [3, frames] ── convolutions, a step every 40 ms ──┴─ linear ── head ── pooling ─┬─ classifier
    duration ────────────────────────────────────────────────────────────────────────────────┘

What it is made of is `ser_core.models.config.NetworkConfig`. Both inputs keep their resolution over time, and are as
long as the clip; with `mel_lengths`, the frames of each clip (int `[batch]`), a clip's result is the same whatever it
is batched with.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ser_core.audio import SAMPLE_RATE
from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.activations import build_activation
from ser_core.models.config import DURATION, NetworkConfig
from ser_core.models.heads import build_head
from ser_core.models.layers import NORM_GROUPS, GroupNorm, length_mask, masked_average
from ser_core.models.network import Network
from ser_core.models.whisper import halve, mean_and_deviation

STAGES = ((24, (2, 2)), (48, (2, 2)), (48, (1, 1)), (64, (2, 1)))
"""Channels of the convolutions over the spectrogram, and their strides over bands and time."""

CONTOUR_CHANNELS = 32
CONTOUR_KERNEL = 5
SQUEEZE = 4  # channels to one in the middle of squeeze-and-excitation
ATTENTION_HIDDEN = 64
CLASSIFIER_DROPOUT = 0.3
TYPICAL_SECONDS = 2.5  # of a clip's speech: the duration is told in octaves around it
SMALLEST_VARIANCE = 1e-5


class Conformer(Network):
    """Log-mel spectrograms and contours to logits `[batch, 6]`.

    The first are `[batch, windows, bands, frames]`, of `mel_n_fft` and each of `mel_windows`; the others
    `[batch, 3, frames]`.
    """

    def __init__(self, activation: str, features: FeatureConfig, config: NetworkConfig):
        super().__init__()
        self.seconds_per_frame = features.mel_hop_length / SAMPLE_RATE
        self.rows = list(config.rows)
        self.with_duration = DURATION in config.contours
        stages, bands, before = [], features.n_mels, 1 + len(features.mel_windows)
        for channels, stride in STAGES:
            stages.append(Stage(before, channels, stride, activation, config.squeeze))
            bands, before = (bands + 1) // 2 if stride[0] == 2 else bands, channels
        self.stages = nn.ModuleList(stages)
        self.contours = Contours(len(self.rows), activation) if self.rows else None
        self.joined = nn.Linear(before * bands + (CONTOUR_CHANNELS if self.rows else 0), config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.head = build_head(config, activation)
        self.pooling = AttentiveStatistics(config.width) if config.pooling == "attentive" else None
        width = 2 * config.width
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Sequential(
            nn.Dropout(CLASSIFIER_DROPOUT), nn.Linear(width + self.with_duration, len(EMOTIONS))
        )

    def embed(
        self,
        mel: Tensor,
        contours: Tensor,
        mel_lengths: Tensor | None = None,
        contours_lengths: Tensor | None = None,
    ) -> Tensor:
        """Mean and deviation over time of what the head says, and the duration: `[batch, 2 * width + 1]`."""
        lengths = mel_lengths
        x = _zeroed(mel, lengths)
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        moments = x.flatten(1, 2)
        if self.contours is not None:
            rows = _zeroed(contours[:, self.rows], mel_lengths)
            moments = torch.cat((moments, self.contours(rows, mel_lengths)), dim=1)
        mask = None if lengths is None else length_mask(lengths, moments)[:, 0]
        said = self.head(self.dropout(self.joined(moments.transpose(1, 2))), mask).float()
        pooled = mean_and_deviation(said, lengths) if self.pooling is None else self.pooling(said, mask)
        pooled = self.norm(pooled.float())
        if not self.with_duration:
            return pooled
        frames = torch.full((len(mel),), mel.shape[-1], device=mel.device) if mel_lengths is None else mel_lengths
        octaves = torch.log2(frames * (self.seconds_per_frame / TYPICAL_SECONDS))
        return torch.cat((pooled, octaves[:, None].to(pooled)), dim=1)


class Stage(nn.Module):
    """Convolution, group norm, activation, squeeze-and-excitation; added to what came in where that fits."""

    def __init__(self, before: int, channels: int, stride: tuple[int, int], activation: str, squeeze: bool):
        super().__init__()
        self.halves, self.adds = stride[1] == 2, stride == (1, 1) and before == channels
        self.conv = nn.Conv2d(before, channels, 3, stride, padding=1)
        self.norm = GroupNorm(NORM_GROUPS, channels)
        self.activation = build_activation(activation)
        self.squeeze = SqueezeExcitation(channels) if squeeze else None

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """`[batch, before, bands, time]` with zeros as padding to `[batch, channels, …]` with zeros as padding."""
        if lengths is not None and self.halves:
            lengths = halve(lengths)
        y = self.activation(self.norm(self.conv(x), lengths))
        if self.squeeze is not None:
            y = self.squeeze(y, lengths)
        return (x + y if self.adds else y), lengths


class SqueezeExcitation(nn.Module):
    """Weighs channels by their averages over the clip (Hu et al. 2018)."""

    def __init__(self, channels: int):
        super().__init__()
        self.weights = nn.Sequential(
            nn.Linear(channels, channels // SQUEEZE), nn.ReLU(), nn.Linear(channels // SQUEEZE, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        return x * self.weights(masked_average(x, lengths))[:, :, None, None]


class Contours(nn.Module):
    """Contours `[batch, rows, frames]` to `[batch, 32, steps]`, a quarter as many; their scale is kept."""

    def __init__(self, rows: int, activation: str):
        super().__init__()
        inputs = (rows, CONTOUR_CHANNELS)
        self.convs = nn.ModuleList(
            nn.Conv1d(n, CONTOUR_CHANNELS, CONTOUR_KERNEL, stride=2, padding=CONTOUR_KERNEL // 2) for n in inputs
        )
        self.activations = nn.ModuleList(build_activation(activation) for _ in inputs)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        for conv, activation in zip(self.convs, self.activations, strict=True):
            lengths = None if lengths is None else halve(lengths)
            x = _zeroed(activation(conv(x)), lengths)
        return x


class AttentiveStatistics(nn.Module):
    """Mean and deviation over time, each channel by weights of its own (Okabe et al. 2018, Desplanques et al. 2020)."""

    def __init__(self, width: int):
        super().__init__()
        self.scores = nn.Sequential(nn.Linear(width, ATTENTION_HIDDEN), nn.Tanh(), nn.Linear(ATTENTION_HIDDEN, width))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[batch, time, width]` to `[batch, 2 * width]`."""
        scores = self.scores(x).float()
        if mask is not None:
            scores = scores.masked_fill(~mask.unsqueeze(2), -math.inf)
            x = x.masked_fill(~mask.unsqueeze(2), 0)
        weights = scores.softmax(1)
        mean = (weights * x).sum(1)
        variance = (weights * (x - mean.unsqueeze(1)).square()).sum(1)
        return torch.cat((mean, (variance + SMALLEST_VARIANCE).sqrt()), dim=1)


def _zeroed(x: Tensor, lengths: Tensor | None) -> Tensor:
    """`[batch, …, frames]` with zeros after each clip's frames, whatever stood there."""
    return x if lengths is None else x.masked_fill(~length_mask(lengths, x), 0)


def build(activation: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> Conformer:
    """See `ser_core.models.registry`."""
    return Conformer(activation, features, network)
