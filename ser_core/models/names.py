"""What the report calls networks, activations and runs."""

from __future__ import annotations

from collections.abc import Iterable

MODEL_LABELS = {"1d": "1D", "2d": "2D", "combined": "Combined", "resnet38": "ResNet38", "resnet101": "ResNet101"}
ACTIVATION_LABELS = {"relu": "ReLU", "silu": "SiLU", "elu": "ELU"}


def run_name(model: str, activation: str, lr: float, others: Iterable[str] = ()) -> str:
    """As `lr0.001-SiLU-2D`, and what is unusual about it, as `-mean-seed7`."""
    return "-".join((f"lr{lr:g}", ACTIVATION_LABELS[activation], MODEL_LABELS[model], *others))
