"""CREMA-D: the 7,442 clips, their actors, their human ratings, and where the wav files are (Cao et al. 2014).

    python -m ser_core.cremad download [--sample N] [--to DIR]     get clips from the official repository
    python -m ser_core.cremad check [DIR]                          compare a folder with the official checksums
    python -m ser_core.cremad index CSV_DIR                        rebuild the index from the official tables

The index (`ser_core/data/clips.csv` and `actors.csv`) ships with the library; no audio does.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

import numpy as np

from ser_core.clip_file import damage_of, how_to_replace, load_clip
from ser_core.emotions import EMOTIONS
from ser_core.errors import CorpusError
from ser_core.once import once
from ser_core.vad import SAMPLE_RATE

CORPUS_VARIABLE = "CREMAD_DIR"
"""Environment variable that says where the wav files are."""

WAV_HEADER_BYTES = 44  # of every official file; 16-bit mono follows
N_CLIPS = 7442

SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}

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


class ClipName(NamedTuple):
    """The parts of `ActorID_Sentence_Emotion_Intensity`."""

    actor: int
    sentence: str
    emotion: str
    intensity: str


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


def parse_name(name: str) -> ClipName:
    """Take a clip's name apart; a folder and `.wav` or `.WAV` are allowed.

    Raises:
        CorpusError: naming the part that is wrong.
    """
    stem = _stem(name)
    parts = stem.split("_")
    if len(parts) != 4:
        raise CorpusError(
            f"{stem!r} is not a CREMA-D name: it has {len(parts)} part(s) between underscores, not 4 "
            "(ActorID_Sentence_Emotion_Intensity, as 1001_DFA_ANG_XX)."
        )
    actor, sentence, emotion, intensity = parts
    if not re.fullmatch(r"10(0[1-9]|[1-8]\d|9[01])", actor):
        raise CorpusError(f"{stem!r}: the actor is a number from 1001 to 1091, not {actor!r}.")
    for part, value, known in (
        ("sentence", sentence, SENTENCES),
        ("emotion", emotion, EMOTIONS),
        ("intensity", intensity, INTENSITIES),
    ):
        if value not in known:
            raise CorpusError(f"{stem!r}: the {part} is one of {', '.join(known)}, not {value!r}.")
    return ClipName(int(actor), sentence, emotion, intensity)


def _stem(name: str) -> str:
    """A clip's name without the folder, of whatever system, and without `.wav` in whatever case."""
    return re.sub(r"\.wav$", "", PureWindowsPath(name).name, flags=re.IGNORECASE)


@once
def load_actors() -> dict[int, Actor]:
    """The 91 actors by id."""
    with (files("ser_core") / "data" / "actors.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    return {
        int(row["actor"]): Actor(int(row["actor"]), int(row["age"]), row["sex"], row["race"], row["ethnicity"])
        for row in rows
    }


@once
def load_index() -> dict[str, Clip]:
    """All 7,442 clips by name, sorted by name."""
    actors = load_actors()
    clips = {}
    with (files("ser_core") / "data" / "clips.csv").open(encoding="utf-8") as table:
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


def find_clip(name: str) -> Clip:
    """The clip of that name (a folder and `.wav` or `.WAV` are allowed).

    Raises:
        CorpusError: a malformed name, or one that was never recorded.
    """
    parse_name(name)
    stem = _stem(name)
    try:
        return load_index()[stem]
    except KeyError:
        raise CorpusError(f"CREMA-D has no clip {stem!r}: this actor did not record that combination.") from None


def default_folder() -> Path:
    """Where clips are kept unless the user says otherwise: `$CREMAD_DIR`, or a folder of the user's cache."""
    if configured := os.environ.get(CORPUS_VARIABLE):
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ser-cremad") / "AudioWAV"


@dataclass(frozen=True)
class Corpus:
    """A folder with some or all of the wav files.

    Attributes:
        folder: holds `<name>.wav` files directly.
    """

    folder: Path

    @staticmethod
    def open(folder: Path | str | None = None) -> Corpus:
        """The corpus in `folder`, or in `default_folder()`; the folder need not exist yet."""
        return Corpus(Path(folder).expanduser() if folder else default_folder())

    @cached_property
    def present(self) -> frozenset[str]:
        """Names of the clips whose files were in the folder when first asked."""
        on_disk = {path.stem for path in self.folder.glob("*.wav")} if self.folder.is_dir() else set()
        return frozenset(on_disk & load_index().keys())

    def path(self, clip: Clip | str) -> Path:
        """Where the clip's file is, or would be."""
        return self.folder / f"{clip if isinstance(clip, str) else clip.name}.wav"

    def load(self, clip: Clip | str) -> np.ndarray:
        """A clip's sound: float32 `[samples]` at 16 kHz.

        Raises:
            CorpusError: its file is missing or damaged, and what to do about it.
        """
        return load_clip(self.path(clip))

    def require(self, clips: Sequence[Clip]) -> None:
        """Check that the files of all these clips are there with their official sizes.

        Raises:
            CorpusError: saying how many are missing or damaged, and how to get them.
        """
        bad = [c for c in clips if not self.path(c).is_file() or self.path(c).stat().st_size != c.n_bytes]
        if bad:
            first, damage = bad[0].filename, damage_of(self.path(bad[0])) or "has not its official size"
            raise CorpusError(
                f"{len(bad):,} of {len(clips):,} clips are missing from or damaged in {self.folder}: {first} {damage}. "
                f"{how_to_replace(self.folder, damage)} Or say where whole clips are with --corpus DIR or the "
                f"environment variable {CORPUS_VARIABLE}."
            )


def by_name(names: Iterable[str]) -> list[Clip]:
    """The clips of these names, in their order."""
    index = load_index()
    return [index[name] for name in names]


if __name__ == "__main__":
    from ser_core.cremad_cli import main

    main()
