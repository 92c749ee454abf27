"""Recordings in a zip file, read one at a time: nothing is written to a disk, and how much is unpacked is bounded."""

from __future__ import annotations

import contextlib
import io
import zipfile
import zlib
from typing import NamedTuple

from ser_core.errors import AudioError
from ser_core.sound_files import is_leftover, why_no_recording

MAX_ENTRIES = 20_000  # of a zip file, whatever they are
MAX_RECORDINGS = 1_000
MAX_BYTES = 250_000_000  # of one recording: 15 minutes in stereo, of 24 bits at 44.1 kHz
MAX_BYTES_TOGETHER = 2_000_000_000

SMALLER = "Make smaller ones of it."
ENTRY = b"PK\x01\x02"  # begins each line of a zip file's table of contents
ENCRYPTED, UTF_8 = 0x1, 0x800  # flags of an entry
READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways to compress that can be undone step by step: a few bytes of others may become gigabytes at once."""


class Member(NamedTuple):
    """A recording in a zip file.

    Attributes:
        name: with its folders, to be shown: it may be any text.
        entry: where it lies.
    """

    name: str
    entry: zipfile.ZipInfo


class Archive:
    """A zip file.

    Args:
        data: all of it.
        name: of it, to begin a sentence with.

    Attributes:
        members: the recordings in it, in its order.
        left_out: what else is in it that isn't plainly something other than sound, by name with a sentence on why.

    Raises:
        AudioError: it is none, is damaged, or holds more than `MAX_ENTRIES` files.
    """

    def __init__(self, data: bytes, name: str):
        if data.count(ENTRY) > MAX_ENTRIES:
            raise AudioError(f"{name} holds more than {MAX_ENTRIES:,} files. {SMALLER}")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, OSError) as error:
            raise AudioError(f"{name} can't be unpacked ({error}). Make it anew, or unpack it.") from error
        self.members: list[Member] = []
        self.left_out: dict[str, str] = {}
        n_bytes, n_more = 0, 0
        for entry in self._zip.infolist():
            shown = _shown(entry)
            if shown.endswith("/") or any(is_leftover(part) for part in shown.split("/") if part != ".."):
                continue
            reason = why_no_recording(shown)
            if reason is None and len(self.members) == MAX_RECORDINGS:
                n_more += 1
                continue
            reason = _why_not(entry, n_bytes) if reason is None else reason
            if reason:
                self.left_out[shown] = f"{shown} was left out: {reason}"
            elif reason is None:
                n_bytes += entry.file_size
                self.members.append(Member(shown, entry))
        if n_more:
            self.left_out[f"{n_more:,} more recordings"] = f"At most {MAX_RECORDINGS:,} of {name} are read. {SMALLER}"

    def read(self, member: Member) -> bytes:
        """A recording's bytes, no more than its entry says.

        Raises:
            AudioError: it is damaged.
        """
        try:
            with self._zip.open(member.entry) as file:
                return file.read(MAX_BYTES)
        except (zipfile.BadZipFile, zlib.error, ValueError, OverflowError, RuntimeError, OSError, EOFError) as e:
            raise AudioError(f"{member.name} can't be unpacked ({e}): the zip file is damaged. Make it anew.") from e


def _why_not(entry: zipfile.ZipInfo, before: int) -> str | None:
    """Why a recording isn't read, behind those that have so many bytes."""
    if entry.flag_bits & ENCRYPTED:
        return "it is encrypted. Unpack it with its password."
    if entry.compress_type not in READ:
        return "it is compressed in a way that is not known here. Unpack it."
    if entry.file_size > MAX_BYTES:
        return f"it has {entry.file_size / 1e6:,.0f} MB, and at most {MAX_BYTES / 1e6:,.0f} are unpacked."
    if before + entry.file_size > MAX_BYTES_TOGETHER:
        return f"at most {MAX_BYTES_TOGETHER / 1e9:g} GB of a zip file are unpacked. {SMALLER}"
    return None


def _shown(entry: zipfile.ZipInfo) -> str:
    """An entry's name as text in one line, with / between folders; many programs write UTF-8 and don't say so."""
    name = entry.filename
    if not entry.flag_bits & UTF_8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return "".join(char if char.isprintable() else "�" for char in name.replace("\\", "/"))
