"""Whisper's encoder, pretrained on 680,000 hours of speech, and a head that hears emotions (Radford et al. 2022).

| name           | layers | width | heads | parameters | layers' outputs |
|----------------|--------|-------|-------|------------|-----------------|
| `whisper-base` | 6      | 512   | 8     | 20.1 M     | 7               |
| `whisper-tiny` | 4      | 384   | 6     | 7.8 M      | 5               |

The input is `[batch, 80, frames]` from `ser_core.features.whisper`. Clips are taken as long as they are, up to 30 s:
the original pads each to 30 s, which costs ten times the work. With `lengths`, the frames of each clip (int
`[batch]`), a clip's result is the same whatever it is batched with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser_core.emotions import EMOTIONS
from ser_core.features.whisper import MAX_FRAMES, N_MELS
from ser_core.models.activations import build_activation
from ser_core.models.layers import length_mask
from ser_core.models.network import Network

MAX_POSITIONS = MAX_FRAMES // 2  # the second convolution halves the frames
LONGEST_WAVELENGTH = 10_000.0  # of the sinusoidal positions, over 2π
HEAD_HIDDEN = 256
HEAD_DROPOUT = 0.3
SMALLEST_VARIANCE = 1e-5
NEWEST_WEIGHT = 0.01  # of a batch in the running statistics


@dataclass(frozen=True)
class EncoderSize:
    """Dimensions of one of Whisper's encoders."""

    layers: int
    width: int
    heads: int


SIZES = {"whisper-tiny": EncoderSize(4, 384, 6), "whisper-base": EncoderSize(6, 512, 8)}


class Block(nn.Module):
    """Self-attention and a two-layer network, each after layer normalisation and added to what came in."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[batch, time, width]` to the same; `mask` `[batch, 1, 1, time]` is true where there is sound."""
        heads = self.qkv(self.attention_norm(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = heads
        x = x + self.out(attention(queries, keys, values, mask).transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.mlp_norm(x))))


def attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """PyTorch's fused attention `[batch, heads, time, width]`; on a CPU in float32, twice as fast as in bfloat16."""
    if queries.device.type != "cpu":
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    with torch.autocast("cpu", enabled=False):
        return F.scaled_dot_product_attention(queries.float(), keys.float(), values.float(), attn_mask=mask)


