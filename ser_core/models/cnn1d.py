"""The 1D CNN (report, listing 1)."""

from __future__ import annotations

from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.models.encoder import CHANNELS_1D, MLP_DROPOUT, SPECTRAL_CHANNELS, Encoder


class CNN1D(nn.Module):
    """Listing 1: spectral features `[batch, 27, frames]` (any number of channels and frames) to logits."""

    inputs: tuple[str, ...] = ("spectral",)

    def __init__(self, activation: str = "elu", in_channels: int = SPECTRAL_CHANNELS):
        super().__init__()
        self.encoder = Encoder(1, in_channels, CHANNELS_1D, activation)
        self.classifier = nn.Sequential(nn.Dropout(MLP_DROPOUT), nn.Linear(CHANNELS_1D[-1], len(EMOTIONS)))

    def forward(self, spectral: Tensor, spectral_lengths: Tensor | None = None) -> Tensor:
        return self.classifier(self.encoder(spectral, spectral_lengths))
