"""Mixup: train on weighted sums of two clips, whose target is the same sum of theirs (Zhang et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ser_core.emotions import EMOTIONS


def mixup(inputs: dict[str, Tensor], labels: Tensor, alpha: float) -> tuple[dict[str, Tensor], Tensor]:
    """Mix each clip with another one of its batch.

    Args:
        inputs: a network's arguments, as `ser_core.training.batches.ClipTensors.batch` gives them. Of clips of
            different lengths, each keeps its own, and the padding of the other adds nothing.
        labels: index into `EMOTIONS` of each clip, `[batch]`, or soft labels `[batch, 6]`.
        alpha: of the beta distribution that shares are drawn from, > 0: with 1 they are even, with less most are
            near 0 or 1. Chance comes from PyTorch's generator.

    Returns:
        the mixed arguments, and targets `[batch, 6]` that add up to 1.
    """
    targets = labels if labels.is_floating_point() else F.one_hot(labels, len(EMOTIONS)).float()
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    order = torch.randperm(len(labels)).to(labels.device)
    mixed = dict(inputs)
    for name, values in inputs.items():
        if not name.endswith("_lengths"):
            mixed[name] = share * values + (1 - share) * values[order]
    return mixed, share * targets + (1 - share) * targets[order]
