"""Several corpora, or one that isn't CREMA-D, to train on: their clips under names of their own, divided by speakers.

CREMA-D keeps its split. Of any other corpus, a fifth of the speakers are tested on and a tenth validated on, at least
one each, and the others are trained on: nobody is in two parts. Which speakers these are depends on their names alone,
so it is the same every time; women and men take turns, so that both are in each part where it has room for two.

No recording is in two parts, whatever its file and its corpus are called: of files with the same content the first is
kept, of the corpora in the order in which they are named, but those of CREMA-D before all others. CREMA-D itself keeps
all its clips, also the three recordings that it has under two labels.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, zip_longest
from pathlib import Path
from typing import Literal

from ser_core.corpus.clip_file import damage_of
from ser_core.corpus.clips import by_name
from ser_core.corpus.copies import COPY
from ser_core.corpus.folder import Corpus
from ser_core.corpus.identity import DIGITS, content_of, cremad_names
from ser_core.corpus.labels import LabelMap, check_labels
from ser_core.corpus.recordings import CorpusPart, Recording, Recordings, label_checksum
from ser_core.corpus.registry import CREMAD, KINDS, holds_audio, kind_of, open_recordings
from ser_core.corpus.splits import SPLITS, Split, load_split
from ser_core.equality import ByContent
from ser_core.errors import ConfigError, CorpusError
from ser_core.files import safe_name
from ser_core.words import counted

TESTED, VALIDATED = 0.2, 0.1
"""Shares of the speakers."""
FEWEST_SPEAKERS = 3

PartName = Literal["train", "val", "test"]
PARTS: tuple[PartName, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class GatheredClip:
    """A clip of one of the corpora.

    Attributes:
        name: the corpus' and its own there, as `ravdess/03-01-05-01-02-01-12`; CREMA-D's have theirs alone.
        sha256: of its file.
        speaker: the corpus and who speaks, as `ravdess/12`; CREMA-D's actors have their numbers alone.
    """

    name: str
    path: Path
    emotion: str
    sha256: str
    speaker: str


@dataclass(frozen=True, eq=False)
class GatheredSplit(ByContent, Split):
    """Clips of all the corpora.

    Attributes:
        parts: the corpora, in order.
        speaker_of: of each clip by its name.
    """

    parts: tuple[CorpusPart, ...]
    speaker_of: dict[str, str]

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that differ when any part does, or any label."""
        text = "\n".join((super().id, *(f"{part.name} {part.checksum}" for part in self.parts)))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def speakers(self, names: Sequence[str]) -> frozenset[str]:
        """Who speaks in these clips."""
        return frozenset(self.speaker_of[name] for name in names)


