"""Any corpus: what kind it is, and which clips of the six emotions it has.

    from ser_core.corpus.registry import open_recordings
    recordings = open_recordings("ravdess/")
    recordings.clips, recordings.left_out

Corpora whose files' names say it all are known by those names. Else a table says it, or the folders that files are in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from ser_core.corpus.kinds import audformat, classes, cremad, emodb, ravdess, savee, table, tess
from ser_core.corpus.labels import LabelMap, emotion_of, is_known, normalised
from ser_core.corpus.recordings import Labelled, Recording, Recordings
from ser_core.errors import CorpusError
from ser_core.sound_files import find_recordings
from ser_core.words import counted


class Kind(NamedTuple):
    """A corpus that is known by the names of its files.

    Attributes:
        title: what people call it.
        read: what a path, from the corpus' folder on, says of its file; None if it is not of this corpus.
    """

    title: str
    read: Callable[[PurePath], Labelled | None]


KINDS = {
    "crema-d": Kind("CREMA-D", cremad.read),
    "ravdess": Kind("RAVDESS", ravdess.read),
    "emo-db": Kind("EMO-DB", emodb.read),
    "tess": Kind("TESS", tess.read),
    "savee": Kind("SAVEE", savee.read),
}
CREMAD = "crema-d"
SAME = "the same clip as another file"
SEVERAL = "several emotions for one file"

Found = list[tuple[Path, Labelled]]
"""Files, and what is said of each."""


def open_recordings(path: Path | str, own: LabelMap | None = None) -> Recordings:
    """A corpus of any kind.

    Args:
        path: its folder, or a table.
        own: what labels mean, before what they usually do.

    Raises:
        CorpusError: there is none, or nothing in it can be used, and why.
    """
    place = Path(path).expanduser()
    if not os.path.exists(place):  # noqa: PTH110 (a name that no file can have isn't there)
        raise CorpusError(f"There is no folder and no table {place}.")
    own = own or {}
    name, title, found = _read_folder(place, own) if place.is_dir() else _read_file(place)
    recordings = _sorted_out(name, title, place if place.is_dir() else place.parent, found, own)
    if not recordings.clips:
        why = "; ".join(f"{reason}: {counted(len(names), 'clip')}" for reason, names in recordings.left_out.items())
        how = "Say what labels mean with --labels LABEL=HAP,…."
        if set(recordings.left_out) == {table.MISSING}:
            how = f"A table names files from its own folder, here {recordings.folder.absolute()}."
        raise CorpusError(f"No clip of {place} can be used ({why}). {how}")
    return recordings


def kind_of(path: Path) -> str | None:
    """Which of `KINDS` a folder holds, by the names of most of its files; None if none, or where there is no folder.

    Raises:
        CorpusError: it holds files of several.
    """
    return _kind_of(path, _audio_files(path)) if path.is_dir() else None


def holds_audio(path: Path) -> bool:
    """Whether it is a folder with audio files somewhere in it, or a file itself, which may be a table."""
    return bool(_audio_files(path)) if path.is_dir() else path.is_file()


def _audio_files(folder: Path) -> list[Path]:
    """All below a folder, hidden ones apart, in order."""
    return find_recordings(folder).recordings


def _kind_of(folder: Path, files: Sequence[Path]) -> str | None:
    paths = _named_from(folder, files)
    counts = {name: n for name, kind in KINDS.items() if (n := sum(kind.read(path) is not None for path in paths))}
    if sum(counts.values()) <= len(files) / 2:
        return None
    most = max(counts, key=counts.__getitem__)
    if counts[most] <= len(files) / 2:
        shares = ", ".join(f"{KINDS[name].title} ({n:,})" for name, n in counts.items())
        raise CorpusError(f"{folder} holds files of several corpora: {shares}. Give each a folder of its own.")
    return most


def _named_from(folder: Path, files: Sequence[Path]) -> list[PurePath]:
    """Paths from the folder of the corpus on, which may be named as a speaker is."""
    top = PurePath(folder.resolve().name)
    return [top / path.relative_to(folder) for path in files]


def _read_folder(folder: Path, own: LabelMap) -> tuple[str, str, Found]:
    files, name = _audio_files(folder), folder.resolve().name
    if not files:
        raise CorpusError(f"{folder} holds no audio files.")
    if kind := _kind_of(folder, files):
        return kind, KINDS[kind].title, _by_name(KINDS[kind], folder, files)
    if audformat.is_database(folder):
        return name, name, audformat.read_rows(folder)
    return name, name, _by_table_or_folders(folder, files, own)


def _by_table_or_folders(folder: Path, files: Sequence[Path], own: LabelMap) -> Found:
    """What a table in a folder says of its files, or the folders that they are in.

    Where most files are in folders that are called as emotions are, these say it: a table that names none of the files
    doesn't count, nor does one that can't be read; one that says the same of each is taken, as it may say more.
    """
    in_folders = classes.read_files(folder, files, own)
    is_tree = sum(is_known(said.label, own) for _, said in in_folders) > len(files) / 2
    meant = _emotions(in_folders, own)
    tables: dict[Path, Found] = {}
    unreadable: CorpusError | None = None
    for path in sorted(folder.glob("[!.]*.csv")):
        try:
            rows = table.read_table(path)
        except CorpusError as error:
            unreadable = unreadable or error
            continue
        found = [table.labelled(row, folder) for row in rows if "file" in row]
        if table.has_columns(rows, "file", "emotion") and not (is_tree and meant.keys().isdisjoint(_emotions(found))):
            tables[path] = found
    names = ", ".join(map(str, tables))
    if len(tables) > 1:
        raise CorpusError(f"{folder} holds several tables of clips: give one of {names}.")
    for found in tables.values():
        if is_tree and _emotions(found, own) != meant:
            raise CorpusError(
                f"{folder} has folders of emotions, and a table that says otherwise, or not all: give the table, "
                f"{names}, if that is meant; if the folders are, move it elsewhere."
            )
        return found
    if unreadable and not is_tree:
        raise unreadable
    return in_folders


def _emotions(found: Found, own: LabelMap | None = None) -> dict[str, str | None]:
    """Which emotion each file is said to be of."""
    return {os.path.abspath(path): emotion_of(said.label, own or {}) for path, said in found}  # noqa: PTH100 (any name)


def _by_name(kind: Kind, folder: Path, files: Sequence[Path]) -> Found:
    """What the names of files say; those that are named as they should be come first."""
    found = []
    for path, named in zip(files, _named_from(folder, files), strict=True):
        other = Labelled(path.relative_to(folder).as_posix(), "", refused=f"not named as clips of {kind.title} are")
        found.append((path, kind.read(named) or other))
    return sorted(found, key=lambda item: item[0].stem != item[1].name)


def _read_file(path: Path) -> tuple[str, str, Found]:
    if path.suffix.lower() != ".csv":
        raise CorpusError(f"{path} is no folder and no table that ends in .csv.")
    return path.stem, path.stem, table.read_rows(path)


def _sorted_out(name: str, title: str, folder: Path, found: Found, own: LabelMap) -> Recordings:
    """The clips of one of the six emotions, and what the others are."""
    clips: dict[str, Recording] = {}
    left_out: dict[str, list[str]] = {}
    contradicted: dict[Path, str] = {}
    meant = [emotion_of(said.label, own) for _, said in found]
    emotions: dict[Path, dict[str, str]] = {}
    for (path, said), emotion in zip(found, meant, strict=True):
        if emotion:
            emotions.setdefault(path, {}).setdefault(emotion, said.label)
    for (path, said), emotion in zip(found, meant, strict=True):
        said = said._replace(name=os.fsencode(said.name).decode(errors="backslashreplace"))  # which any file can hold
        several = len(emotions.get(path, ())) > 1  # as where each row of a table is what one rater heard
        reason = said.refused or (
            SEVERAL if several else SAME if said.name in clips else "" if emotion else _why(said.label, own)
        )
        if reason == SEVERAL:
            contradicted[path] = f"{said.name}: {', '.join(emotions[path].values())}"
        elif reason or emotion is None:
            left_out.setdefault(reason, []).append(said.name)
        else:
            clips[said.name] = Recording(said.name, path, emotion, said.speaker, said.sex)
    if contradicted:
        left_out[SEVERAL] = list(contradicted.values())
    return Recordings(
        name,
        title,
        folder,
        tuple(clips[name] for name in sorted(clips)),
        {reason: tuple(names) for reason, names in sorted(left_out.items(), key=lambda item: -len(item[1]))},
        frozenset(said.label for _, said in found if said.label),
    )


def _why(label: str, own: LabelMap) -> str:
    if normalised(label) in own:
        return f"label {label!r}, left out by --labels"
    if is_known(label, own):
        return f"label {label!r}, none of the six"
    return f"label {label!r}, unknown (--labels says what it means)"
