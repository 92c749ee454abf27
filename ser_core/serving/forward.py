"""A batch through a network: what it makes of speech, and how likely each emotion is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ser_core.emotions import EMOTIONS
from ser_core.models.network import Network
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.serving.adaptation import Adaptation
from ser_core.serving.arguments import arguments_of


class Outputs(NamedTuple):
    """What a network says about some waveforms.

    Attributes:
        probabilities: float32 `[waveforms, emotions]`.
        embeddings: float32 `[waveforms, width]`, before any adaptation; None if the network says nothing of one.
    """

    probabilities: np.ndarray
    embeddings: np.ndarray | None

    @staticmethod
    def joined(outputs: Sequence[Outputs]) -> Outputs:
        """Those of several batches, maybe of none, one after the other."""
        if not outputs:
            return Outputs(np.zeros((0, len(EMOTIONS)), np.float32), None)
        embeddings = [batch.embeddings for batch in outputs if batch.embeddings is not None]
        return Outputs(
            np.concatenate([batch.probabilities for batch in outputs]),
            np.concatenate(embeddings) if embeddings else None,
        )

    def part(self, start: int, end: int) -> Outputs:
        """Those of some of the waveforms."""
        return Outputs(self.probabilities[start:end], None if self.embeddings is None else self.embeddings[start:end])

    def mean(self) -> Outputs:
        """The average over all waveforms, as one row."""
        return Outputs(
            self.probabilities.mean(axis=0, keepdims=True),
            None if self.embeddings is None else self.embeddings.mean(axis=0, keepdims=True),
        )


def forward(
    model: nn.Module, config: CheckpointConfig, adaptation: Adaptation | None, waveforms: Sequence[np.ndarray]
) -> Outputs:
    """What a checkpoint's network says about prepared speech.

    Args:
        adaptation: to a speaker, which only a `Network` can have.
        waveforms: float32 `[samples]` each, one batch.
    """
    arguments = arguments_of(waveforms, config)
    with torch.inference_mode():
        if isinstance(model, Network):
            embeddings = adapted = model.embed(**arguments)
            if adaptation:
                scale, shift = map(torch.from_numpy, (adaptation.scale, adaptation.shift))
                adapted = embeddings * scale + shift
            logits = model.classifier(adapted)
        else:
            embeddings, logits = None, model(**arguments)
        probabilities = (logits / config.temperature).softmax(1).numpy()
    return Outputs(probabilities, None if embeddings is None else embeddings.numpy())
