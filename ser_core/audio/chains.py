"""Recordings that lie one behind another in one file: joined files, or a stream that began anew.

A decoder by itself reads only the first, or gives up where the second has another number of channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from ser_core.audio.chunks import joined_waves

SCAN_BYTES = 1 << 20
FLAC_START = re.compile(rb"fLaC[\0\x80]\0\0\x22")  # with the header of its first block, which is always as long
WEBM_START = re.compile(rb"\x1a\x45\xdf\xa3.{1,8}\x42[\x82\x86\xf7]", re.DOTALL)  # with its first element
LONGEST_START = 16  # bytes of such a start at most


def links(file: BinaryIO, size: int) -> list[tuple[int, int]]:
    """From which byte to which each recording of a file lies; of most files, the whole.

    Args:
        file: a binary file that can seek.
        size: of it, in bytes.
    """
    file.seek(0)
    begin = file.read(12)
    if begin.startswith(b"fLaC"):
        starts = list(_matches(file, FLAC_START))
    elif begin.startswith(b"\x1a\x45\xdf\xa3"):
        starts = list(_matches(file, WEBM_START))
    elif begin.startswith(b"OggS"):
        starts = list(_ogg_starts(file, size))
    elif begin[4:8] == b"ftyp":
        starts = list(_mp4_starts(file, size))
    elif begin.startswith(b"RIFF") and begin[8:] == b"WAVE":
        starts = list(joined_waves(file, size))
    else:
        starts = []
    starts = [0, *(start for start in starts if start > 0)]
    return list(zip(starts, [*starts[1:], size], strict=True))


def _matches(file: BinaryIO, pattern: re.Pattern[bytes]) -> Iterator[int]:
    """Where a pattern is found, looking at a piece of the file at a time."""
    base, data, last = 0, b"", -1
    file.seek(0)
    while piece := file.read(SCAN_BYTES):
        data += piece
        for found in pattern.finditer(data):
            if base + found.start() > last:
                last = base + found.start()
                yield last
        kept = LONGEST_START - 1  # a start that is cut here is found in the next piece
        base, data = base + max(0, len(data) - kept), data[-kept:]


def _ogg_starts(file: BinaryIO, size: int) -> Iterator[int]:
    """Where the recordings in an Ogg file begin: with the headers of their streams (RFC 3533)."""
    in_headers, page = True, 0
    while 0 <= page < size - 27:
        file.seek(page)
        head = file.read(27)
        begins = bool(head[5] & 2)
        if begins and not in_headers:
            yield page
        in_headers = begins
        page = _find(file, b"OggS", page + 27 + head[26] + sum(file.read(head[26])))


def _find(file: BinaryIO, needle: bytes, start: int) -> int:
    """Where some bytes come next, from a position on; -1 where they don't."""
    file.seek(start)
    data = file.read(len(needle))
    while data.find(needle) < 0:
        piece = file.read(SCAN_BYTES)
        if not piece:
            return -1
        start += len(data) - (kept := min(len(data), len(needle) - 1))
        data = data[len(data) - kept :] + piece
    return start + data.find(needle)


def _mp4_starts(file: BinaryIO, size: int) -> Iterator[int]:
    """Where an mp4 file begins anew: at the box that says what kind of file it is (ISO 14496-12)."""
    position, has_index = 0, False
    while position + 8 <= size:
        file.seek(position)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4]), head[4:8]
        if kind == b"ftyp" and has_index:
            yield position
            has_index = False
        has_index |= kind == b"moov"
        length = int.from_bytes(head[8:]) if length == 1 else length
        if length < 8:  # 0: up to the end
            return
        position += length
