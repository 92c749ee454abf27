"""What a network of our own is made of, which travels with its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ser_core.errors import ConfigError
from ser_core.features.contours import CONTOURS

Head = Literal["conformer", "transformer", "recurrent", "none"]
"""What looks at the whole clip: convolution and attention, attention, a recurrent network both ways, or nothing."""

Pooling = Literal["attentive", "plain"]
"""How moments become one vector: mean and deviation of those that matter, or of all alike."""

HEADS: tuple[Head, ...] = get_args(Head)
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
DURATION = "duration"
GIVEN = (*CONTOURS, DURATION)
"""What a network can be given beside the spectrogram."""

HEADS_OF_ATTENTION = 4


@dataclass(frozen=True)
class NetworkConfig:
    """Ingredients of `--model conformer`, each of which can be left out; other networks have none of them.

    Attributes:
        head: what looks at the whole clip: `conformer`, `transformer`, `recurrent` or `none`.
        blocks: of the head, int, 1 to 12.
        width: of the head, a multiple of 8, 16 to 512.
        pooling: of moments: mean and deviation of those that matter (`attentive`), or of all alike (`plain`).
        squeeze: whether channels of the convolutions are weighed by what the clip is like (squeeze-and-excitation).
        contours: what is given beside the spectrogram: some of `loudness`, `pitch`, `voicing`, `duration`.
        dropout: in the head, 0 to 0.9.
    """

    head: Head = "conformer"
    blocks: int = 3
    width: int = 144
    pooling: Pooling = "attentive"
    squeeze: bool = True
    contours: tuple[str, ...] = GIVEN
    dropout: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "contours", tuple(self.contours))  # JSON makes a list of it
        for name, value, known in (("head", self.head, HEADS), ("pooling", self.pooling, POOLINGS)):
            if value not in known:
                raise ConfigError(f"{name} is one of {', '.join(known)}, not {value!r}.")
        if unknown := [name for name in self.contours if name not in GIVEN]:
            raise ConfigError(f"contours is some of {', '.join(GIVEN)}, not {unknown[0]!r}.")
        if len(set(self.contours)) < len(self.contours):
            raise ConfigError("contours names each once.")
        if not 1 <= self.blocks <= 12:
            raise ConfigError(f"blocks is a whole number from 1 to 12, not {self.blocks}.")
        if not 16 <= self.width <= 512 or self.width % (2 * HEADS_OF_ATTENTION):
            raise ConfigError(f"width is a multiple of {2 * HEADS_OF_ATTENTION} from 16 to 512, not {self.width}.")
        if not 0 <= self.dropout <= 0.9:
            raise ConfigError(f"dropout is a number from 0 to 0.9, not {self.dropout:g}.")

    @property
    def rows(self) -> tuple[int, ...]:
        """Which rows of `ser_core.features.contours.contours` the network is given."""
        return tuple(i for i, name in enumerate(CONTOURS) if name in self.contours)
