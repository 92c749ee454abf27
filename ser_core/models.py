"""The report's three networks (section 4, listings 1 to 3).

| name       | input                              | output of the listing | classifier                     |
|------------|------------------------------------|-----------------------|--------------------------------|
| `1d`       | spectral `[batch, 27, frames]`     | `[batch, 512]`        | dropout, linear                |
| `2d`       | mel `[batch, 1, 64, frames]`       | `[batch, 1024]`       | dropout, linear                |
| `combined` | both                               | `[batch, 1536]`       | two linear layers, see listing |

The residual networks it compared them with (`resnet38`, `resnet101`) are in `ser_core.resnet`.

All return logits `[batch, 6]` in the order of `EMOTIONS`. Lengths, where clips of a batch differ, count the frames of
each clip: int `[batch]`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.layers import ACTIVATIONS, ConvBlock, masked_average, pad_time
from ser_core.resnet import ResNet38, ResNet101

CHANNELS_1D = (128, 256, 512)
CHANNELS_2D = (32, 64, 512, 1024)
SPECTRAL_CHANNELS = 27
HIDDEN_COMBINED = 128
CONV_DROPOUT = 0.3
MLP_DROPOUT = 0.5

ModelName = Literal["1d", "2d", "combined"]


class Encoder(nn.Module):
    """Convolution blocks and a global average: one feature vector a clip.

    Args:
        dimensions: 1 or 2.
        in_channels: channels of the input.
        channels: output channels of each block.
    """

    def __init__(
        self,
        dimensions: Literal[1, 2],
        in_channels: int,
        channels: tuple[int, ...],
        activation: str,
        dropout: float = CONV_DROPOUT,
    ):
        super().__init__()
        inputs = (in_channels, *channels[:-1])
        self.blocks = nn.ModuleList(
            ConvBlock(dimensions, i, o, activation, dropout) for i, o in zip(inputs, channels, strict=True)
        )
        self.out_features = channels[-1]

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        shortest = 2 ** len(self.blocks)
        x = pad_time(x, shortest)
        if lengths is not None:
            lengths = lengths.clamp(min=shortest)
        for block in self.blocks:
            x = block(x, lengths)
            if lengths is not None:
                lengths = lengths // 2
        return masked_average(x, lengths)


class CNN1D(nn.Module):
    """Listing 1: spectral features `[batch, 27, frames]` (any number of channels and frames) to logits."""

    inputs: tuple[str, ...] = ("spectral",)

    def __init__(self, activation: str = "elu", in_channels: int = SPECTRAL_CHANNELS):
        super().__init__()
        self.encoder = Encoder(1, in_channels, CHANNELS_1D, activation)
        self.classifier = nn.Sequential(nn.Dropout(MLP_DROPOUT), nn.Linear(CHANNELS_1D[-1], len(EMOTIONS)))

    def forward(self, spectral: Tensor, spectral_lengths: Tensor | None = None) -> Tensor:
        return self.classifier(self.encoder(spectral, spectral_lengths))


class CNN2D(nn.Module):
    """Listing 2: mel image `[batch, 1, 64, 64]` (any width) to logits."""

    inputs: tuple[str, ...] = ("mel",)

    def __init__(self, activation: str = "silu"):
        super().__init__()
        self.encoder = Encoder(2, 1, CHANNELS_2D, activation)
        self.classifier = nn.Sequential(nn.Dropout(MLP_DROPOUT), nn.Linear(CHANNELS_2D[-1], len(EMOTIONS)))

    def forward(self, mel: Tensor, mel_lengths: Tensor | None = None) -> Tensor:
        return self.classifier(self.encoder(mel, mel_lengths))


class CombinedCNN(nn.Module):
    """Listing 3: both paths, concatenated and classified by a fully connected block."""

    inputs: tuple[str, ...] = ("spectral", "mel")

    def __init__(self, activation: str = "silu", in_channels: int = SPECTRAL_CHANNELS):
        super().__init__()
        self.encoder_1d = Encoder(1, in_channels, CHANNELS_1D, activation)
        self.encoder_2d = Encoder(2, 1, CHANNELS_2D, activation)
        self.classifier = nn.Sequential(
            nn.Linear(CHANNELS_1D[-1] + CHANNELS_2D[-1], HIDDEN_COMBINED),
            nn.LayerNorm(HIDDEN_COMBINED),
            ACTIVATIONS[activation](),
            nn.Dropout(MLP_DROPOUT),
            nn.Linear(HIDDEN_COMBINED, len(EMOTIONS)),
        )

    def forward(
        self,
        spectral: Tensor,
        mel: Tensor,
        spectral_lengths: Tensor | None = None,
        mel_lengths: Tensor | None = None,
    ) -> Tensor:
        paths = (self.encoder_1d(spectral, spectral_lengths), self.encoder_2d(mel, mel_lengths))
        return self.classifier(torch.cat(paths, dim=1))


MODELS: dict[str, type[CNN1D | CNN2D | CombinedCNN | ResNet38 | ResNet101]] = {
    "1d": CNN1D,
    "2d": CNN2D,
    "combined": CombinedCNN,
    "resnet38": ResNet38,
    "resnet101": ResNet101,
}


def build_model(name: str, activation: str, form: str = "fixed") -> nn.Module:
    """A freshly initialised network.

    Args:
        name: one of `MODELS`.
        activation: one of `ACTIVATIONS`.
        form: of the input, see `ser_core.dataset.Form`; with `mean`, spectral features are one channel of 27 means.
    """
    single_channel = form == "mean" and "spectral" in MODELS[name].inputs
    return MODELS[name](activation, **({"in_channels": 1} if single_channel else {}))


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
