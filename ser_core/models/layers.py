"""Building blocks of the networks: they take padded batches of clips of different lengths without mixing them up.

`lengths` is int `[batch]`: how many steps of the last axis are each clip's, the rest being padding; `None` means that
nothing is padded. With lengths, a clip's result is the same whatever it is batched with.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser_core.models.activations import build_activation
from ser_core.models.winograd import Conv2d

NORM_GROUPS = 8  # the report leaves the number of groups open


class GroupNorm(nn.GroupNorm):
    """Group normalisation of each clip as if it were alone; padding comes out as zeros."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if lengths is None:
            return super().forward(x)
        return self._one_by_one(x, lengths) if x.device.type == "cpu" else self._masked(x, lengths)

    def _one_by_one(self, x: Tensor, lengths: Tensor) -> Tensor:
        """PyTorch's own for each clip, which fits into a processor's cache; a batch with a mask does not."""
        padded = [
            F.pad(F.group_norm(clip[..., :n], self.num_groups, self.weight, self.bias, self.eps), (0, x.shape[-1] - n))
            for clip, n in zip(x.split(1), lengths.tolist(), strict=True)
        ]
        return torch.cat(padded)

    def _masked(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The whole batch at once, which keeps a GPU busy."""
        mask = length_mask(lengths, x)
        grouped = x.to(torch.promote_types(x.dtype, torch.float32)).unflatten(1, (self.num_groups, -1))
        weights = mask.to(grouped.dtype).unsqueeze(1)
        over = tuple(range(2, grouped.ndim))
        count = weights.expand_as(grouped).sum(over, keepdim=True)
        mean = (grouped * weights).sum(over, keepdim=True) / count
        centred = grouped - mean
        variance = (centred.square() * weights).sum(over, keepdim=True) / count
        normal = (centred * torch.rsqrt(variance + self.eps)).flatten(1, 2)
        per_channel = (-1, *(1,) * (x.ndim - 2))
        return ((normal * self.weight.view(per_channel) + self.bias.view(per_channel)) * mask).to(x.dtype)


class ConvBlock(nn.Module):
    """Convolution 3, group norm, activation, max pooling 2, dropout: one block of listings 1 and 2.

    Args:
        dimensions: 1 for `[batch, channels, time]`, 2 for `[batch, channels, mel bands, time]`.
    """

    def __init__(self, dimensions: Literal[1, 2], in_channels: int, out_channels: int, activation: str, dropout: float):
        super().__init__()
        convolution, pooling = (nn.Conv1d, nn.MaxPool1d) if dimensions == 1 else (Conv2d, nn.MaxPool2d)
        self.conv = convolution(in_channels, out_channels, kernel_size=3, padding=1)
        self.norm = GroupNorm(NORM_GROUPS, out_channels)
        self.activation = build_activation(activation)
        self.pool = pooling(kernel_size=2, stride=2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        # Padding is zeroed before the convolution, as the edge of a clip alone is.
        if lengths is not None:
            x = x * length_mask(lengths, x).to(x.dtype)
        return self.dropout(self.pool(self.activation(self.norm(self.conv(x), lengths))))


def length_mask(lengths: Tensor, x: Tensor) -> Tensor:
    """1 up to each clip's length along the last axis of `x`, 0 after: `[batch, 1, (1,) time]`."""
    steps = torch.arange(x.shape[-1], device=x.device)
    return (steps < lengths[:, None]).view(len(x), *(1,) * (x.ndim - 2), -1)


def masked_average(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Global average pooling over all but batch and channels, leaving padding out: `[batch, channels]`."""
    over = tuple(range(2, x.ndim))
    if lengths is None:
        return x.mean(over)
    weights = length_mask(lengths, x).to(x.dtype).expand_as(x[:, :1])
    return (x * weights).sum(over) / weights.sum(over)


def pad_time(x: Tensor, minimum: int) -> Tensor:
    """Zero-pad the last axis up to `minimum` steps, below which pooling would leave nothing."""
    return F.pad(x, (0, max(0, minimum - x.shape[-1])))