class Gathered:
    """Corpora to train on; where training asks for its clips, as it asks `ser_core.corpus.folder.Corpus`.

    Args:
        cremad: the folder of CREMA-D, if it is among them.
        others: all others, of which speakers are known.
        split: how CREMA-D is divided, see `ser_core.corpus.splits.load_split`.

    Attributes:
        others: without copies, which are in their `left_out`.

    Raises:
        ConfigError: there is no such split, or no CREMA-D to be divided by it; two corpora have the same name.
        CorpusError: a corpus can't be divided by speakers, or all its clips are copies of others; a file can't be read.
    """

    def __init__(self, cremad: Corpus | None, others: Sequence[Recordings], split: str = SPLITS[0]):
        if cremad is None and split != SPLITS[0]:
            raise ConfigError(f"--split {split} divides CREMA-D, and it is not among the corpora. Leave it out.")
        kinds = Counter(one.name for one in others)
        names = [CREMAD] * (cremad is not None) + [
            safe_name(one.name if kinds[one.name] == 1 else f"{one.name}-{one.folder.name}") for one in others
        ]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ConfigError(f"Two corpora are called {twice[0]}: their clips can't be told apart. Rename a folder.")
        self.cremad, self.names = cremad, tuple(names)
        self.others, self._contents = _each_once(others, cremad is not None)
        self._cremad_split = load_split(split) if cremad else None
        self._divided = [divide(one) for one in self.others]

    @property
    def name(self) -> str:
        """Of all of them, as `crema-d+ravdess`."""
        return "+".join(self.names)

    @cached_property
    def _clips(self) -> dict[str, GatheredClip]:
        found = {}
        for one in self.others:
            for clip in one.clips:
                name, speaker = (f"{safe_name(one.name)}/{said}" for said in (clip.name, clip.speaker))
                found[name] = GatheredClip(name, clip.path, clip.emotion, self._contents[clip.path], speaker)
        if self.cremad and self._cremad_split:
            split = self._cremad_split
            for official in by_name((*split.train, *split.val, *split.test)):
                found[official.name] = GatheredClip(
                    official.name,
                    self.cremad.path(official),
                    official.emotion,
                    official.sha256,
                    str(official.actor.id),
                )
        return found

    @cached_property
    def split(self) -> GatheredSplit:
        """Who is trained on, validated on and tested on."""
        split, parts = self._cremad_split, []
        names: dict[PartName, list[str]] = {part: list(getattr(split, part)) if split else [] for part in PARTS}
        if split:
            checksum = label_checksum(by_name((*split.train, *split.val, *split.test)))
            parts.append(CorpusPart(CREMAD, KINDS[CREMAD].title, checksum, split.id, {}))
        for one, divided in zip(self.others, self._divided, strict=True):
            of_part: dict[PartName, list[str]] = {
                part: [f"{safe_name(one.name)}/{clip.name}" for clip in one.clips if clip.speaker in divided[part]]
                for part in PARTS
            }
            own = Split(one.name, *(tuple(of_part[part]) for part in PARTS))
            speakers = {str(part): who for part, who in divided.items()}
            parts.append(CorpusPart(one.name, one.title, one.checksum, own.id, speakers))
            for part in PARTS:
                names[part] += of_part[part]
        speaker_of = {name: clip.speaker for name, clip in self._clips.items()}
        train, val, test = (tuple(names[part]) for part in PARTS)
        return GatheredSplit(self.name, train, val, test, tuple(parts), speaker_of)

    @property
    def heard(self) -> str:
        """By what a checkpoint knows the files again that it was trained or validated on, those of CREMA-D apart.

        The first `ser_core.corpus.identity.DIGITS` of each content, sorted, with spaces between.
        """
        clips = self.clips(name for name in (*self.split.train, *self.split.val) if "/" in name)
        return " ".join(sorted(clip.sha256[:DIGITS] for clip in clips))

    def clips(self, names: Iterable[str]) -> list[GatheredClip]:
        """The clips of these names, in their order."""
        return [self._clips[name] for name in names]

    def said_speakers(self, names: Iterable[str]) -> tuple[str, ...]:
        """Who speaks in each, as `ser_core.records.predictions.Predictions` has it."""
        return tuple(clip.speaker for clip in self.clips(names))

    def path(self, clip: GatheredClip) -> Path:
        """Where the clip's file is."""
        return clip.path

    def require(self, clips: Sequence[GatheredClip]) -> None:
        """Check that the files of all these clips are there, and not plainly damaged.

        Raises:
            CorpusError: the first that isn't, and what is wrong with it.
        """
        official = [clip for clip in clips if "/" not in clip.name]
        if self.cremad and official:
            self.cremad.require(by_name(clip.name for clip in official))
        for clip in clips:
            if "/" in clip.name and (damage := damage_of(clip.path)):
                raise CorpusError(f"{clip.path} {damage}. Replace it, or take it out of the corpus.")


