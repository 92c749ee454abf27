"""What looks at the whole clip: blocks over `[batch, time, width]`, in which padding changes nothing.

`mask` is bool `[batch, time]`, true where there is sound; `None` where nothing is padded.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ser_core.models.activations import build_activation
from ser_core.models.config import HEADS_OF_ATTENTION, NetworkConfig
from ser_core.models.whisper import attention, sinusoids

CONV_KERNEL = 15  # steps of a conformer's convolution, 0.6 s
CONFORMER_EXPANSION = 2  # of its two feed-forward parts
TRANSFORMER_EXPANSION = 4  # of the only one


def build_head(config: NetworkConfig, activation: str) -> nn.Module:
    """The head that a configuration asks for: `[batch, time, width]` and its mask to the same."""
    if config.head == "recurrent":
        return Recurrent(config)
    if config.head == "none":
        return Blocks([], config.width)
    block = ConformerBlock if config.head == "conformer" else TransformerBlock
    return Blocks([block(config.width, activation, config.dropout) for _ in range(config.blocks)], config.width)


class Blocks(nn.Module):
    """Sinusoidal positions, blocks one after the other, and a normalisation; with no blocks, the latter alone."""

    def __init__(self, blocks: list[nn.Module], width: int):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        if len(self.blocks):
            x = x + sinusoids(x.shape[1], x.shape[2]).to(x)
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)


class Recurrent(nn.Module):
    """Gated recurrent units in both directions (Cho et al. 2014), in float32, and a normalisation."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        dropout = config.dropout if config.blocks > 1 else 0.0
        self.units = nn.GRU(
            config.width, config.width // 2, config.blocks, batch_first=True, bidirectional=True, dropout=dropout
        )
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        with torch.autocast("cuda" if x.is_cuda else "cpu", enabled=False):
            if mask is None:
                return self.norm(self.units(x.float())[0])
            packed = nn.utils.rnn.pack_padded_sequence(x.float(), mask.sum(1).cpu(), True, enforce_sorted=False)
            padded, _ = nn.utils.rnn.pad_packed_sequence(self.units(packed)[0], True, total_length=x.shape[1])
            return self.norm(padded)


class Attention(nn.Module):
    """Self-attention after layer normalisation."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        heads = self.qkv(self.norm(x)).unflatten(2, (3, HEADS_OF_ATTENTION, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = heads
        seen = attention(queries, keys, values, None if mask is None else mask[:, None, None])
        return self.dropout(self.out(seen.transpose(1, 2).flatten(2)))


class Convolution(nn.Module):
    """The conformer's convolution: a gate, one filter a channel over time, an activation (Gulati et al. 2020).

    Layer normalisation stands where the paper has that of batches, which would mix clips.
    """

    def __init__(self, width: int, activation: str, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.filters = nn.Conv1d(width, width, CONV_KERNEL, padding=CONV_KERNEL // 2, groups=width)
        self.inner_norm = nn.LayerNorm(width)
        self.activation = build_activation(activation)
        self.down = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = nn.functional.glu(self.up(self.norm(x)), dim=2)
        if mask is not None:
            x = x * mask.unsqueeze(2).to(x.dtype)
        x = self.inner_norm(self.filters(x.transpose(1, 2)).transpose(1, 2))
        return self.dropout(self.down(self.activation(x)))


def feed_forward(width: int, expansion: int, activation: str, dropout: float) -> nn.Sequential:
    """Two linear layers after layer normalisation."""
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, expansion * width),
        build_activation(activation),
        nn.Linear(expansion * width, width),
        nn.Dropout(dropout),
    )


class ConformerBlock(nn.Module):
    """Half a feed-forward part, attention, convolution, the other half (Gulati et al. 2020)."""

    def __init__(self, width: int, activation: str, dropout: float):
        super().__init__()
        self.before = feed_forward(width, CONFORMER_EXPANSION, activation, dropout)
        self.attention = Attention(width, dropout)
        self.convolution = Convolution(width, activation, dropout)
        self.after = feed_forward(width, CONFORMER_EXPANSION, activation, dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + 0.5 * self.before(x)
        x = x + self.attention(x, mask)
        x = x + self.convolution(x, mask)
        return self.norm(x + 0.5 * self.after(x))


class TransformerBlock(nn.Module):
    """Attention and a feed-forward part, each after layer normalisation (Vaswani et al. 2017)."""

    def __init__(self, width: int, activation: str, dropout: float):
        super().__init__()
        self.attention = Attention(width, dropout)
        self.after = feed_forward(width, TRANSFORMER_EXPANSION, activation, dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attention(x, mask)
        return x + self.after(x)
