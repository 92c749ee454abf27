"""A tree with a folder for each emotion, as `happy/1.wav` or `train/angry/anna/7.wav`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ser_core.corpus.labels import LabelMap, is_known, normalised
from ser_core.corpus.recordings import Labelled


def read_files(folder: Path, files: Sequence[Path], own: LabelMap) -> list[tuple[Path, Labelled]]:
    """Files and the labels that their folders are; where no folder's name is known, the innermost one is the label.

    Who speaks isn't known: folders of speakers can't be told from others.

    Args:
        files: below the folder.
        own: the user's label map, whose words are known, too.
    """
    return [(path, _labelled(path.relative_to(folder), own)) for path in files]


def _labelled(path: Path, own: LabelMap) -> Labelled:
    folders = path.parts[:-1]
    known = {normalised(part): part for part in folders if is_known(part, own)}
    label = next(iter(known.values()), folders[-1] if folders else "")
    refused = "in no folder" if not folders else "folders of two emotions" if len(known) > 1 else ""
    return Labelled(path.as_posix(), label, refused=refused)
