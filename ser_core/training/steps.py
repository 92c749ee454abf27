"""What a table of steps is made of: networks, each of which has something more than another, or something less."""

from __future__ import annotations

from dataclasses import dataclass

from ser_core.audio.changes.labels import CHANGE_LABELS
from ser_core.training.config import TrainConfig

CHANGES = {name: CHANGE_LABELS[name] for name in ("noise", "spectrum", "room", "gate", "gain", "speed")}
"""Of the waveform, those that are on by default, and what a table calls them."""
ALL_CHANGES = "all changes"
TOGETHER = f"{ALL_CHANGES} and SpecAugment"
BUNDLES = (ALL_CHANGES, TOGETHER)
"""Labels of the steps that have all of them."""
MIXUP = 0.2  # as its authors have it for pictures


@dataclass(frozen=True)
class Step:
    """A network, and what it has more or less than another.

    Attributes:
        label: what it adds or takes away, for a table.
        config: the network that is trained with it.
        to: label of what it is compared with; None of the first.
    """

    label: str
    config: TrainConfig
    to: str | None = None
