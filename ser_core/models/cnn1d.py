"""The 1D CNN (report, listing 1): spectral features to logits."""

from __future__ import annotations

from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.config import NetworkConfig
from ser_core.models.encoder import CHANNELS_1D, MLP_DROPOUT, Encoder, spectral_channels
from ser_core.models.network import Network


class CNN1D(Network):
    """Spectral features `[batch, 27, frames]` (any number of channels and frames) to logits `[batch, 6]`.

    The listing ends with 512 numbers a clip; what makes them logits is not in it: dropout and one linear layer here.
    """

    def __init__(self, activation: str, in_channels: int):
        super().__init__()
        self.encoder = Encoder(1, in_channels, CHANNELS_1D, activation)
        self.classifier = nn.Sequential(nn.Dropout(MLP_DROPOUT), nn.Linear(CHANNELS_1D[-1], len(EMOTIONS)))

    def embed(self, spectral: Tensor, spectral_lengths: Tensor | None = None) -> Tensor:
        return self.encoder(spectral, spectral_lengths)


def build(activation: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> CNN1D:
    """See `ser_core.models.registry`."""
    return CNN1D(activation, spectral_channels(form, features))
