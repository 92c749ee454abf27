"""What all networks have in common: an embedding of a clip, and a classifier of the embedding."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class Network(nn.Module):
    """A classifier on top of an embedding.

    Both can be asked for alone, since a speaker's own statistics are those of embeddings, see
    `ser_core.serving.adaptation`.

    Attributes:
        classifier: embeddings `[batch, width]` to logits `[batch, 6]`.
    """

    classifier: nn.Module

    def embed(self, *inputs: Any, **named: Any) -> Tensor:
        """Embeddings `[batch, width]`, of the inputs that the network takes."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor, **named: Tensor | None) -> Tensor:
        """Logits `[batch, 6]`."""
        return self.classifier(self.embed(*inputs, **named))
