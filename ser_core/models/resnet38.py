"""ResNet-38, which the report compared with its own networks (section 4.4): that of PANNs, on the mel image.

After Kong et al. 2020, table 4 and its published code: a stem of two 3 × 3 convolutions, basic blocks 3, 4, 6 and 3 of
64 to 512 channels that halve by average pooling, a head of two 3 × 3 convolutions of 2,048 channels, and the sum of
average and maximum over time.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.activations import build_activation
from ser_core.models.config import NetworkConfig
from ser_core.models.network import Network
from ser_core.models.residual import conv_norm, stages

BLOCKS = (3, 4, 6, 3)
HEAD = 2048
BLOCK_DROPOUT = 0.1
STAGE_DROPOUT = 0.2
MLP_DROPOUT = 0.5


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut; a stride of 2 is average pooling, as in PANNs."""

    expansion = 1

    def __init__(self, inputs: int, outputs: int, stride: int, activation: str):
        super().__init__()
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.first, self.second = conv_norm(inputs, outputs, 3), conv_norm(outputs, outputs, 3)
        self.dropout = nn.Dropout(BLOCK_DROPOUT)
        self.activation = build_activation(activation)
        self.shortcut = nn.Identity() if inputs == outputs else conv_norm(inputs, outputs, 1)
        nn.init.zeros_(self.second.get_parameter("1.weight"))  # every block begins as its shortcut

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(x)
        y = self.second(self.dropout(self.activation(self.first(x))))
        return self.activation(y + self.shortcut(x))


class ResNet38(Network):
    """Mel image `[batch, 1, 64, 64]` to logits `[batch, 6]`."""

    def __init__(self, activation: str):
        super().__init__()
        self.stem = nn.Sequential(
            conv_norm(1, 64, 3),
            build_activation(activation),
            conv_norm(64, 64, 3),
            build_activation(activation),
            nn.AvgPool2d(2),
        )
        self.blocks, channels = stages(BasicBlock, BLOCKS, activation)
        self.head = nn.Sequential(
            nn.AvgPool2d(2),
            conv_norm(channels, HEAD, 3),
            build_activation(activation),
            conv_norm(HEAD, HEAD, 3),
            build_activation(activation),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(MLP_DROPOUT),
            nn.Linear(HEAD, HEAD),
            build_activation(activation),
            nn.Dropout(MLP_DROPOUT),
            nn.Linear(HEAD, len(EMOTIONS)),
        )

    def embed(self, mel: Tensor) -> Tensor:
        x = F.dropout(self.stem(mel), STAGE_DROPOUT, self.training)
        x = F.dropout(self.blocks(x), STAGE_DROPOUT, self.training)
        x = F.dropout(self.head(x), STAGE_DROPOUT, self.training)
        over_time = x.mean(dim=2)  # frequency is averaged first
        return over_time.mean(dim=2) + over_time.amax(dim=2)


def build(activation: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> ResNet38:
    """See `ser_core.models.registry`."""
    return ResNet38(activation)
