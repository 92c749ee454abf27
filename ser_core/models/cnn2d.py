"""The 2D CNN (report, listing 2)."""

from __future__ import annotations

from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.models.encoder import CHANNELS_2D, MLP_DROPOUT, Encoder


class CNN2D(nn.Module):
    """Listing 2: mel image `[batch, 1, 64, 64]` (any width) to logits."""

    inputs: tuple[str, ...] = ("mel",)

    def __init__(self, activation: str = "silu"):
        super().__init__()
        self.encoder = Encoder(2, 1, CHANNELS_2D, activation)
        self.classifier = nn.Sequential(nn.Dropout(MLP_DROPOUT), nn.Linear(CHANNELS_2D[-1], len(EMOTIONS)))

    def forward(self, mel: Tensor, mel_lengths: Tensor | None = None) -> Tensor:
        return self.classifier(self.encoder(mel, mel_lengths))
