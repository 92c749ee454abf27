"""Uncompressed files say in their headers how many bytes of samples follow, and some say it wrongly.

A recorder writes that number when it stops. One that lost its power, or wrote to a pipe, left a 0 or an old number
there. What follows is samples all the same: `mended` is the file with the right number. A number that is far too large,
as of a recording that breaks off, is no better: libsndfile gives up on some of those.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, NamedTuple

UNKNOWN_BYTES = 0x7FFF0000  # from here on, the size in a wav file is that of a recording whose end was not known
RF64_DATA_SIZE = 16  # bytes from the beginning of a `ds64` chunk to the 8 that say how long the samples are

MOST_CHUNKS = 10_000  # of a file: those of recorders and editors have a few dozen
ZEROS_BYTES = 1 << 20  # that are looked at at once

Order = Literal["little", "big"]


class Layout(NamedTuple):
    """How a kind of file is cut into chunks: where they begin, which of them holds the samples, how lengths are said.

    Attributes:
        width: bytes of a chunk's length.
        even: whether a chunk takes an even number of bytes.
    """

    first: int
    samples: bytes
    width: int
    order: Order
    even: bool


LAYOUTS = {
    b"RIFF": Layout(12, b"data", 4, "little", True),
    b"RF64": Layout(12, b"data", 4, "little", True),
    b"FORM": Layout(12, b"SSND", 4, "big", True),
    b"caff": Layout(8, b"data", 8, "big", False),
}


class Samples(NamedTuple):
    """What a header says of the samples that follow.

    Attributes:
        start, promised: their first byte, and how many there should be.
        field, width, order: where and how the header says the latter.
        layout: of the chunks of which they are one; None where there are none.
    """

    start: int
    promised: int
    field: int
    width: int
    order: Order
    layout: Layout | None


def find_samples(file: BinaryIO, size: int) -> Samples | None:
    """Where a wav, aiff, caf or au file holds its samples; None in anything else."""
    file.seek(0)
    magic = file.read(4)
    if magic == b".snd":
        start, promised = int.from_bytes(file.read(4)), int.from_bytes(file.read(4))
        return Samples(start, promised, 8, 4, "big", None)
    if magic not in LAYOUTS:
        return None
    layout, long_field = LAYOUTS[magic], 0
    for name, position, length in _chunks(file, size, layout):
        if name == b"ds64":
            long_field = position + RF64_DATA_SIZE
        elif name == layout.samples:
            field, width, start = position + 4, layout.width, position + 4 + layout.width
            if long_field:
                field, width = long_field, 8
                file.seek(field)
                length = int.from_bytes(file.read(width), "little")
            return Samples(start, length, field, width, layout.order, layout)
    return None


def chunk_starts(file: BinaryIO, start: int, size: int) -> Iterator[int]:
    """Where each chunk begins in a file of `LAYOUTS` that begins at some byte, and what lies behind it."""
    file.seek(start)
    layout = LAYOUTS[file.read(4)]
    return (position for _, position, _ in _chunks(file, size, layout, start + layout.first))


def _chunks(file: BinaryIO, size: int, layout: Layout, position: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Name, position and length of each chunk from a position on; a file within the file is looked into.

    Zeros, which a recorder that lost its power may leave behind, are passed at once, and take no time each.
    """
    position = position or layout.first
    for _ in range(MOST_CHUNKS):
        if position + 4 + layout.width > size:
            return
        file.seek(position)
        head = file.read(4 + layout.width)
        name, length = head[:4], int.from_bytes(head[4:], layout.order)
        yield name, position, length
        if not any(head):
            position += _zeros(file, position) // len(head) * len(head)
            continue
        position += layout.first if name in LAYOUTS else len(head) + length + (length % 2 if layout.even else 0)


def _zeros(file: BinaryIO, start: int) -> int:
    """How many bytes from a position on are zero."""
    file.seek(start)
    found = 0
    while piece := file.read(ZEROS_BYTES):
        rest = len(piece.lstrip(b"\0"))
        found += len(piece) - rest
        if rest:
            break
    return found


def mended(file: BinaryIO, size: int, samples: Samples | None) -> Overlaid:
    """The file, with a header that says how many bytes of samples there are, if it says too few or too many.

    What follows too few of them may be chunks of another kind, as the title; then the header is right.
    """
    at, new = 0, b""
    there = max(0, size - samples.start) if samples else 0
    if samples and (samples.promised > there or (samples.promised < there and not _is_chunk(file, size, samples))):
        most = (1 << 8 * samples.width) - 1
        at, new = samples.field, min(there, most).to_bytes(samples.width, samples.order)
    return Overlaid(file, at, new)


def _is_chunk(file: BinaryIO, size: int, samples: Samples) -> bool:
    """Whether there is a chunk, or nothing that could be one, where the header says that the samples end."""
    if samples.layout is None:
        return False
    end = samples.start + samples.promised
    end += samples.promised % 2 if samples.layout.even else 0
    name, position, length = next(_chunks(file, size, samples.layout, end), (b"", end, 0))
    return not name.strip(b"\0") or (name.isascii() and name.decode().isprintable() and position + length < size)


class Overlaid(io.RawIOBase):
    """A file some of whose bytes are replaced by others, and which can't be sent to before its beginning.

    Attributes:
        error: that reading it raised, at which it seems to end: libsndfile can't pass it on.
    """

    error: BaseException | None = None

    def __init__(self, file: BinaryIO, at: int, new: bytes):
        self._file, self._at, self._new = file, at, new

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._file.seek(position, whence)
        except (OSError, ValueError):  # libsndfile does that with damaged files
            return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        start = self._file.tell()
        try:
            data = bytearray(self._file.read(len(buffer)))
        except BaseException as error:  # noqa: BLE001 (it is raised later)
            self.error = error
            return 0
        for i, byte in enumerate(self._new, self._at - start):
            if 0 <= i < len(data):
                data[i] = byte
        buffer[: len(data)] = data
        return len(data)
