"""A batch through a checkpoint's network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

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
        logits, embeddings = answer(model, config, adaptation, arguments_of(waveforms, config))
        probabilities = logits.softmax(1).numpy()
    return Outputs(probabilities, None if embeddings is None else embeddings.numpy())


def answer(
    model: nn.Module, config: CheckpointConfig, adaptation: Adaptation | None, arguments: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor | None]:
    """A network's answer to a batch of its inputs.

    Args:
        adaptation: see `forward`.
        arguments: what the network is called with.

    Returns:
        logits over the checkpoint's temperature, `[batch, 6]`, and embeddings before any adaptation, `[batch, width]`;
        None for a network that says nothing of one.
    """
    if not isinstance(model, Network):
        return model(**arguments) / config.temperature, None
    embeddings = adapted = model.embed(**arguments)
    if adaptation:
        scale, shift = map(torch.from_numpy, (adaptation.scale, adaptation.shift))
        adapted = embeddings * scale + shift
    return model.classifier(adapted) / config.temperature, embeddings
