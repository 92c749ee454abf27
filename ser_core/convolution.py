"""Two-dimensional convolutions, each trained on a CPU in the fastest of three ways.

PyTorch's own is fast where images are large and channels few. Where both are many, `ser_core.winograd` takes a fraction
of the products. Where images are tiny and weights huge, as at the end of ResNet-38, PyTorch's spends its time moving
weights, and one plain matrix product takes a quarter of it. Where each pays was measured on two AMD EPYC cores.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser_core import winograd

# Winograd's transforms of images and weights must cost less than the products they save.
WINOGRAD_CHANNELS = 64
WINOGRAD_WEIGHTS = {torch.float32: 64 * 64, torch.bfloat16: 64 * 128}
WINOGRAD_PIXELS = 1024  # of the whole batch

PRODUCT_WEIGHTS = 512 * 2048

Way = Callable[[Tensor, Tensor, Tensor | None], Tensor]


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, in less time where it is trained on a CPU; the same otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        way = self._faster(x, dtype)
        if way is None:
            return super().forward(x)
        return way(x.to(dtype), self.weight.to(dtype), None if self.bias is None else self.bias.to(dtype))

    def _faster(self, x: Tensor, dtype: torch.dtype) -> Way | None:
        usual = (
            self.kernel_size == (3, 3)
            and self.padding == self.stride == self.dilation == (1, 1)
            and self.padding_mode == "zeros"
            and self.groups == 1
        )
        if not (usual and self.training and x.ndim == 4 and x.device.type == "cpu" and dtype in WINOGRAD_WEIGHTS):
            return None
        pixels, weights = x[:, 0].numel(), self.in_channels * self.out_channels
        if pixels < WINOGRAD_PIXELS:
            return matrix_product if weights >= PRODUCT_WEIGHTS else None
        profits = (
            min(self.in_channels, self.out_channels) >= WINOGRAD_CHANNELS
            and weights >= WINOGRAD_WEIGHTS[dtype]
            and min(x.shape[2:]) >= winograd.OUT
        )
        return winograd.conv2d if profits else None


def matrix_product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolution of kernel 3, padding 1 and stride 1, as the product of all 3 × 3 neighbourhoods with the weights.

    Args:
        x: `[batch, in, height, width]`.
        weight: `[out, in, 3, 3]`; in memory format `channels_last` it is not copied.
        bias: `[out]`.

    Returns:
        `[batch, out, height, width]`, in memory format `channels_last`.
    """
    b, c, height, width = x.shape
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    neighbourhoods = padded.unfold(1, 3, 1).unfold(2, 3, 1).permute(0, 1, 2, 4, 5, 3).reshape(-1, 9 * c)
    y = F.linear(neighbourhoods, weight.permute(0, 2, 3, 1).flatten(1), bias)
    return y.view(b, height, width, -1).permute(0, 3, 1, 2)
