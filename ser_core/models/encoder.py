"""Convolution blocks and a global average: the path that the report's three networks are made of."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.layers import ConvBlock, masked_average, pad_time

CHANNELS_1D = (128, 256, 512)
CHANNELS_2D = (32, 64, 512, 1024)
CONV_DROPOUT = 0.3
MLP_DROPOUT = 0.5


def spectral_channels(form: Form, features: FeatureConfig) -> int:
    """Channels of the spectral features: 27 by default, or the one channel of their means."""
    return 1 if form == "mean" else len(features.channel_names)


class Encoder(nn.Module):
    """Convolution blocks and a global average: one feature vector a clip.

    Lengths, where clips of a batch differ, count the frames of each clip: int `[batch]`.

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
