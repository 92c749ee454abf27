"""What a model said about each test clip."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ser_core.corpus.clips import by_name
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.file_state import Fingerprint

PROBABILITY_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class Predictions(ByContent):
    """What a model said about each test clip.

    Attributes:
        names: of the clips.
        targets: intended emotions, int `[clips]`, indices into `EMOTIONS`.
        probabilities: float32 `[clips, 6]`, rows summing to 1.
    """

    names: tuple[str, ...]
    targets: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest emotion of each clip, int `[clips]`."""
        return self.probabilities.argmax(axis=1)

    @property
    def speakers(self) -> np.ndarray:
        """The actor of each clip, int `[clips]`."""
        return np.array([clip.actor.id for clip in by_name(self.names)], dtype=int)


@lru_cache(maxsize=64)
def read_predictions(path: Path, state: Fingerprint) -> Predictions:
    with path.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    probabilities = [[float(row[emotion]) for emotion in EMOTIONS] for row in rows]
    predictions = Predictions(
        tuple(row["clip"] for row in rows),
        np.array([EMOTIONS.index(row["target"]) for row in rows], dtype=int),
        np.array(probabilities, dtype=np.float32).reshape(-1, len(EMOTIONS)),
    )
    predictions.targets.flags.writeable = predictions.probabilities.flags.writeable = False  # shared from now on
    return predictions
