"""What is known of the clips of any corpus: one form for all kinds of corpora (`ser_core.corpus.registry`)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

from ser_core.corpus.identity import contents_checksum
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent


class Labelled(NamedTuple):
    """What a file's name, a table's row or a folder says of a recording.

    Attributes:
        name: differs from that of every other recording of its corpus, wherever the corpus lies.
        label: the emotion in the corpus' own word.
        speaker: who speaks, None where that isn't said.
        sex: `female`, `male`, or None where that isn't known.
        refused: why it is left out whatever its label; empty if it isn't.
    """

    name: str
    label: str
    speaker: str | None = None
    sex: str | None = None
    refused: str = ""


@dataclass(frozen=True)
class Recording:
    """One clip of a corpus, of one of the six emotions.

    Attributes:
        name, speaker, sex: see `Labelled`.
        path: its file.
        emotion: one of `EMOTIONS`.
    """

    name: str
    path: Path
    emotion: str
    speaker: str | None
    sex: str | None


@dataclass(frozen=True, eq=False)
class Recordings(ByContent):
    """A corpus of any kind.

    Attributes:
        name: of the kind, as `ravdess`, or of the folder or table; what records call it.
        title: what people call it, as `RAVDESS`.
        folder: that names are sought in.
        clips: by name.
        left_out: what is none of them, by the reason, which says what it is: `label surprise, …`; names, or what
            begins with them.
        labels: all the words for emotions that occur in it.
    """

    name: str
    title: str
    folder: Path
    clips: tuple[Recording, ...]
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()

    @cached_property
    def speakers(self) -> tuple[str, ...] | None:
        """Who speaks, sorted; None unless that is known of every clip."""
        names = {clip.speaker for clip in self.clips}
        return None if None in names else tuple(sorted(name for name in names if name is not None))

    @property
    def emotions(self) -> dict[str, int]:
        """Number of clips of each of the six emotions."""
        counts = Counter(clip.emotion for clip in self.clips)
        return {emotion: counts[emotion] for emotion in EMOTIONS}

    @property
    def checksum(self) -> str:
        """See `label_checksum`."""
        return label_checksum(self.clips)

    @cached_property
    def contents(self) -> str:
        """Twelve hexadecimal digits over the contents of its clips, whatever they are called."""
        return contents_checksum(clip.path for clip in self.clips)


@dataclass(frozen=True, eq=False)
class CorpusPart(ByContent):
    """One of the corpora that a run was trained on.

    Attributes:
        name, title: see `Recordings`.
        checksum: of the names and labels of its clips.
        split_id: of its part of the split (`ser_core.corpus.splits.Split.id`).
        speakers: who is in `train`, `val` and `test`; nobody is named of CREMA-D, whose split says it.
    """

    name: str
    title: str
    checksum: str
    split_id: str
    speakers: dict[str, tuple[str, ...]]


class HasLabel(Protocol):
    """A clip of any corpus."""

    @property
    def name(self) -> str: ...
    @property
    def emotion(self) -> str: ...


def label_checksum(clips: Iterable[HasLabel]) -> str:
    """Twelve hexadecimal digits over names and emotions, whatever the order: which clips these are."""
    pairs = sorted((clip.name, clip.emotion) for clip in clips)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()[:12]
