"""The combined CNN (report, listing 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.models.encoder import CHANNELS_1D, CHANNELS_2D, MLP_DROPOUT, SPECTRAL_CHANNELS, Encoder
from ser_core.models.layers import ACTIVATIONS

HIDDEN_COMBINED = 128


class CombinedCNN(nn.Module):
    """Listing 3: both paths, concatenated and classified by a fully connected block."""

    inputs: tuple[str, ...] = ("spectral", "mel")

    def __init__(self, activation: str = "silu", in_channels: int = SPECTRAL_CHANNELS):
        super().__init__()
        self.encoder_1d = Encoder(1, in_channels, CHANNELS_1D, activation)
        self.encoder_2d = Encoder(2, 1, CHANNELS_2D, activation)
        self.classifier = nn.Sequential(
            nn.Linear(CHANNELS_1D[-1] + CHANNELS_2D[-1], HIDDEN_COMBINED),
            nn.LayerNorm(HIDDEN_COMBINED),
            ACTIVATIONS[activation](),
            nn.Dropout(MLP_DROPOUT),
            nn.Linear(HIDDEN_COMBINED, len(EMOTIONS)),
        )

    def forward(
        self,
        spectral: Tensor,
        mel: Tensor,
        spectral_lengths: Tensor | None = None,
        mel_lengths: Tensor | None = None,
    ) -> Tensor:
        paths = (self.encoder_1d(spectral, spectral_lengths), self.encoder_2d(mel, mel_lengths))
        return self.classifier(torch.cat(paths, dim=1))
