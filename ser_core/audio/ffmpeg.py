"""What FFmpeg's libraries (through PyAV) make of a file: all that can be decoded, and where something is missing.

It is read packet by packet, and given on a second at a time: where a packet can't be decoded, the recording goes on
behind it, and its warnings say at which second.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from ser_core.audio.blocks import Block, block_frames
from ser_core.audio.limit import Limit, believed
from ser_core.audio.tracks import choose_track, too_many_channels, tracks
from ser_core.errors import AudioError

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer


END_SECONDS = 0.1  # missing from what a header promises, from which a recording broke off; formats round to less
MP3_FRAME_BYTES = 1441  # of the largest frame
MP3_HEADER_BYTES = 1 << 20  # within which the first frame lies, behind a picture of the cover
DAMAGED = ("The recording is damaged", "The recording breaks off")  # how warnings begin that something is missing
HOLE_SECONDS = 0.05  # by which a container's clock jumps where something is missing


def open_container(file: BinaryIO) -> InputContainer:
    """A file as FFmpeg sees it, from its first byte on; it may not open others that the file names.

    Raises:
        av.FFmpegError, ValueError: it is of no kind that FFmpeg knows.
    """
    import av

    file.seek(0)
    return av.open(_Within(file), "r", options={"protocol_whitelist": ""})


class _Within:
    """A file that FFmpeg can be sent to any place of, as far as headers say: behind the end, there is nothing."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.read, self.tell = file.read, file.tell
        self.name = getattr(file, "name", None) or "<none>"  # some kinds are known by nothing else

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        here = self._file.tell()
        end = self._file.seek(0, io.SEEK_END)
        place = position + {io.SEEK_SET: 0, io.SEEK_CUR: here, io.SEEK_END: end}[whence]
        self._file.seek(min(place, end) if place >= 0 else here)
        return min(place, end) if place >= 0 else -1  # which FFmpeg takes for an error


class FFmpegReader:
    """Reads recordings that lie one behind another, each with `blocks`.

    Args:
        limit: on how long all of them may be.

    Attributes:
        seconds: that were read so far.
        holes: the seconds at which something is missing.
        notes: sentences about what was chosen.
    """

    def __init__(self, limit: Limit):
        self._limit = limit
        self.seconds = 0.0
        self.holes: list[float] = []
        self.notes: list[str] = []

    def blocks(self, file: BinaryIO, name: str) -> Iterator[Block]:
        """All that can be decoded of a file's sound track.

        Raises:
            AudioError: there is no sound track.
        """
        import av

        try:
            with open_container(file) as container:
                if not container.streams.audio and self.seconds:
                    raise ValueError("behind a recording there is something else")
                if not container.streams.audio:
                    raise AudioError(f"{name} has no sound track. Choose an audio file, or a video with sound.")
                if not tracks(container):
                    raise ValueError("no decoder knows the sound")
                here = file.tell()
                number, note = choose_track(
                    container, lambda: open_container(file), partial(self._limit.check, name, so_far=True)
                )
                file.seek(here)
                self.notes += [note] if note else []
                stream = tracks(container)[number]
                promised = promised_seconds(container, stream, file)
                self._limit.check(name, self.seconds + promised)
                yield from _seconds_long(self._frames(container, stream, promised))
        except (av.FFmpegError, ValueError):
            self.holes.append(self.seconds)

    def _frames(self, container: InputContainer, stream: AudioStream, promised: float) -> Iterator[av.AudioFrame]:
        import av

        kinds, n_holes = 0, len(self.holes)
        last: tuple[int, int] | None = None  # rate and channels
        leaves_out_silence = stream.codec_context.name == "opus" and container.format.name != "ogg"  # it may
        clock: float | None = None  # where the next frame should start
        for packet in self._packets(container, stream):
            try:
                frames = cast("list[av.AudioFrame]", packet.decode())
            except (av.FFmpegError, ValueError):
                if not _is_no_sound(bytes(packet)):
                    self.holes.append(self.seconds)
                continue
            for frame in frames:
                if too_many_channels(frame):
                    self.holes.append(self.seconds)
                    continue
                starts = (clock or 0.0) if frame.time is None else frame.time
                jump = 0.0 if clock is None else starts - clock
                # Clocks are wrong behind a change of the rate.
                if jump > HOLE_SECONDS and not leaves_out_silence and kinds == 1:
                    self.holes.append(self.seconds)
                kind = (frame.sample_rate, frame.layout.nb_channels)
                kinds, last = kinds + (kind != last), kind
                clock = starts + frame.samples / frame.sample_rate
                self.seconds += frame.samples / frame.sample_rate
                yield frame
        # What was left out in between is missing from some clocks at the end, too.
        if len(self.holes) == n_holes and kinds <= 1 and (clock or 0.0) < promised - END_SECONDS:
            self.holes.append(self.seconds)

    def _packets(self, container: InputContainer, stream: AudioStream) -> Iterator[av.Packet]:
        import av

        try:
            yield from container.demux(stream)
        except (av.FFmpegError, ValueError, IndexError):  # the last where damage looks like one more stream
            self.holes.append(self.seconds)

    def warnings(self) -> list[str]:
        """What is wrong with what was read, and what was chosen of it."""
        warnings = list(dict.fromkeys(self.notes))
        inside = list(dict.fromkeys(round(second, 1) for second in self.holes if second < self.seconds))
        if inside:
            more = f" and in {len(inside) - 1} more places" if len(inside) > 1 else ""
            warnings.append(
                f"The recording is damaged at {inside[0]:.1f} s{more}: what can't be decoded there is left out."
            )
        if any(second >= self.seconds for second in self.holes):
            warnings.append(broken_off(self.seconds))
        return warnings


