"""3 × 3 convolutions that train on a CPU with a quarter of the multiplications, in bfloat16.

Winograd's minimal filtering F(4 × 4, 3 × 3) after Lavin and Gray, "Fast algorithms for convolutional neural networks"
(2016): a tile of 4 × 4 outputs takes 36 products instead of 144. The 36 are matrix products over channels, which a
linear algebra library does near the peak of the processor, unlike PyTorch's own convolutions; and so are the linear
transforms before and after.

It is here because alone it trains the 2D CNN more than half as fast again on two cores
(`benchmarks/results/training.txt`). In float32 it gained less than half, and PyTorch's own are taken.

The price is rounding: root mean square errors of outputs and gradients are 1.6 % of their values, five times those of
PyTorch's bfloat16 convolutions. They are without bias, far below the noise of dropout and of batches: from the same
seed, the 2D CNN's training losses are the same either way to 0.004 nats in each of the five epochs of warm-up. They are
in training alone: prediction goes PyTorch's way. A run's record says which way it was trained (`numerics`), and runs
that were trained differently are not compared.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

Numerics = Literal["winograd", "pytorch"]
"""How a network's convolutions are trained, as records say it."""

NUMERICS: tuple[Numerics, ...] = get_args(Numerics)

# The transforms of images and weights must cost less than the products they save: measured on two AMD EPYC cores.
MIN_CHANNELS = 64
MIN_WEIGHTS = 64 * 128  # input times output channels
MIN_PIXELS = 1024  # of the whole batch

OUT = 4  # rows and columns of outputs a tile
IN = OUT + 2  # and of the inputs they depend on

POINTS = (0, 3 / 4, -3 / 4, 3 / 2, -3 / 2)
"""Where the products of polynomials behind the algorithm are evaluated, beside infinity.

With them rounding errors are half those of the usual 0, ±1, ±2: of the sets tried, the least with few binary digits.
"""


def _powers(n: int) -> Tensor:
    """The first `n` powers of all points; of infinity, the highest alone: `[6, n]`."""
    return torch.tensor([[p**i for i in range(n)] for p in POINTS] + [[0] * (n - 1) + [1]], dtype=torch.float64)


_interpolation = torch.linalg.inv(_powers(IN)).T
_scale = torch.cat([_interpolation[:-1, OUT], torch.ones(1, dtype=torch.float64)])[:, None]  # leading coefficients
INPUT_2D, KERNEL_2D, OUTPUT_2D = (
    torch.kron(matrix, matrix) for matrix in (_interpolation / _scale, _powers(3) * _scale, _powers(OUT).T)
)
"""The transforms of both axes at once: `[36, 36]`, `[36, 9]` and `[16, 36]`."""


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, which is trained Winograd's way where `use_winograd` said so and it pays.

    Attributes:
        winograd: whether that was said.
    """

    winograd = False

    @property
    def suits(self) -> bool:
        """Whether it is of a kind and size for which Winograd's way pays."""
        return (
            self.kernel_size == (3, 3)
            and self.padding == self.stride == self.dilation == (1, 1)
            and self.padding_mode == "zeros"
            and self.groups == 1
            and min(self.in_channels, self.out_channels) >= MIN_CHANNELS
            and self.in_channels * self.out_channels >= MIN_WEIGHTS
        )

    def forward(self, x: Tensor) -> Tensor:
        pays = self.winograd and self.training and self.suits and x.ndim == 4 and min(x.shape[2:]) >= OUT
        if not (pays and x[:, 0].numel() >= MIN_PIXELS and _mixed_precision(x)):
            return super().forward(x)
        bias = None if self.bias is None else self.bias.bfloat16()
        return conv2d(x.bfloat16(), self.weight.bfloat16(), bias)


def use_winograd(network: nn.Module, on: bool) -> Numerics:
    """Have a network's convolutions trained Winograd's way, or not; and which way that is, as records say it."""
    layers = [layer for layer in network.modules() if isinstance(layer, Conv2d)]
    for layer in layers:
        layer.winograd = on
    return "winograd" if on and any(layer.suits for layer in layers) else "pytorch"


def _mixed_precision(x: Tensor) -> bool:
    """Whether this is computed in bfloat16 on a CPU."""
    return (
        x.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
    )


def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolution of kernel 3, padding 1 and stride 1.

    Args:
        x: `[batch, in, height, width]`, fastest in memory format `channels_last`.
        weight: `[out, in, 3, 3]`.
        bias: `[out]`.

    Returns:
        `[batch, out, height, width]`, in memory format `channels_last`.
    """
    height, width = x.shape[2:]
    whole_tiles = F.pad(x, (0, -width % OUT, 0, -height % OUT))
    y = _Winograd.apply(whole_tiles, weight)[..., :height, :width]
    return y if bias is None else y + bias[:, None, None]


class _Winograd(torch.autograd.Function):
    """Of whole tiles. Matrices are `[36, tiles, in]`, `[36, out, in]` and `[36, tiles, out]`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        b, _, height, width = x.shape
        o, c = weight.shape[:2]
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        tiles = padded.unfold(1, IN, OUT).unfold(2, IN, OUT).permute(4, 5, 0, 1, 2, 3)
        inputs = _transform(INPUT_2D, tiles).view(IN * IN, -1, c)
        kernels = _transform(KERNEL_2D, weight.permute(2, 3, 0, 1)).view(IN * IN, o, c)
        ctx.save_for_backward(inputs, kernels)
        y = _transform(OUTPUT_2D, inputs @ kernels.mT).view(OUT, OUT, b, height // OUT, width // OUT, o)
        return y.permute(2, 3, 0, 4, 1, 5).reshape(b, height, width, o).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor]:
        inputs, kernels = ctx.saved_tensors
        b, o, height, width = gradient.shape
        c = inputs.shape[2]
        tiles = gradient.permute(0, 2, 3, 1).unflatten(2, (-1, OUT)).unflatten(1, (-1, OUT)).permute(2, 4, 0, 1, 3, 5)
        outputs = _transform(OUTPUT_2D.T, tiles).view(IN * IN, -1, o)
        to_weight = _transform(KERNEL_2D.T, outputs.mT @ inputs).view(3, 3, o, c).permute(2, 3, 0, 1)
        if not ctx.needs_input_grad[0]:
            return None, to_weight
        parts = _transform(INPUT_2D.T, outputs @ kernels).view(IN, IN, b, height // OUT, width // OUT, c)
        padded = gradient.new_zeros(b, height + 2, width + 2, c)
        for i in range(IN):
            for j in range(IN):  # tiles overlap by two
                padded[:, i : i + height - 1 : OUT, j : j + width - 1 : OUT] += parts[i, j]
        return padded[:, 1:-1, 1:-1].permute(0, 3, 1, 2), to_weight


def _transform(matrix: Tensor, values: Tensor) -> Tensor:
    """`matrix` times `values`, whose leading axes are the rows or columns of tiles: `[rows of matrix, …]`."""
    return matrix.to(values.dtype) @ values.reshape(matrix.shape[1], -1)
