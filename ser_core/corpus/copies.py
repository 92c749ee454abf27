"""Clips of one corpus that are the same recording: each counts once, and not at all where their labels differ.

Training does the same over several corpora, see `ser_core.corpus.gathered`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from ser_core.corpus.identity import content_of
from ser_core.corpus.recordings import Recording, Recordings
from ser_core.corpus.registry import KINDS
from ser_core.errors import CorpusError

COPY = "the same recording as another clip"
CONTRADICTED = "the same recording as a clip of another label"
"""Why a clip is left out."""


def without_copies(recordings: Recordings) -> Recordings:
    """A corpus in which each content is one clip, the first by name; what is left out says which clip it is like.

    One that was published, whose files' names are known, keeps all its clips: figures of others are of all, too.
    RAVDESS has one recording twice, and CREMA-D has three under two labels each.

    Raises:
        CorpusError: all clips contradict each other.
    """
    if recordings.name in KINDS:
        return recordings
    left_out: dict[str, list[str]] = {}
    gone: set[str] = set()
    for first, *others in _alike(recordings.clips):
        if any(other.emotion != first.emotion for other in others):
            found, reason = [(first, others[0]), *((other, first) for other in others)], CONTRADICTED
        else:
            found, reason = [(other, first) for other in others], COPY
        gone |= {clip.name for clip, _ in found}
        left_out.setdefault(reason, []).extend(f"{clip.name} like {other.name}" for clip, other in found)
    clips = tuple(clip for clip in recordings.clips if clip.name not in gone)
    if not clips:
        example = left_out[CONTRADICTED][0]
        raise CorpusError(f"All clips of {recordings.title} are the same recordings under several labels ({example}).")
    said = {reason: tuple(names) for reason, names in left_out.items()}
    return replace(recordings, clips=clips, left_out=recordings.left_out | said)


def _alike(clips: tuple[Recording, ...]) -> list[list[Recording]]:
    """Clips with the same content, two or more each; only files of the same size are read, and empty ones have none."""
    of_size: dict[int, list[Recording]] = defaultdict(list)
    for clip in clips:
        of_size[_size(clip.path)].append(clip)
    groups: dict[str, list[Recording]] = defaultdict(list)
    for size, alike in of_size.items():
        if size > 0 and len(alike) > 1:
            for clip in alike:
                try:
                    groups[content_of(clip.path)].append(clip)
                except CorpusError:
                    continue  # it will have no answer
    return [group for group in groups.values() if len(group) > 1]


def _size(path: Path) -> int:
    """In bytes; 0 where the file can't be looked at."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
