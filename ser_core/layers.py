"""Building blocks of the networks: they take padded batches of clips of different lengths without mixing them up.

`mask` is `[batch, 1, time]` (1D) or `[batch, 1, 1, time]` (2D), 1 where a clip is and 0 where it is padded; `None`
means nothing is padded. With a mask, a clip's result is the same whatever it is batched with.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ser_core.convolution import Conv2d

NORM_GROUPS = 8  # the report leaves the number of groups open

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "elu": nn.ELU}


class GroupNorm(nn.GroupNorm):
    """Group normalisation whose mean and variance leave padding out; padding comes out as anything."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().forward(x)
        return _MaskedGroupNorm.apply(x, mask, self.weight, self.bias, self.num_groups, self.eps)


class _MaskedGroupNorm(torch.autograd.Function):
    """With few passes over the images: autograd's own way back takes four times as long on a CPU.

    Statistics are sums of each clip and channel, `[batch, channels]`, and then of each group, in float32 or wider.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, mask: Tensor, weight: Tensor, bias: Tensor, num_groups: int, eps: float) -> Tensor:
        per_group, over = x.shape[1] // num_groups, tuple(range(2, x.ndim))
        mask = mask.to(torch.promote_types(x.dtype, torch.float32))
        count = per_group * mask.expand_as(x[:, :1]).sum(over)
        mean = _group_sums((x * mask).sum(over), per_group) / count
        centred = (x - _as(mean, x)).mul_(mask)
        variance = _group_sums(centred.square().sum(over), per_group) / count
        inverse = torch.rsqrt(variance + eps)  # of the standard deviation
        ctx.save_for_backward(x, mask, weight, mean, inverse, count)
        ctx.per_group = per_group
        return torch.addcmul(_as(bias[None], x), centred, _as(weight * inverse, x)).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, mask, weight, mean, inverse, count = ctx.saved_tensors
        per_group, over = ctx.per_group, tuple(range(2, x.ndim))
        gradient = gradient * mask
        normal = (x - _as(mean, x)).mul_(_as(inverse, x)).mul_(mask)
        to_bias, to_weight = gradient.sum(over), (gradient * normal).sum(over)
        offset = _group_sums(weight * to_bias, per_group) / count  # through the mean
        slope = _group_sums(weight * to_weight, per_group) / count  # through the variance
        to_x = torch.addcmul(_as(-inverse * offset, x), normal, _as(-inverse * slope, x)).mul_(mask)
        to_x.addcmul_(gradient, _as(weight * inverse, x))
        return to_x.to(x.dtype), None, to_weight.sum(0), to_bias.sum(0), None, None


def _group_sums(values: Tensor, per_group: int) -> Tensor:
    """`[batch, channels]` to sums over each channel's group, of the same shape."""
    return values.unflatten(1, (-1, per_group)).sum(2).repeat_interleave(per_group, 1)


def _as(values: Tensor, x: Tensor) -> Tensor:
    """`[batch, channels]` in a shape that broadcasts over `x`."""
    return values.view(*values.shape, *(1,) * (x.ndim - 2))


class Dropout(nn.Dropout):
    """Dropout that draws its mask faster on a CPU, an eighth of training time there.

    Torch draws one random number an element, on one thread. Here one 64-bit draw serves four elements, 16 bits
    each, which rounds `p` to 1/65,536. On other devices this is `nn.Dropout`.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        bits = draws.view(torch.int16)[: x.numel()]
        keep = torch.empty_like(x)  # in x's memory layout, so that the product keeps it
        keep.as_strided((x.numel(),), (1,)).copy_(bits >= round(self.p * 65_536) - 32_768)
        return x * keep.mul_(1 / (1 - self.p))


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
        self.activation = ACTIVATIONS[activation]()
        self.pool = pooling(kernel_size=2, stride=2)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        # Padding is zeroed before the convolution, as the edge of a clip alone is.
        x = self.conv(x if mask is None else x * mask.to(x.dtype))
        return self.dropout(self.pool(self.activation(self.norm(x, mask))))


def length_mask(lengths: Tensor, x: Tensor) -> Tensor:
    """1 up to each clip's length along the last axis of `x`, 0 after: `[batch, 1, (1,) time]`."""
    steps = torch.arange(x.shape[-1], device=x.device)
    return (steps < lengths[:, None]).view(len(x), *(1,) * (x.ndim - 2), -1)


def masked_average(x: Tensor, mask: Tensor | None) -> Tensor:
    """Global average pooling over all but batch and channels, leaving padding out: `[batch, channels]`."""
    over = tuple(range(2, x.ndim))
    if mask is None:
        return x.mean(over)
    weights = mask.to(x.dtype).expand_as(x[:, :1])
    return (x * weights).sum(over) / weights.sum(over)


def pad_time(x: Tensor, minimum: int) -> Tensor:
    """Zero-pad the last axis up to `minimum` steps, below which pooling would leave nothing."""
    return F.pad(x, (0, max(0, minimum - x.shape[-1])))
