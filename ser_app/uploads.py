"""What a visitor uploads: recordings, folders of them, zip files. Each is read when it is needed, one at a time."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ser_core.archive import MAX_RECORDINGS, Archive, Member
from ser_core.audio.limit import megabytes, setting
from ser_core.audio.preprocess import read_audio
from ser_core.corpus.clips import Clip
from ser_core.equality import ByContent
from ser_core.errors import AudioError, SERError
from ser_core.sound_files import is_leftover
from ser_core.words import counted

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MINUTES, MEGABYTES = "SER_UPLOAD_MINUTES", "SER_UPLOAD_MB"
"""Environment variables that say how long a recording may be that a visitor brings, and how many megabytes all files
may have that are kept of one visitor: visitors share the server's memory."""

REFUSED = b"ser: more than a visitor may bring"
"""Stands for a file that came when there was no more room, see `ser_app.visitors`."""

ZIP = ".zip"


def max_seconds() -> float:
    """How long a recording may be.

    Raises:
        ConfigError: the setting is no number above 0.
    """
    return 60 * setting(MINUTES, 15)


def max_bytes() -> int:
    """How many bytes all files of a visitor may have; the same."""
    return round(1e6 * setting(MEGABYTES, 500))


@dataclass(frozen=True, eq=False)
class Recording(ByContent):
    """Something to classify.

    Attributes:
        name: of the file, clip or example.
        audio: float32 `[samples]` at 16 kHz.
        clip: of CREMA-D, if it is one.
        warnings: sentences about what is wrong with it, see `ser_core.audio.preprocess.read_audio`.
        file: the digest of the file that it was read from.
    """

    name: str
    audio: np.ndarray
    clip: Clip | None = None
    warnings: tuple[str, ...] = ()
    file: str = ""

    @cached_property
    def digest(self) -> str:
        """Differs between recordings that sound differently, or have other warnings; of a file, its own."""
        return self.file or hashlib.blake2b(self.audio.tobytes() + " ".join(self.warnings).encode()).hexdigest()

    def load(self) -> Recording:
        """Itself: an `Upload` is loaded the same way."""
        return self


@dataclass(frozen=True)
class Upload:
    """A file that isn't decoded yet.

    Attributes:
        name: of it, which no other one has.
        data: gives its bytes.
        digest: differs between files of different content.
    """

    name: str
    data: Callable[[], bytes]
    digest: str

    def load(self) -> Recording:
        """Decode it; nothing of that is kept.

        Raises:
            SERError: it can't be unpacked or decoded, or is too long.
        """
        audio, warnings = read_audio(self.data(), max_seconds=max_seconds())
        return Recording(self.name, audio, warnings=warnings, file=self.digest)


def uploads_of(files: Sequence[UploadedFile]) -> tuple[list[Upload], dict[str, str]]:
    """The recordings among files and in zip files, and by name why others can't be used.

    Raises:
        ConfigError: a setting is no number above 0.
    """
    uploads: dict[str, Upload] = {}
    problems: dict[str, str] = {}
    n_more, n_bytes, n_too_large, most = 0, 0, 0, max_bytes()
    folder = common_folder([file.name for file in files])
    for file in files:
        name = file.name.removeprefix(folder)
        if any(is_leftover(part) for part in PurePath(name).parts):
            continue
        n_bytes += file.size
        if n_bytes > most or file.getvalue() == REFUSED:
            n_too_large += 1
            continue
        if name.lower().endswith(ZIP):
            found, left_out = _unpacked(file, within="" if len(files) == 1 else f"{name}/")
            problems |= {unused(name, problems): reason for name, reason in left_out.items()}
        else:
            found = [(name, kept_bytes(file), digest_of(file.getvalue()))]
        for name, data, digest in found:
            if len(uploads) == MAX_RECORDINGS:
                n_more += 1
                continue
            name = unused(name, uploads.keys() | problems.keys())
            uploads[name] = Upload(name, data, digest)
    if n_too_large:
        problems[counted(n_too_large, "more file")] = (
            f"At most {megabytes(most)} are kept of what you bring. Take some away, or bring fewer at once."
        )
    if n_more:
        problems[f"{n_more:,} more recordings"] = f"At most {MAX_RECORDINGS:,} are classified at once."
    return list(uploads.values()), problems


def common_folder(names: Sequence[str]) -> str:
    """The folder, with its slash, in which all files lie, if there is one and it is the same."""
    first = names[0].partition("/")[0] + "/" if names else ""
    return first if all(name.startswith(first) for name in names) else ""


def _unpacked(file: UploadedFile, within: str) -> tuple[list[tuple[str, Callable[[], bytes], str]], dict[str, str]]:
    """Name, bytes and digest of each recording in a zip file, and by name why others can't be used."""
    data, kept = file.getvalue(), kept_bytes(file)
    try:
        archive = Archive(data, file.name)
    except SERError as error:
        return [], {file.name: str(error)}
    left_out = {within + name: reason for name, reason in archive.left_out.items()}
    if not archive.members and not left_out:
        left_out = {file.name: f"{file.name} holds no recordings."}
    digest = digest_of(data)

    def found(member: Member) -> tuple[str, Callable[[], bytes], str]:
        return within + member.name, partial(unpack, kept, file.name, member), f"{digest} {member.entry.header_offset}"

    return [found(member) for member in archive.members], left_out


def unpack(data: Callable[[], bytes], name: str, member: Member) -> bytes:
    """A recording of a zip file, which nothing holds on to meanwhile.

    Raises:
        SERError: it is damaged.
    """
    return Archive(data(), name).read(member)


def kept_bytes(file: UploadedFile) -> Callable[[], bytes]:
    """Gives a file's bytes from where the server keeps them: what Streamlit gives a page is a copy, which is let go."""
    context, files = get_script_run_ctx(), _files()
    if context is None or files is None:
        return file.getvalue
    return partial(_kept, files, context.session_id, file.file_id, file.name)


def _files() -> MemoryUploadedFileManager | None:
    """Where the server keeps files; None where there is no server, or one that keeps them elsewhere."""
    files = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    return files if isinstance(files, MemoryUploadedFileManager) else None


def _kept(files: MemoryUploadedFileManager, session: str, file_id: str, name: str) -> bytes:
    kept = files.get_files(session, [file_id])
    if not kept:
        raise AudioError(f"{name} is not on the server any more. Bring it again.")
    return kept[0].data


def release(file_ids: Iterable[str]) -> None:
    """Have the server forget files of this visitor's."""
    context, files = get_script_run_ctx(), _files()
    if context and files:
        for file_id in file_ids:
            files.remove_file(context.session_id, file_id)


def digest_of(data: bytes) -> str:
    """Differs between files of different content."""
    return hashlib.blake2b(data).hexdigest()


def unused(name: str, taken: Collection[str]) -> str:
    """The name, or with a number where another file has it already."""
    if name not in taken:
        return name
    return next(numbered for n in itertools.count(2) if (numbered := f"{name} ({n})") not in taken)