def _each_once(others: Sequence[Recordings], beside_cremad: bool) -> tuple[tuple[Recordings, ...], dict[Path, str]]:
    """Corpora without copies of clips, see the top of this module, and the content of each file.

    Raises:
        CorpusError: a corpus has nothing else; a file can't be read.
    """
    kept: list[Recordings] = []
    contents: dict[Path, str] = {}
    seen: set[str] = set()
    for one in others:
        clips: list[Recording] = []
        copies: list[str] = []
        for clip in one.clips:
            content = contents[clip.path] = content_of(clip.path)
            if content in seen or (beside_cremad and cremad_names(clip.path)):
                copies.append(clip.name)
            else:
                clips.append(clip)
            seen.add(content)
        if not clips:
            raise CorpusError(f"All clips of {one.title} are in the other corpora, too. Leave it out.")
        left_out = one.left_out | ({COPY: tuple(copies)} if copies else {})
        kept.append(replace(one, clips=tuple(clips), left_out=left_out))
    return tuple(kept), contents


def divide(recordings: Recordings) -> dict[PartName, tuple[str, ...]]:
    """The speakers of each part, sorted, see the top of this module.

    Raises:
        CorpusError: they are unknown, or too few.
    """
    if recordings.speakers is None:
        raise CorpusError(
            f"Who speaks in {recordings.title} isn't known, so it can't be divided by speakers. Give a table with the "
            "columns file, emotion and speaker."
        )
    if len(recordings.speakers) < FEWEST_SPEAKERS:
        copies = len(recordings.left_out.get(COPY, ()))
        without = f", {counted(copies, 'clip')} apart that are copies of others" if copies else ""
        raise CorpusError(
            f"{recordings.title} has {len(recordings.speakers)} speaker(s){without}: at least {FEWEST_SPEAKERS} are "
            "needed, to train on some, to validate on others and to test on others again."
        )
    sexes = {clip.speaker: clip.sex or "" for clip in recordings.clips}
    groups = [
        sorted(
            (name for name in recordings.speakers if sexes[name] == sex),
            key=lambda name: hashlib.sha256(f"{recordings.name}/{name}".encode()).hexdigest(),
        )
        for sex in sorted(set(sexes.values()))
    ]
    order = [name for name in chain.from_iterable(zip_longest(*groups)) if name is not None]
    n_test, n_val = (max(1, round(share * len(order))) for share in (TESTED, VALIDATED))
    ends = {"test": order[:n_test], "val": order[n_test : n_test + n_val], "train": order[n_test + n_val :]}
    return {part: tuple(sorted(ends[part])) for part in PARTS}


def open_corpora(paths: Sequence[Path], own: LabelMap, split: str) -> Corpus | Gathered:
    """What is trained on: CREMA-D by itself, where nothing else is named, or what is named.

    Raises:
        CorpusError, ConfigError: see `Gathered` and `open_recordings`; or labels that no clip has.
    """
    places = [os.path.realpath(path.expanduser()) for path in paths]
    if twice := next((place for place in places if places.count(place) > 1), None):
        one, other = [path for path, place in zip(paths, places, strict=True) if place == twice][:2]
        what = "folder" if Path(twice).is_dir() else "file"
        same = f"{one} is named more than once" if one == other else f"{one} and {other} are the same {what}"
        raise ConfigError(f"{same}: name each corpus once.")
    is_cremad = [kind_of(path.expanduser()) == CREMAD for path in paths]
    if not paths or (len(paths) == 1 and (is_cremad[0] or _is_empty(paths[0].expanduser()))):
        if own:
            raise ConfigError("--labels says what the labels of other corpora mean, and --corpus names none.")
        return Corpus.open(paths[0] if paths else None)
    if sum(is_cremad) > 1:
        raise ConfigError("CREMA-D is named more than once: name it once.")
    others = [open_recordings(path, own) for path, known in zip(paths, is_cremad, strict=True) if not known]
    check_labels(own, {label for one in others for label in one.labels})
    cremad = next((Corpus.open(path) for path, known in zip(paths, is_cremad, strict=True) if known), None)
    return Gathered(cremad, others, split)


def _is_empty(path: Path) -> bool:
    """Whether clips of CREMA-D are to be got for this folder; a table that isn't there is not one."""
    return path.suffix.lower() != ".csv" and not holds_audio(path)
