"""The temperature that makes a network's probabilities believable (Guo et al. 2017)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LOWEST, HIGHEST = 0.2, 5.0


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The number that logits are divided by, so that the labels of these clips become the likeliest.

    One number changes no answer, only how sure the network says it is.

    Args:
        logits: `[clips, 6]` of clips that were not trained on, the validation clips.
        labels: index into `EMOTIONS` of each, `[clips]`.

    Returns:
        from 0.2 to 5, above 1 for a network that is too sure.
    """
    from scipy.optimize import minimize_scalar

    logits, labels = logits.double().cpu(), labels.cpu()

    def loss(log_temperature: float) -> float:
        return float(F.cross_entropy(logits / math.exp(log_temperature), labels))

    found = minimize_scalar(loss, bounds=(math.log(LOWEST), math.log(HIGHEST)), method="bounded")
    return round(math.exp(found.x), 4)


def probabilities(logits: Tensor, temperature: float) -> Tensor:
    """Probabilities `[clips, 6]` of logits, at a temperature."""
    return torch.softmax(logits / temperature, dim=1)
