"""A batch through a checkpoint's network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ser_core.forks import step
from ser_core.models.network import Network
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.serving.adaptation import Adaptation
from ser_core.serving.arguments import arguments_of
from ser_core.serving.outputs import Outputs


def forward(
    model: nn.Module, config: CheckpointConfig, adaptation: Adaptation | None, waveforms: Sequence[np.ndarray]
) -> Outputs:
    """What a checkpoint's network says about prepared speech.

    Args:
        adaptation: to a speaker, which only a `Network` can have.
        waveforms: float32 `[samples]` each, one batch.
    """
    with step, torch.inference_mode():
        arguments = arguments_of(waveforms, config)
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
