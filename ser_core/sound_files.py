"""Which files of a folder are recordings: one list for commands, corpora and the app."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".webm", ".m4a", ".mp4", ".aac"),  # the usual ones
    *(".aif", ".aifc", ".aiff", ".au", ".bwf", ".caf", ".nist", ".rf64", ".snd", ".sph", ".voc", ".w64", ".wave"),
    *(".ac3", ".amr", ".ape", ".awb", ".dts", ".eac3", ".gsm", ".m4b", ".m4r", ".mka", ".mp2", ".mpga", ".spx"),
    *(".mpc", ".ra", ".shn", ".tak", ".tta", ".weba", ".wma", ".wv"),
    *(".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mpeg", ".mpg", ".mts", ".mxf"),
    *(".ogv", ".qt", ".rm", ".vob", ".wmv"),
    *(".avr", ".g722", ".gxf", ".htk", ".ircam", ".nut", ".paf", ".pvf", ".sds", ".sf", ".sox", ".svx", ".wtv"),
)
"""Of the files that are taken for recordings, videos among them: what the decoder reads, but for endings that say more
often something else, as .ts of programs and .mat of tables. Such a file is read where it is named itself."""

COMPANIONS = (
    *(".cfg", ".conf", ".csv", ".doc", ".docx", ".htm", ".html", ".ini", ".json", ".jsonl", ".log", ".md", ".ods"),
    *(".odt", ".parquet", ".pdf", ".rst", ".rtf", ".tex", ".toml", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".yaml"),
    *(".yml", ".bmp", ".gif", ".heic", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff", ".webp"),
    *(".ass", ".eaf", ".lab", ".lrc", ".srt", ".textgrid", ".trs", ".vtt"),
    *(".c", ".ipynb", ".js", ".m", ".m3u", ".m3u8", ".pls", ".py", ".r", ".sh", ".md5", ".sha256", ".sfk", ".pkf"),
    *(".journal", ".journal-wal", ".journal-shm"),  # ours, see `ser_core.serving.many.journal`
)
"""Of files that lie beside recordings and are none: texts, tables, pictures, transcripts, programs, playlists."""

NO_FILES = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""What has a name in a folder as files have, and may be read without end."""

LEFTOVERS = ("thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx", "icon\r", "$recycle.bin")
"""Files and folders that systems leave beside others."""


SHOWN_LETTERS = 150  # at the beginning and at the end of a path that is longer than both


class Found(NamedTuple):
    """What a folder holds: recordings, and what else is left out, by path with a sentence on why."""

    recordings: list[Path]
    left_out: dict[Path, str]


def find_recordings(folder: Path) -> Found:
    """All recordings below a folder, in order of their paths, see `walk_recordings`."""
    found = Found([], {})
    for path, why_not in walk_recordings(folder):
        if why_not is None:
            found.recordings.append(path)
        else:
            found.left_out[path] = why_not
    return Found(sorted(found.recordings), dict(sorted(found.left_out.items())))


def walk_recordings(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """What a folder holds, one after the other, folder by folder: a recording, or what is left out and why.

    What is hidden or left there by a system, and what plainly is no recording, isn't mentioned. Pipes and devices are
    left out, whatever their name. Links to folders are not followed.
    """
    unreadable: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not is_leftover(name))
        for path in (Path(parent, name) for name in sorted(files) if not is_leftover(name)):
            reason = why_no_recording(path.name)
            if reason is None:
                reason = _why_no_file(path)
            if reason is None:
                yield path, None
            elif reason:
                yield path, f"{path} was left out: {reason} Name it to try it."
    for error in unreadable:
        yield Path(error.filename), f"{error.filename} can't be looked into: {error.strerror}."


def why_no_recording(name: str) -> str | None:
    """Why a file of this name isn't taken for a recording, as the end of a sentence: nothing where that is plain, and
    None where it is taken for one."""
    path = PurePath(name)
    suffix = path.suffix.lower()
    if suffix in AUDIO_SUFFIXES:
        return None
    if suffix in COMPANIONS or (suffix == "" and path.name.isupper()):  # as README and LICENSE
        return ""
    kind = f"files with the ending {suffix}" if suffix else "files without an ending"
    return f"{kind} are not known as recordings."


def _why_no_file(path: Path) -> str | None:
    """The same of what isn't a file; None for a file, and where nothing can be told of it before it is read."""
    try:
        kind = NO_FILES.get(stat.S_IFMT(path.stat().st_mode))
    except (OSError, ValueError):
        return None
    return kind and f"it is {kind}, not a file."


def shown(path: Path) -> str:
    """A path as a sentence names it, shortened in its middle where it would fill a page."""
    name = str(path)
    return name if len(name) <= 2 * SHOWN_LETTERS else f"{name[:SHOWN_LETTERS]}…{name[-SHOWN_LETTERS:]}"


def with_folder(path: Path, error: str) -> str:
    """An error that names the file with its folder, of which there may be several; most errors say its name alone."""
    name = shown(path)
    if name in error:
        return error
    return name + error.removeprefix(path.name) if error.startswith(path.name) else f"{name}: {error}"


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or left there by a system."""
    return name.startswith(".") or name.lower() in LEFTOVERS
