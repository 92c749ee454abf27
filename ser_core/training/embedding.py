"""Statistics of embeddings, which a checkpoint keeps for adaptation, see `ser_core.serving.adaptation`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ser_core.models.network import Network
from ser_core.records.embedding import EmbeddingStatistics
from ser_core.training.batches import ClipTensors

MOST_CLIPS = 1000  # that say as much as all of them


def some_of(n_clips: int) -> Tensor:
    """Which of so many training clips are embedded: indices of at most 1,000, evenly over them."""
    return torch.linspace(0, n_clips - 1, min(MOST_CLIPS, n_clips)).round().long()


@torch.inference_mode()
def embed(model: Network, data: ClipTensors, clips: Tensor, batch_size: int = 32) -> Tensor:
    """Embeddings `[clips, width]` of the clips with these indices as they are, in float32, on the CPU."""
    model.eval()
    return data.of_each(model.embed, clips, batch_size).cpu()


def embedding_statistics(model: nn.Module, data: ClipTensors, clips: Tensor) -> EmbeddingStatistics | None:
    """Mean and deviation of the embeddings of some training clips, as they are, in float32, and each emotion's mean.

    A sixth of a thousand clips knows a mean to a twelfth of a deviation; a speaker's two clips know it to seven tenths.

    Args:
        model: in whatever mode; it is left in evaluation mode.
        clips: indices of the training clips; of more than 1,000, that many, evenly over them.

    Returns:
        None for a network that says nothing of an embedding.
    """
    if not isinstance(model, Network):
        return None
    some = clips[some_of(len(clips)).to(clips.device)]
    return EmbeddingStatistics.of(embed(model, data, some).numpy(), data.labels[some].cpu().numpy())
