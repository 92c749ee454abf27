"""Swish, an activation that is learned (Ramachandran et al., "Searching for activation functions", 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Swish(nn.Module):
    """`x · sigmoid(β x)` with one β a layer, which begins as SiLU's 1; with 0 it is linear, with much like ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.beta.to(x.dtype) * x)
