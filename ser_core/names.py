"""What the report calls networks, activations and runs."""

from __future__ import annotations

MODEL_LABELS = {"1d": "1D", "2d": "2D", "combined": "Combined", "resnet38": "ResNet38", "resnet101": "ResNet101"}
ACTIVATION_LABELS = {"relu": "ReLU", "silu": "SiLU", "elu": "ELU"}


def run_name(
    model: str, activation: str, lr: float, form: str = "fixed", split: str = "report", select: str = "loss"
) -> str:
    """As `lr0.001-SiLU-2D`; another form, split or selection than the report's usual ones is added."""
    choices = ((form, "fixed"), (split, "report"), (f"by-{select}", "by-loss"))
    others = "".join(f"-{name}" for name, usual in choices if name != usual)
    return f"lr{lr:g}-{ACTIVATION_LABELS[activation]}-{MODEL_LABELS[model]}{others}"
