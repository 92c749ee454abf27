"""Recordings that lie one behind another in one file: joined files, or a stream that began anew.

A decoder by itself reads only the first, or gives up where the second has another number of channels.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from ser_core.audio.chunks import chunk_starts
from ser_core.audio.ends import declared_end

SCAN_BYTES = 1 << 20
MOST_LINKS = 1_000  # of one file: each is opened by two decoders
MOST_BOXES = 1_000_000  # of an mp4 file: in pieces of a tenth of a second, a day has as many
LONGEST_START = 32  # bytes of the starts below at most
WAVE = rb"RIFF.{4}WAVE[a-zA-Z ]{4}"  # with the name of its first chunk, which the copy in a flac file's header lacks
FLAC = rb"fLaC[\0\x80]\0\0\x22"  # with the header of its first block, which is always as long
WEBM = rb"\x1a\x45\xdf\xa3.{1,8}\x42[\x82\x86\xf7]"  # with its first element
FLV = rb"FLV\x01[\0\1\4\5]\0\0\0\x09"
TTA = rb"TTA1[\1\2]\0"
WAVPACK = rb"wvpk.{4}[\x02-\x10]\x04.{6}\0{4}.{5}[\x08-\x0f\x18-\x1f]"  # a block with the first sample
AMR = rb"#!AMR(?:-WB)?\n"
SCANNED = {  # by its first bytes, what is looked for in a file that doesn't say where it ends
    b"fLaC": FLAC + b"|" + WAVE,
    b"\x1a\x45\xdf\xa3": WEBM,
    b"FLV": FLV,
    b"TTA1": TTA,
    b"wvpk": WAVPACK,
    b"#!AMR": AMR,
}
START = re.compile(
    b"|".join((WAVE, FLAC, WEBM, FLV, TTA, WAVPACK, AMR))
    + rb"|RIFF.{4}AVI |RF64.{4}WAVE|FORM.{4}(?:AIF[FC]|8SVX|16SV)|caff\0\x01\0\0|\.snd\0\0|riff\x2e\x91\xcf\x11"
    rb"|NIST_1A\n|Creative Voice File|OggS\0\x02|.{4}ftyp",
    re.DOTALL,
)


def links(file: BinaryIO, size: int) -> list[tuple[int, int]]:
    """From which byte to which each recording of a file lies; of most files, the whole. Of more than `MOST_LINKS`, the
    first, and one more with all that follows.

    Args:
        file: a binary file that can seek.
        size: of it, in bytes.
    """
    starts = [0]
    while len(starts) <= MOST_LINKS and (start := next(_later_starts(file, starts[-1], size), None)) is not None:
        starts.append(start)
    return list(itertools.pairwise([*starts, size]))


def _later_starts(file: BinaryIO, start: int, size: int) -> Iterator[int]:
    """Where the next recording begins behind one that begins at some byte."""
    file.seek(start)
    begin = file.read(12)
    found: Iterator[int]
    if pattern := next((SCANNED[magic] for magic in SCANNED if begin.startswith(magic)), None):
        found = _matches(file, re.compile(pattern, re.DOTALL), start)
    elif begin.startswith(b"OggS"):
        found = _ogg_starts(file, start, size)
    elif begin[4:8] == b"ftyp":
        found = _mp4_starts(file, start, size)
    elif begin.startswith((b"RIFF", b"FORM", b"caff")):
        found = (place for place in chunk_starts(file, start, size) if _begins(file, place))
    else:
        end = declared_end(file, start, size)
        found = iter([end] if start < end < size and _begins(file, end) else [])
    return (place for place in found if place > start)


def _begins(file: BinaryIO, place: int) -> bool:
    """Whether a recording of a known kind begins at a byte."""
    file.seek(place)
    return START.match(file.read(LONGEST_START)) is not None


def _matches(file: BinaryIO, pattern: re.Pattern[bytes], start: int) -> Iterator[int]:
    """Where a pattern is found from a byte on, looking at a piece of the file at a time."""
    base, data, last = start, b"", -1
    file.seek(start)
    while piece := file.read(SCAN_BYTES):
        data += piece
        for found in pattern.finditer(data):
            if base + found.start() > last:
                last = base + found.start()
                yield last
        kept = LONGEST_START - 1  # a start that is cut here is found in the next piece
        base, data = base + max(0, len(data) - kept), data[-kept:]


def _ogg_starts(file: BinaryIO, start: int, size: int) -> Iterator[int]:
    """Where the recordings in an Ogg file begin: with the headers of their streams (RFC 3533)."""
    in_headers, page = True, start
    while start <= page < size - 27:
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


def _mp4_starts(file: BinaryIO, start: int, size: int) -> Iterator[int]:
    """Where an mp4 file begins anew: at the box that says what kind of file it is (ISO 14496-12)."""
    position, has_index = start, False
    for _ in range(MOST_BOXES):
        if position + 8 > size:
            return
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
