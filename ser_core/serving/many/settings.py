"""What decides the rows of a table: a table holds rows of one kind, so other settings are another table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ser_core.audio.limit import Limit
from ser_core.errors import ConfigError
from ser_core.records.checkpoints import CHECKPOINT_FILES
from ser_core.serving.adaptation import Adaptation
from ser_core.serving.many.limits import require_windows
from ser_core.serving.prediction import require_probability

BEFORE = {"any_sound": "False"}
"""What holds for journals that are older than a setting."""


@dataclass(frozen=True)
class ManySettings:
    """What is asked of each file.

    Attributes:
        checkpoint: name of its folder.
        weights: checksum of its files.
        min_confidence: below this probability the answer is `unsure`.
        max_minutes: what lasts longer is refused.
        adaptation: checksum of what the network is tuned to; empty if to nothing.
        windows: seconds of a window, 0.2 to 300, for a row each; None for a row a file.
        hop: seconds from one window's start to the next, 0.05 to 300; None where `windows` is.
        embeddings: whether a row has the network's embedding.
        any_sound: whether recordings are classified in which no voice is recognised.

    Raises:
        ConfigError: a value is out of its range.
    """

    checkpoint: str
    weights: str
    min_confidence: float
    max_minutes: float
    adaptation: str = ""
    windows: float | None = None
    hop: float | None = None
    embeddings: bool = False
    any_sound: bool = False

    def __post_init__(self) -> None:
        require_probability(self.min_confidence)
        Limit(60 * self.max_minutes)
        if (self.windows is None) != (self.hop is None):
            raise ConfigError("Windows need a length and a hop, or neither.")
        require_windows(self.windows, self.hop)

    def as_text(self) -> dict[str, str]:
        """Name and value of each, as a journal keeps them."""
        return {name: str(value) for name, value in asdict(self).items()}

    def differences(self, others: Mapping[str, str]) -> list[str]:
        """What is asked for now and was not, in words.

        Args:
            others: the settings before, as `as_text` gave them.
        """
        said = []
        for name, value in self.as_text().items():
            before = others.get(name, BEFORE.get(name, "unknown"))
            if before == value:
                continue
            match name:
                case "weights":
                    same = others.get("checkpoint") == self.checkpoint
                    said += [f"the checkpoint {self.checkpoint} has changed"] if same else []
                case "adaptation":
                    said.append("it was tuned to other recordings, or to none")
                case _:
                    said.append(f"{name.replace('_', ' ')} was {before} and is {value}")
        return said


def checksum_of_checkpoint(folder: Path) -> str:
    """Of the files that decide what it says."""
    digest = hashlib.sha256()
    for path in (folder / name for name in CHECKPOINT_FILES):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def checksum_of_adaptation(adaptation: Adaptation | None) -> str:
    """Of what it does to embeddings; empty for none."""
    if adaptation is None:
        return ""
    return hashlib.sha256(adaptation.scale.tobytes() + adaptation.shift.tobytes()).hexdigest()[:16]
