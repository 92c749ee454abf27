"""Where a file should end, as its header says: one that breaks off has fewer bytes, and joined ones have more."""

from __future__ import annotations

import re
from typing import BinaryIO

from ser_core.audio.chunks import UNKNOWN_BYTES, find_samples

NIST_NUMBER = re.compile(rb"(sample_count|sample_n_bytes|channel_count) -i (\d+)")
VOC_FIRST = 20  # where a voc file says at which byte its blocks begin
VOC_UNKNOWN = 0xFFFFFF  # the length of a block whose end was not known

LONGEST_OGG_PAGE = 27 + 255 + 255 * 255  # its head, how long its segments are, the segments


def declared_end(file: BinaryIO, start: int, size: int) -> int:
    """Behind which byte a file ends that begins at another one; 0 where it doesn't say so."""
    file.seek(start)
    head = file.read(1024)
    length = 0
    if head[:4] == b".snd":
        length = _known(int.from_bytes(head[8:12]))
        length += int.from_bytes(head[4:8]) if length else 0
    elif head[:4] == b"FORM":
        length = 8 + _known(int.from_bytes(head[4:8]))
    elif head[:4] == b"RIFF":
        length = 8 + _known(int.from_bytes(head[4:8], "little"))
    elif head[:4] == b"RF64" and head[12:16] == b"ds64":
        length = 8 + _known(int.from_bytes(head[20:28], "little"))
    elif head[:4] == b"riff":  # w64
        length = _known(int.from_bytes(head[16:24], "little"))
    elif head.startswith(b"NIST_1A") and b"shorten" not in head:
        numbers = dict(NIST_NUMBER.findall(head))
        if len(numbers) == 3:
            length = int(numbers[b"sample_count"]) * int(numbers[b"sample_n_bytes"]) * int(numbers[b"channel_count"])
            length += len(head) if length else 0
    elif head.startswith(b"Creative Voice File"):
        length = _voc_length(file, start, size, int.from_bytes(head[VOC_FIRST : VOC_FIRST + 2], "little"))
    return start + length if length else 0


def _known(length: int) -> int:
    return length if length < UNKNOWN_BYTES else 0


def _voc_length(file: BinaryIO, start: int, size: int, position: int) -> int:
    while start + position < size:
        file.seek(start + position)
        head = file.read(4)
        length = int.from_bytes(head[1:], "little")
        if head[0] == 0:  # the end
            return position + 1
        if length == VOC_UNKNOWN:
            return 0
        position += 4 + length
    return position


def missing_seconds(file: BinaryIO, size: int, seconds: float) -> float:
    """How long the sound is that should follow so many seconds, which is all that is there."""
    start, end = 0, declared_end(file, 0, size)
    if samples := find_samples(file, size):
        start, end = samples.start, samples.start + _known(samples.promised)
    return seconds * max(0.0, (end - size) / (size - start)) if start < size else 0.0


def ends_within_a_page(file: BinaryIO, size: int) -> bool:
    """Whether an Ogg file ends in the middle of a page (RFC 3533): it says nowhere how long it is."""
    file.seek(0)
    if file.read(4) != b"OggS":
        return False
    file.seek(max(0, size - LONGEST_OGG_PAGE))
    tail = file.read(LONGEST_OGG_PAGE)
    page = tail[tail.rfind(b"OggS\0") :]
    if not page.startswith(b"OggS") or len(page) < 27:
        return True
    segments = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(segments)
