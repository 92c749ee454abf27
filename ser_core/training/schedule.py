"""The learning rate over a run (report, listing 5)."""

from __future__ import annotations

import math

from ser_core.training.config import TrainConfig


def learning_rate(step: int, config: TrainConfig, steps_per_epoch: int) -> float:
    """The learning rate of listing 5 at a step counted from 0: linear warm-up, then a cosine down to the minimum."""
    warmup = config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return config.lr * step / warmup
    main = max(1, (config.epochs - config.warmup_epochs) * steps_per_epoch)
    minimum = config.lr * config.min_lr_factor
    return minimum + (config.lr - minimum) * (1 + math.cos(math.pi * (step - warmup) / main)) / 2
