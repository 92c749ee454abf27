"""CREMA-D: the 7,442 clips, their actors, their human ratings, and where the wav files are (Cao et al. 2014).

    python -m ser_core.cremad download [--sample N] [--to DIR]     get clips from the official repository
    python -m ser_core.cremad check [DIR]                          compare a folder with the official checksums
    python -m ser_core.cremad index CSV_DIR                        rebuild the index from the official tables

The index (`ser_core/corpus/data/clips.csv` and `actors.csv`) ships with the library; no audio does.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.checksums import check_sums
from ser_core.corpus.names import SENTENCES, parse_name, stem_of
from ser_core.emotions import EMOTIONS
from ser_core.errors import CorpusError
from ser_core.once import once

WAV_HEADER_BYTES = 44  # of every official file; 16-bit mono follows
N_CLIPS = 7442
DATA_DIR = Path(__file__).parent / "data"

DEFECTS = {
    "1076_MTI_SAD_XX": "digital silence",
    "1006_TIE_HAP_XX": "the same recording as 1006_TIE_NEU_XX, under another label",
    "1006_TIE_NEU_XX": "the same recording as 1006_TIE_HAP_XX, under another label",
    "1013_WSI_SAD_XX": "the same recording as 1013_WSI_DIS_XX, under another label",
    "1013_WSI_DIS_XX": "the same recording as 1013_WSI_SAD_XX, under another label",
    "1017_IWW_ANG_XX": "the same recording as 1017_IWW_FEA_XX, under another label",
    "1017_IWW_FEA_XX": "the same recording as 1017_IWW_ANG_XX, under another label",
}
"""Known faults of the official data. The report's split keeps these clips."""


@dataclass(frozen=True)
class Actor:
    """Who speaks: id 1001 to 1091, age in years, sex, race and ethnicity as the official table has them."""

    id: int
    age: int
    sex: str
    race: str
    ethnicity: str


@dataclass(frozen=True)
class Votes:
    """How many raters chose each emotion, in the order of `EMOTIONS`."""

    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """Number of ratings."""
        return sum(self.counts)

    @property
    def shares(self) -> np.ndarray:
        """Share of ratings per emotion: float64 `[6]`, summing to 1 (zeros without ratings)."""
        return np.array(self.counts) / max(self.total, 1)

    @property
    def agreement(self) -> float:
        """Share of the most chosen emotion, 0..1."""
        return float(self.shares.max())

    @property
    def majority(self) -> tuple[str, ...]:
        """The most chosen emotion, or several where they tie."""
        return tuple(e for e, n in zip(EMOTIONS, self.counts, strict=True) if n == max(self.counts))


@dataclass(frozen=True)
class Clip:
    """One recording of the index.

    Attributes:
        name: official name without extension, as `1001_DFA_ANG_XX`.
        sha256: checksum of the official wav file.
        n_bytes: size of the official wav file.
        report_split: `train`, `val` or `test` in the report's split (listing 4).
        voice, face, both: what raters chose who only heard, only saw, or heard and saw the clip.
    """

    name: str
    actor: Actor
    sentence: str
    emotion: str
    intensity: str
    sha256: str
    n_bytes: int
    report_split: str
    voice: Votes
    face: Votes
    both: Votes

    @property
    def seconds(self) -> float:
        """Duration."""
        return (self.n_bytes - WAV_HEADER_BYTES) / 2 / SAMPLE_RATE

    @property
    def text(self) -> str:
        """The sentence that is spoken."""
        return SENTENCES[self.sentence]

    @property
    def filename(self) -> str:
        """Name of the wav file."""
        return f"{self.name}.wav"

    @property
    def defect(self) -> str | None:
        """What is known to be wrong with the clip, if anything."""
        return DEFECTS.get(self.name)


@once
def load_actors() -> dict[int, Actor]:
    """The 91 actors by id; a damaged table raises a `CorpusError`."""
    with _shipped("actors.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    return {
        int(row["actor"]): Actor(int(row["actor"]), int(row["age"]), row["sex"], row["race"], row["ethnicity"])
        for row in rows
    }


@once
def load_index() -> dict[str, Clip]:
    """All 7,442 clips by name, sorted by name.

    Raises:
        CorpusError: the index is damaged.
    """
    actors = load_actors()
    clips = {}
    with _shipped("clips.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            parts = parse_name(row["name"])
            clips[row["name"]] = Clip(
                row["name"],
                actors[parts.actor],
                *parts[1:],
                row["sha256"],
                int(row["bytes"]),
                row["split"],
                *(Votes(tuple(int(n) for n in row[kind].split())) for kind in ("voice", "face", "both")),
            )
    return clips


def _shipped(name: str) -> Path:
    """A table of the index, which is as it was built; a damaged one raises a `CorpusError`."""
    try:
        check_sums(DATA_DIR, name)
    except (OSError, ValueError) as error:
        raise CorpusError(f"The index of CREMA-D is damaged: {error}. Install this project again.") from None
    return DATA_DIR / name


def find_clip(name: str) -> Clip:
    """The clip of that name (a folder and `.wav` or `.WAV` are allowed).

    Raises:
        CorpusError: a malformed name, or one that was never recorded.
    """
    parse_name(name)
    stem = stem_of(name)
    try:
        return load_index()[stem]
    except KeyError:
        raise CorpusError(f"CREMA-D has no clip {stem!r}: this actor did not record that combination.") from None


def by_name(names: Iterable[str]) -> list[Clip]:
    """The clips of these names, in their order."""
    index = load_index()
    return [index[name] for name in names]


def voice_votes(name: str) -> tuple[int, ...] | None:
    """What raters who only heard a clip chose, see `Votes.counts`; None for the name of another corpus' clip."""
    clip = load_index().get(name)
    return clip.voice.counts if clip else None