class WhisperEncoder(nn.Module):
    """The encoder: two convolutions, sinusoidal positions, blocks."""

    positions: Tensor

    def __init__(self, size: EncoderSize):
        super().__init__()
        self.conv1 = nn.Conv1d(N_MELS, size.width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(size.width, size.width, kernel_size=3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Block(size.width, size.heads) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.register_buffer("positions", sinusoids(MAX_POSITIONS, size.width), persistent=False)

    def forward(self, log_mel: Tensor, lengths: Tensor | None = None) -> list[Tensor]:
        """All layers' outputs.

        Args:
            log_mel: `[batch, 80, frames]`, at most 3,000 frames.
            lengths: frames of each clip, int `[batch]`; `None` when none is padded.

        Returns:
            what goes into the first block and what comes out of each, the last one normalised, as the original's
            decoder gets it: `[batch, time, width]` each, time being `(frames + 1) // 2`.
        """
        # Padding is zeroed before each convolution, as the edge of a clip alone is.
        x = F.gelu(self.conv1(_zeroed(log_mel, lengths)))
        x = F.gelu(self.conv2(_zeroed(x, lengths)))
        mask = None if lengths is None else length_mask(halve(lengths), x).unsqueeze(1)
        x = x.transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        outputs = [x]
        for block in self.blocks:
            outputs.append(block(outputs[-1], mask))
        outputs[-1] = self.norm(outputs[-1])
        return outputs


class WhisperClassifier(Network):
    """The encoder with learned weights over its layers, mean and deviation over time, and two linear layers.

    Attributes:
        layer_weights: `[layers + 1]`, of which the softmax is taken.
        standardize: z-scores the pooled features `[batch, 2 * width]`.
    """

    def __init__(self, size: EncoderSize, activation: str):
        super().__init__()
        self.encoder = WhisperEncoder(size)
        self.layer_weights = nn.Parameter(torch.zeros(size.layers + 1))
        self.standardize = Standardize(2 * size.width)
        self.classifier = nn.Sequential(
            nn.Dropout(HEAD_DROPOUT),
            nn.Linear(2 * size.width, HEAD_HIDDEN),
            build_activation(activation),
            nn.Dropout(HEAD_DROPOUT),
            nn.Linear(HEAD_HIDDEN, len(EMOTIONS)),
        )

    def embed(self, whisper: Tensor, whisper_lengths: Tensor | None = None) -> Tensor:
        """Z-scored features `[batch, 2 * width]` of log-mel spectrograms `[batch, 80, frames]`."""
        return self.standardize(self.pooled(whisper, whisper_lengths))

    def pooled(self, log_mel: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Mean and standard deviation over a clip's time of the weighted sum of layers: `[batch, 2 * width]`."""
        outputs = self.encoder(log_mel, lengths)
        weights = self.layer_weights.softmax(0)
        mixed = sum(weight * output.float() for weight, output in zip(weights, outputs, strict=True))
        assert isinstance(mixed, Tensor)
        return mean_and_deviation(mixed, None if lengths is None else halve(lengths))

    def rate_groups(self, head: float, decay: float) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters that learn together, and their learning rate relative to that of the encoder's last block.

        Args:
            head: of everything after the encoder, which learns from scratch and so faster; > 0.
            decay: factor from each block to the one below it, in 0..1; the convolutions are below the first block.
        """
        encoder, depth = self.encoder, len(self.encoder.blocks)
        inside = {id(parameter) for parameter in encoder.parameters()}
        after = [parameter for parameter in self.parameters() if id(parameter) not in inside]
        groups = [(after, head), (list(encoder.norm.parameters()), 1.0)]
        groups += [(list(block.parameters()), decay ** (depth - 1 - i)) for i, block in enumerate(encoder.blocks)]
        return [*groups, ([*encoder.conv1.parameters(), *encoder.conv2.parameters()], decay**depth)]


class Standardize(nn.Module):
    """Z-scores features with their mean and deviation over the clips it was trained on.

    Batch normalisation takes a batch's own statistics in training, which are those of a few clips of one length. These
    are running ones there, too, and nothing learns through them. Put a speaker's own in their place, and a network
    adapts to the speaker.

    Attributes:
        mean, square: averages of the features and of their squares, `[n]`.
        batches: seen so far, the first of which weigh alike.
    """

    mean: Tensor
    square: Tensor
    batches: Tensor

    def __init__(self, n: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("square", torch.ones(n))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.batches += 1
                weight = (1 / self.batches).clamp(min=NEWEST_WEIGHT)
                self.mean.lerp_(x.mean(0), weight)
                self.square.lerp_(x.square().mean(0), weight)
        variance = (self.square - self.mean.square()).clamp(min=SMALLEST_VARIANCE)
        return (x - self.mean) * variance.rsqrt()


def sinusoids(length: int, width: int) -> Tensor:
    """Positions as sines and cosines of wavelengths from 2π to 20,000π: `[length, width]`."""
    rates = torch.exp(-math.log(LONGEST_WAVELENGTH) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * rates
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def halve(lengths: Tensor) -> Tensor:
    """Frames of each clip after the convolution of stride 2."""
    return (lengths + 1) // 2


def mean_and_deviation(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Mean and standard deviation of `[batch, time, width]` over each clip's time: `[batch, 2 * width]`."""
    steps = torch.full((len(x),), x.shape[1], device=x.device) if lengths is None else lengths
    inside = (torch.arange(x.shape[1], device=x.device) < steps[:, None]).unsqueeze(2)
    count = steps[:, None].to(x.dtype)
    mean = torch.where(inside, x, 0).sum(1) / count
    squares = torch.where(inside, (x - mean.unsqueeze(1)).square(), 0).sum(1) / count
    return torch.cat((mean, (squares + SMALLEST_VARIANCE).sqrt()), dim=1)


def _zeroed(x: Tensor, lengths: Tensor | None) -> Tensor:
    """`[batch, channels, frames]` with zeros after each clip's frames."""
    return x if lengths is None else x * length_mask(lengths, x).to(x.dtype)
