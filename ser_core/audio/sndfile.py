"""What libsndfile (through soundfile) makes of a file of samples: wav, aiff, caf, au, w64 and their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio.arrays import LOUDEST_FLOAT, are_spikes, spiked, taken_for, width_of
from ser_core.audio.blocks import Block, block_frames
from ser_core.audio.chunks import find_samples, mended
from ser_core.audio.ffmpeg import END_SECONDS, header_seconds
from ser_core.audio.limit import believed
from ser_core.audio.source import OpenFile
from ser_core.errors import AudioError

if TYPE_CHECKING:
    from soundfile import SoundFile

SAMPLE_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "ULAW": 1, "ALAW": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4}
FLOATS = ("FLOAT", "DOUBLE")
LARGEST_INTEGER = 2.0**31  # that a program may have written as a floating-point number
HEADER_BYTES = 4096  # a header takes no more
WAVE = re.compile(rb"(?:RIFF|RF64).{4}WAVE", re.DOTALL)
COMPRESSED = (b"fLaC", b"OggS", b"ID3")
GAPS = ("MPEG", "VORBIS", "OPUS")  # what libsndfile skips of these, when it is damaged, is not said


def is_compressed(opened: OpenFile) -> bool:
    """Whether it begins as flac, ogg, mp3 or aac do, which libsndfile can read in part; it can't read webm and mp4."""
    opened.file.seek(0)
    begin = opened.file.read(4)
    return begin.startswith(COMPRESSED) or (begin[0] == 0xFF and begin[1:2] >= b"\xe0")


class SndfileReader:
    """Reads one file of samples.

    Attributes:
        seconds: how long it lasts, as the header says; 0 where libsndfile can't read it.
        notes: sentences about what its samples were taken for.
        failed: whether it could not be read to its end.
        holds_nothing: whether it is a wav file without samples. Decoders find that out, too, but look at each chunk
            with a call of Python: of 10 MB of zeros behind a header, there are a million.
    """

    def __init__(self, opened: OpenFile):
        self._opened = opened
        self.notes: list[str] = []
        self.failed = False
        self._samples = find_samples(opened.file, opened.size)
        opened.file.seek(0)
        self.holds_nothing = self._samples is None and WAVE.match(opened.file.read(12)) is not None
        self._sound = self._open()
        self.seconds = believed(self._sound.frames / self._sound.samplerate, opened.size) if self._sound else 0.0

    def _open(self) -> SoundFile | None:
        import soundfile

        file, size, _ = self._opened.file, self._opened.size, self._opened.name
        if self.holds_nothing:
            return None
        self._whole = mended(file, size, self._samples)
        self._whole.seek(0)
        try:
            return soundfile.SoundFile(self._whole)
        except soundfile.LibsndfileError:
            return None
        finally:
            self._raise()

    def _raise(self) -> None:
        """Raise what reading the file raised."""
        if self._whole.error is not None:
            raise self._whole.error

    def finds_less(self) -> bool:
        """Whether FFmpeg finds more than libsndfile, as in all that is compressed as mp3 is, in whatever file.

        It is asked only where it isn't plain that all bytes are used.
        """
        if self._sound is None or self._sound.subtype.startswith(GAPS):
            return True
        if self._samples:
            return False
        n_bytes = self._sound.frames * self._sound.channels * SAMPLE_BYTES.get(self._sound.subtype, 0)
        if n_bytes and self._opened.size - n_bytes <= HEADER_BYTES:
            return False
        return header_seconds(self._opened.file) > self.seconds + END_SECONDS

    def blocks(self) -> Iterator[Block]:
        """All that libsndfile can read of it."""
        import soundfile

        if self._sound is None:
            return
        self._sound.close()
        reopened = self._open()  # not all kinds can be sent back to their beginning
        if reopened is None:
            self.failed = True
            return
        with reopened as sound:
            full_scale = self._full_scale(sound)
            try:
                while len(samples := _read_some(sound)):
                    self._raise()
                    channels = np.ascontiguousarray(samples.T)
                    if full_scale != 1:
                        with np.errstate(invalid="ignore"):  # what is no number stays none
                            channels /= np.float32(full_scale)
                    yield Block(channels, sound.samplerate)
            except soundfile.LibsndfileError:
                self.failed = True
            self._raise()

    def _full_scale(self, sound: SoundFile) -> float:
        """What the largest sample could be: 1, but where a program wrote integers as floating-point numbers.

        All samples are looked at before the first is given on: a recording may begin quietly.
        """
        import soundfile

        if sound.subtype not in FLOATS:
            return 1.0
        peak, n_beyond, n_samples = 0.0, 0, 0
        try:
            while len(samples := _read_some(sound)):
                level = np.abs(samples)
                peak = max(peak, float(level.max()))
                n_beyond, n_samples = n_beyond + int((level > LOUDEST_FLOAT).sum()), n_samples + samples.size
        except soundfile.LibsndfileError:
            pass  # what can be read up to there is heard
        sound.seek(0)
        width = width_of(peak) if LOUDEST_FLOAT < peak <= LARGEST_INTEGER else None
        if width is None:
            return 1.0
        if are_spikes(n_beyond, n_samples):
            raise AudioError(spiked(self._opened.name, n_beyond, peak))
        self.notes.append(taken_for(peak, width))
        return 2.0 ** (width - 1)


def _read_some(sound: SoundFile) -> np.ndarray:
    """The next samples of a file, float32 `[samples, channels]`; empty at its end."""
    return sound.read(block_frames(sound.samplerate, sound.channels), dtype="float32", always_2d=True)
