"""What a model said about each test clip."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from ser_core.corpus.clips import by_name, load_index
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import RunError
from ser_core.file_state import Fingerprint
from ser_core.files import replace_file
from ser_core.records.reading import read_table

PROBABILITY_DECIMALS = 4
SPEAKER = "speaker"
"""Column that says who speaks, where clips are not all CREMA-D's."""
SUM_TOLERANCE = 10 * len(EMOTIONS) * 10**-PROBABILITY_DECIMALS / 2  # ten times what rounding does at most


@dataclass(frozen=True)
class PredictionRow:
    """A line of predictions.csv; `speaker` is empty where nobody knows who speaks, None where it has no such column."""

    clip: str
    target: Literal["ANG", "DIS", "FEA", "HAP", "NEU", "SAD"]
    ANG: float
    DIS: float
    FEA: float
    HAP: float
    NEU: float
    SAD: float
    speaker: str | None = None


@dataclass(frozen=True, eq=False)
class Predictions(ByContent):
    """What a model said about each test clip.

    Attributes:
        names: of the clips.
        targets: intended emotions, int `[clips]`, indices into `EMOTIONS`.
        probabilities: float32 `[clips, 6]`, rows summing to 1.
        said_speakers: who speaks in each clip, empty where that isn't known; nothing where all clips are CREMA-D's.
    """

    names: tuple[str, ...]
    targets: np.ndarray
    probabilities: np.ndarray
    said_speakers: tuple[str, ...] = ()

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest emotion of each clip, int `[clips]`."""
        return self.probabilities.argmax(axis=1)

    @property
    def speakers(self) -> np.ndarray:
        """Who speaks in each clip, `[clips]`: CREMA-D's actors as integers, or texts, a clip's name where unknown."""
        if self.said_speakers:
            pairs = zip(self.said_speakers, self.names, strict=True)
            return np.array([speaker or f"clip {name}" for speaker, name in pairs])
        return np.array([clip.actor.id for clip in by_name(self.names)], dtype=int)

    @property
    def undecided(self) -> np.ndarray:
        """Clips of which several emotions are the likeliest, as they may be once probabilities are rounded."""
        return (self.probabilities == self.probabilities.max(axis=1, keepdims=True)).sum(axis=1) > 1


@lru_cache(maxsize=64)
def read_predictions(path: Path, state: Fingerprint) -> Predictions:
    """Read a run's predictions, or take them from memory while the file's state is this.

    Raises:
        RunError: what of them can't be true, as the end of a sentence that begins with the file.
        OSError, ValueError: they can't be read.
    """
    rows = read_table(path, PredictionRow)
    if not rows:
        raise ValueError("it has no clips")
    speakers = tuple(row.speaker for row in rows)
    predictions = Predictions(
        tuple(row.clip for row in rows),
        np.array([EMOTIONS.index(row.target) for row in rows], dtype=int),
        np.array([[getattr(row, emotion) for emotion in EMOTIONS] for row in rows], dtype=np.float32),
        tuple(speaker or "" for speaker in speakers) if speakers[0] is not None else (),
    )
    _check(predictions)
    predictions.targets.flags.writeable = predictions.probabilities.flags.writeable = False  # shared from now on
    return predictions


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write a table that `read_predictions` reads: `clip`, `target`, the six emotions, and maybe `speaker`."""
    said = predictions.said_speakers
    with replace_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("clip", "target", *EMOTIONS, *((SPEAKER,) if said else ())))
        for i, name in enumerate(predictions.names):
            row = (f"{p:.{PROBABILITY_DECIMALS}f}" for p in predictions.probabilities[i])
            writer.writerow((name, EMOTIONS[predictions.targets[i]], *row, *said[i : i + 1]))


def _check(predictions: Predictions) -> None:
    index, seen = load_index(), set[str]()
    for name, target in zip(predictions.names, predictions.targets.tolist(), strict=True):
        if name in seen:
            raise RunError(f"names {name} more than once.")
        seen.add(name)
        if predictions.said_speakers:
            continue
        if name not in index:
            raise RunError(f"names {name!r}, which is not a clip of CREMA-D.")
        if (meant := index[name].emotion) != EMOTIONS[target]:
            raise RunError(f"says that {name} means {EMOTIONS[target]}, and it means {meant}.")
    probabilities = predictions.probabilities
    possible = ((probabilities >= 0) & (probabilities <= 1)).all(axis=1)  # NaN is neither
    possible &= abs(probabilities.sum(axis=1) - 1) < SUM_TOLERANCE
    if not possible.all():
        name = predictions.names[int(possible.argmin())]
        raise RunError(f"has probabilities of {name} that are not in 0..1 or don't sum to 1.")
