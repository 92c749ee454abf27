"""What the two residual networks share: convolution with batch norm, and stages of blocks."""

from __future__ import annotations

from typing import Protocol

from torch import nn

from ser_core.models.winograd import Conv2d

WIDTHS = (64, 128, 256, 512)


def conv_norm(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    """Convolution that keeps the size (but for its stride), and batch normalisation."""
    convolution = Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class Block(Protocol):
    """A residual block: its `expansion` is output channels over width."""

    expansion: int

    def __call__(self, inputs: int, width: int, stride: int, activation: str, /) -> nn.Module:
        """Make one."""


def stages(block: Block, counts: tuple[int, ...], activation: str) -> tuple[nn.Sequential, int]:
    """Four stages of residual blocks, each but the first halving the image; and the channels they end with."""
    blocks: list[nn.Module] = []
    channels = WIDTHS[0]
    for width, count in zip(WIDTHS, counts, strict=True):
        for i in range(count):
            stride = 2 if i == 0 and width > WIDTHS[0] else 1
            blocks.append(block(channels, width, stride, activation))
            channels = block.expansion * width
    return nn.Sequential(*blocks), channels
