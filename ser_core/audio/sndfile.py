"""What libsndfile (through soundfile) makes of a file of samples: wav, aiff, caf, au, w64 and their kin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio.blocks import Block
from ser_core.audio.chunks import UNKNOWN_BYTES, find_samples, mended
from ser_core.audio.ffmpeg import END_SECONDS, broken_off, header_seconds
from ser_core.audio.source import OpenFile

if TYPE_CHECKING:
    from soundfile import SoundFile

SAMPLE_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "ULAW": 1, "ALAW": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4}
HEADER_BYTES = 4096  # a header takes no more
COMPRESSED = (b"fLaC", b"OggS", b"ID3")


def is_compressed(opened: OpenFile) -> bool:
    """Whether it begins as flac, ogg, mp3 or aac do, which libsndfile can read in part; it can't read webm and mp4."""
    opened.file.seek(0)
    begin = opened.file.read(4)
    return begin.startswith(COMPRESSED) or (begin[0] == 0xFF and begin[1:2] >= b"\xe0")


class SndfileReader:
    """Reads one file of samples.

    Attributes:
        seconds: how long it lasts, as the header says; 0 where libsndfile can't read it.
    """

    def __init__(self, opened: OpenFile):
        self._opened = opened
        self._samples = find_samples(opened.file, opened.size)
        self._sound = self._open()
        self.seconds = self._sound.frames / self._sound.samplerate if self._sound else 0.0

    def _open(self) -> SoundFile | None:
        import soundfile

        file, size, _ = self._opened.file, self._opened.size, self._opened.name
        whole = mended(file, size, self._samples)
        whole.seek(0)
        try:
            return soundfile.SoundFile(whole)
        except soundfile.LibsndfileError:
            return None

    def finds_less(self) -> bool:
        """Whether FFmpeg finds more than libsndfile. It is asked only where it isn't plain that all bytes are used."""
        if self._sound is None or self._samples:
            return self._sound is None
        n_bytes = self._sound.frames * self._sound.channels * SAMPLE_BYTES.get(self._sound.subtype, 0)
        if n_bytes and self._opened.size - n_bytes <= HEADER_BYTES:
            return False
        return header_seconds(self._opened.file) > self.seconds + END_SECONDS

    def blocks(self) -> Iterator[Block]:
        """All that libsndfile can read of it."""
        import soundfile

        if self._sound is None:
            return
        self._sound.seek(0)
        with self._sound as sound:
            try:
                while len(samples := sound.read(sound.samplerate, dtype="float32", always_2d=True)):
                    yield Block(np.ascontiguousarray(samples.T), sound.samplerate)
            except soundfile.LibsndfileError:
                return

    def warnings(self, seconds: float) -> list[str]:
        """Whether so many seconds are less than the header of the samples says."""
        if self._samples is None or self._samples.promised >= UNKNOWN_BYTES:
            return []
        there = self._opened.size - self._samples.start
        missing = seconds * (self._samples.promised / there - 1) if there > 0 else 0.0
        return [broken_off(seconds)] if missing > END_SECONDS else []
