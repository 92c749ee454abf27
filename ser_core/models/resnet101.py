"""ResNet-101, which the report compared with its own networks (section 4.4), on the mel image.

The standard bottleneck network (He et al. 2016) with 3, 4, 23 and 3 blocks and one input channel.
"""

from __future__ import annotations

from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.activations import build_activation
from ser_core.models.config import NetworkConfig
from ser_core.models.network import Network
from ser_core.models.residual import conv_norm, stages

BLOCKS = (3, 4, 23, 3)


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3 and 1 × 1 convolutions beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, activation: str):
        super().__init__()
        outputs = self.expansion * width
        self.activation = build_activation(activation)
        self.reduce = conv_norm(inputs, width, 1)
        self.spatial = conv_norm(width, width, 3, stride)
        self.expand = conv_norm(width, outputs, 1)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else conv_norm(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation(self.spatial(self.activation(self.reduce(x))))
        return self.activation(self.expand(y) + self.shortcut(x))


class ResNet101(Network):
    """Mel image `[batch, 1, 64, 64]` to logits `[batch, 6]`."""

    def __init__(self, activation: str):
        super().__init__()
        self.stem = nn.Sequential(
            conv_norm(1, 64, 7, stride=2), build_activation(activation), nn.MaxPool2d(3, stride=2, padding=1)
        )
        self.blocks, channels = stages(Bottleneck, BLOCKS, activation)
        self.classifier = nn.Linear(channels, len(EMOTIONS))

    def embed(self, mel: Tensor) -> Tensor:
        return self.blocks(self.stem(mel)).mean((2, 3))


def build(activation: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> ResNet101:
    """See `ser_core.models.registry`."""
    return ResNet101(activation)
