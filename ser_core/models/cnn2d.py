"""The 2D CNN (report, listing 2): mel image to logits."""

from __future__ import annotations

from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.config import NetworkConfig
from ser_core.models.encoder import CHANNELS_2D, MLP_DROPOUT, Encoder
from ser_core.models.network import Network


class CNN2D(Network):
    """Mel image `[batch, 1, 64, 64]` (any width) to logits `[batch, 6]`.

    The listing ends with 1,024 numbers a clip; what makes them logits is not in it: dropout and one linear layer here.
    """

    def __init__(self, activation: str):
        super().__init__()
        self.encoder = Encoder(2, 1, CHANNELS_2D, activation)
        self.classifier = nn.Sequential(nn.Dropout(MLP_DROPOUT), nn.Linear(CHANNELS_2D[-1], len(EMOTIONS)))

    def embed(self, mel: Tensor, mel_lengths: Tensor | None = None) -> Tensor:
        return self.encoder(mel, mel_lengths)


def build(activation: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> CNN2D:
    """See `ser_core.models.registry`; any form of the input will do."""
    return CNN2D(activation)
