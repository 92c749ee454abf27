"""A corpus in a few lines of text: its clips, who speaks, and what was left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ser_core.corpus.copies import without_copies
from ser_core.corpus.labels import check_labels, parse_labels
from ser_core.corpus.recordings import Recordings
from ser_core.corpus.registry import KINDS, open_recordings
from ser_core.emotions import EMOTION_NAMES
from ser_core.words import counted

NAMED = 3  # of the files that are left out for a reason


def open_described(path: Path, labels: str | None) -> Recordings:
    """A corpus with a label map as it is typed, without copies of clips.

    Raises:
        CorpusError: there is none that can be used.
        ConfigError: the map can't be understood, or names what no clip has.
    """
    own = parse_labels(labels)
    recordings = open_recordings(path, own)
    check_labels(own, recordings.labels)
    return without_copies(recordings)


def describe(path: Path, labels: str | None = None) -> list[str]:
    """What `ser corpus describe` prints; raises as `open_described` does."""
    recordings = open_described(path, labels)
    kind = "known by the names of its files" if recordings.name in KINDS else "labels from a table or from folders"
    clips = counted(len(recordings.clips), "clip")
    lines = [
        f"{recordings.title}, {kind}: {clips} of the six emotions in {recordings.folder}",
        *(f"  {EMOTION_NAMES[emotion]:10} {n:6,}" for emotion, n in recordings.emotions.items()),
        who_speaks(recordings),
    ]
    for reason, names in recordings.left_out.items():
        some = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
        lines.append(f"left out: {reason}: {counted(len(names), 'clip')} ({some})")
    return [*lines, f"names and labels: {recordings.checksum}"]


def who_speaks(recordings: Recordings) -> str:
    """How many speakers, and of which sex, as a line."""
    if recordings.speakers is None:
        return (
            "speakers: unknown, so intervals draw clips alone, and the corpus can't be divided by speakers (a table "
            "with the columns file, emotion and speaker says who they are)"
        )
    sexes = Counter(sex for _, sex in {(clip.speaker, clip.sex or "of unknown sex") for clip in recordings.clips})
    said = ", ".join(f"{n} {sex}" for sex, n in sorted(sexes.items()))
    return f"speakers: {len(recordings.speakers)} ({said})"
