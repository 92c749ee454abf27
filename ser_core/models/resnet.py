"""The residual networks that the report compared with its own (section 4.4), on the mel image.

`ResNet38` follows PANNs (Kong et al. 2020, table 4 and its published code): a stem of two 3 × 3 convolutions, basic
blocks 3, 4, 6 and 3 of 64 to 512 channels that halve by average pooling, a head of two 3 × 3 convolutions of 2,048
channels, and the sum of average and maximum over time. `ResNet101` is the standard bottleneck network (He et al.
2016) with 3, 4, 23 and 3 blocks. Both take one input channel and images of a fixed size.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ser_core.emotions import EMOTIONS
from ser_core.models.layers import ACTIVATIONS
from ser_core.models.winograd import Conv2d

WIDTHS = (64, 128, 256, 512)
BLOCKS_38 = (3, 4, 6, 3)
BLOCKS_101 = (3, 4, 23, 3)
HEAD_38 = 2048
BLOCK_DROPOUT = 0.1
STAGE_DROPOUT = 0.2
MLP_DROPOUT = 0.5


def conv_norm(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    """Convolution that keeps the size (but for its stride), and batch normalisation."""
    convolution = Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut; a stride of 2 is average pooling, as in PANNs."""

    expansion = 1

    def __init__(self, inputs: int, outputs: int, stride: int, activation: str):
        super().__init__()
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.first, self.second = conv_norm(inputs, outputs, 3), conv_norm(outputs, outputs, 3)
        self.dropout = nn.Dropout(BLOCK_DROPOUT)
        self.activation = ACTIVATIONS[activation]()
        self.shortcut = nn.Identity() if inputs == outputs else conv_norm(inputs, outputs, 1)
        nn.init.zeros_(self.second.get_parameter("1.weight"))  # every block begins as its shortcut

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(x)
        y = self.second(self.dropout(self.activation(self.first(x))))
        return self.activation(y + self.shortcut(x))


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3 and 1 × 1 convolutions beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, activation: str):
        super().__init__()
        outputs = self.expansion * width
        self.activation = ACTIVATIONS[activation]()
        self.reduce = conv_norm(inputs, width, 1)
        self.spatial = conv_norm(width, width, 3, stride)
        self.expand = conv_norm(width, outputs, 1)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else conv_norm(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation(self.spatial(self.activation(self.reduce(x))))
        return self.activation(self.expand(y) + self.shortcut(x))


def stages(block: type[BasicBlock | Bottleneck], counts: tuple[int, ...], activation: str) -> tuple[nn.Sequential, int]:
    """Four stages of residual blocks, each but the first halving the image; and the channels they end with."""
    blocks: list[nn.Module] = []
    channels = WIDTHS[0]
    for width, count in zip(WIDTHS, counts, strict=True):
        for i in range(count):
            stride = 2 if i == 0 and width > WIDTHS[0] else 1
            blocks.append(block(channels, width, stride, activation))
            channels = block.expansion * width
    return nn.Sequential(*blocks), channels


class ResNet38(nn.Module):
    """Mel image `[batch, 1, 64, 64]` to logits `[batch, 6]`."""

    inputs: tuple[str, ...] = ("mel",)

    def __init__(self, activation: str = "relu"):
        super().__init__()
        act = ACTIVATIONS[activation]
        self.stem = nn.Sequential(conv_norm(1, 64, 3), act(), conv_norm(64, 64, 3), act(), nn.AvgPool2d(2))
        self.blocks, channels = stages(BasicBlock, BLOCKS_38, activation)
        self.head = nn.Sequential(
            nn.AvgPool2d(2), conv_norm(channels, HEAD_38, 3), act(), conv_norm(HEAD_38, HEAD_38, 3), act()
        )
        self.classifier = nn.Sequential(
            nn.Dropout(MLP_DROPOUT),
            nn.Linear(HEAD_38, HEAD_38),
            act(),
            nn.Dropout(MLP_DROPOUT),
            nn.Linear(HEAD_38, len(EMOTIONS)),
        )

    def forward(self, mel: Tensor) -> Tensor:
        x = F.dropout(self.stem(mel), STAGE_DROPOUT, self.training)
        x = F.dropout(self.blocks(x), STAGE_DROPOUT, self.training)
        x = F.dropout(self.head(x), STAGE_DROPOUT, self.training)
        over_time = x.mean(dim=2)  # frequency is averaged first
        return self.classifier(over_time.mean(dim=2) + over_time.amax(dim=2))


class ResNet101(nn.Module):
    """Mel image `[batch, 1, 64, 64]` to logits `[batch, 6]`."""

    inputs: tuple[str, ...] = ("mel",)

    def __init__(self, activation: str = "relu"):
        super().__init__()
        act = ACTIVATIONS[activation]
        self.stem = nn.Sequential(conv_norm(1, 64, 7, stride=2), act(), nn.MaxPool2d(3, stride=2, padding=1))
        self.blocks, channels = stages(Bottleneck, BLOCKS_101, activation)
        self.classifier = nn.Linear(channels, len(EMOTIONS))

    def forward(self, mel: Tensor) -> Tensor:
        return self.classifier(self.blocks(self.stem(mel)).mean((2, 3)))
