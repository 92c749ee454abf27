"""The combined CNN (report, listing 3): spectral features and mel image to logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.activations import build_activation
from ser_core.models.config import NetworkConfig
from ser_core.models.encoder import CHANNELS_1D, CHANNELS_2D, MLP_DROPOUT, Encoder, spectral_channels
from ser_core.models.network import Network

HIDDEN = 128


class CombinedCNN(Network):
    """Spectral features `[batch, 27, frames]` and mel image `[batch, 1, 64, frames]` to logits `[batch, 6]`.

    The feature vectors of both paths are concatenated and classified by a fully connected block.
    """

    def __init__(self, activation: str, in_channels: int):
        super().__init__()
        self.encoder_1d = Encoder(1, in_channels, CHANNELS_1D, activation)
        self.encoder_2d = Encoder(2, 1, CHANNELS_2D, activation)
        self.classifier = nn.Sequential(
            nn.Linear(CHANNELS_1D[-1] + CHANNELS_2D[-1], HIDDEN),
            nn.LayerNorm(HIDDEN),
            build_activation(activation),
            nn.Dropout(MLP_DROPOUT),
            nn.Linear(HIDDEN, len(EMOTIONS)),
        )

    def embed(
        self,
        spectral: Tensor,
        mel: Tensor,
        spectral_lengths: Tensor | None = None,
        mel_lengths: Tensor | None = None,
    ) -> Tensor:
        paths = (self.encoder_1d(spectral, spectral_lengths), self.encoder_2d(mel, mel_lengths))
        return torch.cat(paths, dim=1)


def build(activation: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> CombinedCNN:
    """See `ser_core.models.registry`."""
    return CombinedCNN(activation, spectral_channels(form, features))
