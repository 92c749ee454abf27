"""The report's three networks (section 4, listings 1 to 3).

| name       | input                              | output of the listing | classifier                     |
|------------|------------------------------------|-----------------------|--------------------------------|
| `1d`       | spectral `[batch, 27, frames]`     | `[batch, 512]`        | dropout, linear                |
| `2d`       | mel `[batch, 1, 64, frames]`       | `[batch, 1024]`       | dropout, linear                |
| `combined` | both                               | `[batch, 1536]`       | two linear layers, see listing |

The residual networks it compared them with (`resnet38`, `resnet101`) are in `ser_core.models.resnet`.

All return logits `[batch, 6]` in the order of `EMOTIONS`. Lengths, where clips of a batch differ, count the frames of
each clip: int `[batch]`.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from ser_core.models.cnn1d import CNN1D
from ser_core.models.cnn2d import CNN2D
from ser_core.models.combined import CombinedCNN
from ser_core.models.resnet import ResNet38, ResNet101

ModelName = Literal["1d", "2d", "combined"]


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
        form: of the input; with `mean`, spectral features are one channel of 27 means.
    """
    single_channel = form == "mean" and "spectral" in MODELS[name].inputs
    return MODELS[name](activation, **({"in_channels": 1} if single_channel else {}))


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