def _seconds_long(frames: Iterator[av.AudioFrame]) -> Iterator[Block]:
    """Frames, which are of some milliseconds, in blocks of about a second."""
    import av

    for (rate, channels), alike in itertools.groupby(
        frames, key=lambda frame: (frame.sample_rate, frame.layout.nb_channels)
    ):
        resampler = av.AudioResampler(format="fltp")  # it changes the sample format only
        gathered: list[np.ndarray] = []
        n_samples = 0
        for frame in alike:
            gathered += [converted.to_ndarray() for converted in resampler.resample(frame)]
            n_samples += frame.samples
            if n_samples >= block_frames(rate, channels):
                yield Block(np.concatenate(gathered, axis=1), rate)
                gathered, n_samples = [], 0
        if gathered:
            yield Block(np.concatenate(gathered, axis=1), rate)


def promised_seconds(container: InputContainer, stream: AudioStream, file: BinaryIO) -> float:
    """How long the headers say that the sound lasts; 0 where none says it, and FFmpeg guesses by the bit rate."""
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return believed(_said_seconds(container, stream, file), size)


def _said_seconds(container: InputContainer, stream: AudioStream, file: BinaryIO) -> float:
    import av

    if container.format.name == "aac" or (container.format.name == "mp3" and not _mp3_is_cut(file)):
        return 0.0
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    # Matroska and webm say it of all tracks together.
    return container.duration / av.time_base if container.duration and len(container.streams) == 1 else 0.0


def header_seconds(file: BinaryIO) -> float:
    """How long the headers of any file say that its sound lasts; 0 where they don't, or there is none."""
    import av

    try:
        with open_container(file) as container:
            return max((promised_seconds(container, stream, file) for stream in tracks(container)), default=0.0)
    except (av.FFmpegError, ValueError):
        return 0.0


def _mp3_is_cut(file: BinaryIO) -> bool:
    """Whether an mp3 file has fewer bytes than its first frame says, if that says it (LAME's and Xing's header)."""
    here = file.tell()
    file.seek(0)
    header = re.search(rb"(Xing|Info)\0\0\0(.).{4}(.{4})", file.read(MP3_HEADER_BYTES), re.DOTALL)
    size = file.seek(0, 2)
    file.seek(here)
    if header is None or header[2][0] & 3 != 3:  # it doesn't give both the number of frames and that of bytes
        return False
    return size - header.start() < int.from_bytes(header[3]) - MP3_FRAME_BYTES


def _is_no_sound(packet: bytes) -> bool:
    """Whether a packet is a tag, or zeros that fill the file up: no damage, though it can't be decoded."""
    return not packet.strip(b"\0") or b"ID3" in packet or packet.startswith((b"TAG", b"APETAGEX"))


def broken_off(seconds: float) -> str:
    """The warning of a recording that ends before it should."""
    return f"The recording breaks off at {seconds:.1f} s: what should follow is missing or damaged."
