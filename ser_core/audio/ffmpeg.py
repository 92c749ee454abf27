"""What FFmpeg's libraries (through PyAV) make of a file: all that can be decoded, and where something is missing.

It is read packet by packet: where one can't be decoded, the recording goes on behind it, and its warnings say at which
second. What changes its rate or its number of channels midway is brought to one.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ser_core.errors import AudioError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer


END_SECONDS = 0.1  # missing from what a header promises, from which a recording broke off; formats round to less
MP3_FRAME_BYTES = 1441  # of the largest frame
HOLE_SECONDS = 0.05  # by which a container's clock jumps where something is missing


def read_with_ffmpeg(data: bytes, name: str) -> tuple[np.ndarray, int, tuple[str, ...]]:
    """Decode the first sound track of any container.

    Args:
        data: the file's bytes.
        name: of the file, for errors.

    Returns:
        float32 samples `[channels, samples]`, their rate in Hz, and sentences about what is wrong with them.

    Raises:
        AudioError: nothing could be decoded.
    """
    recording = _Recording()
    for link in _links(data):
        recording.read(link, name)
    if not recording.pieces and recording.holes:
        raise AudioError(f"{name} could not be decoded. Supported: wav, flac, ogg, opus, mp3, webm, m4a and aac.")
    if not recording.pieces:
        raise AudioError(f"{name} is empty: it holds no samples. Record or export it again.")
    return *recording.join(), recording.warnings()


def _links(data: bytes) -> list[bytes]:
    """The recordings that a flac or Ogg file holds one after another; of any other file, the whole.

    FFmpeg by itself gives up where the second one has another number of channels, or mixes them up.
    """
    starts = [0]
    if data.startswith(b"fLaC"):
        starts = [match.start() for match in re.finditer(rb"fLaC[\0\x80]\0\0\x22", data)] or starts
    elif data.startswith(b"OggS"):
        starts = _ogg_links(data)
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _ogg_links(data: bytes) -> list[int]:
    """Where the recordings in an Ogg file begin: with the headers of their streams (RFC 3533)."""
    starts, in_headers, page = [0], True, 0
    while 0 <= page < len(data) - 27:
        begins = bool(data[page + 5] & 2)
        if begins and not in_headers:
            starts.append(page)
        in_headers = begins
        n_segments = data[page + 26]
        after = page + 27 + n_segments + sum(data[page + 27 : page + 27 + n_segments])
        page = data.find(b"OggS", after)
    return starts


@dataclass
class _Piece:
    """Samples of one rate and number of channels: blocks `[channels, samples]`."""

    rate: int
    channels: int
    resampler: av.AudioResampler
    blocks: list[np.ndarray] = field(default_factory=list)


class _Recording:
    """What FFmpeg makes of a file.

    Attributes:
        pieces: its samples; a new piece begins where rate or channels change.
        seconds: their duration.
        holes: the seconds at which something is missing.
    """

    def __init__(self) -> None:
        self.pieces: list[_Piece] = []
        self.seconds = 0.0
        self.holes: list[float] = []

    def read(self, data: bytes, name: str) -> None:
        """Decode all that can be decoded.

        Raises:
            AudioError: there is no sound track.
        """
        import av

        try:
            with av.open(io.BytesIO(data), "r") as container:
                if not container.streams.audio:
                    raise AudioError(f"{name} has no sound track. Choose an audio file, or a video with sound.")
                self._read_packets(container, _promised_seconds(container, data))
        except (av.FFmpegError, ValueError):
            self.holes.append(self.seconds)

    def _read_packets(self, container: InputContainer, promised: float) -> None:
        import av

        stream = container.streams.audio[0]
        n_pieces, n_holes = len(self.pieces), len(self.holes)
        leaves_out_silence = stream.codec_context.name == "opus" and container.format.name != "ogg"  # it may
        clock: float | None = None  # where the next frame should start
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                if not _is_no_sound(bytes(packet)):
                    self.holes.append(self.seconds)
                continue
            for frame in frames:
                starts = (clock or 0.0) if frame.time is None else frame.time
                jump = 0.0 if clock is None else starts - clock
                # Clocks are wrong behind a change of the rate.
                if jump > HOLE_SECONDS and not leaves_out_silence and len(self.pieces) == n_pieces + 1:
                    self.holes.append(self.seconds)
                self._add(frame)
                clock = starts + frame.samples / frame.sample_rate
        # What was left out in between is missing from some clocks at the end, too.
        if len(self.holes) == n_holes and len(self.pieces) <= n_pieces + 1 and (clock or 0.0) < promised - END_SECONDS:
            self.holes.append(self.seconds)

    def _add(self, frame: av.AudioFrame) -> None:
        import av

        rate, channels = frame.sample_rate, len(frame.layout.channels)
        if not self.pieces or (rate, channels) != (self.pieces[-1].rate, self.pieces[-1].channels):
            # It changes the sample format only.
            self.pieces.append(_Piece(rate, channels, av.AudioResampler(format="fltp")))
        self.pieces[-1].blocks.extend(block.to_ndarray() for block in self.pieces[-1].resampler.resample(frame))
        self.seconds += frame.samples / rate

    def join(self) -> tuple[np.ndarray, int]:
        """All samples `[channels, samples]`, and their rate."""
        rate, channels = self.pieces[0].rate, max(piece.channels for piece in self.pieces)
        return np.concatenate([_converted(piece, rate, channels) for piece in self.pieces], axis=1), rate

    def warnings(self) -> tuple[str, ...]:
        """What is wrong with it."""
        warnings = []
        inside = list(dict.fromkeys(round(second, 1) for second in self.holes if second < self.seconds))
        if inside:
            more = f" and in {len(inside) - 1} more places" if len(inside) > 1 else ""
            warnings.append(
                f"The recording is damaged at {inside[0]:.1f} s{more}: what can't be decoded there is left out."
            )
        if any(second >= self.seconds for second in self.holes):
            warnings.append(broken_off(self.seconds))
        return tuple(warnings)


def _converted(piece: _Piece, rate: int, channels: int) -> np.ndarray:
    samples = np.concatenate(piece.blocks, axis=1)
    if piece.channels != channels:
        samples = np.tile(samples.mean(axis=0), (channels, 1))
    if piece.rate != rate:
        import soxr

        samples = soxr.resample(samples.T, piece.rate, rate, quality="HQ").T
    return samples


def _promised_seconds(container: InputContainer, data: bytes) -> float:
    """How long the headers say that the sound lasts; 0 where none says it, and FFmpeg guesses by the bit rate."""
    import av

    stream = container.streams.audio[0]
    if container.format.name == "aac" or (container.format.name == "mp3" and not _mp3_is_cut(data)):
        return 0.0
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    # Matroska and webm say it of all tracks together.
    return container.duration / av.time_base if container.duration and len(container.streams) == 1 else 0.0


def _mp3_is_cut(data: bytes) -> bool:
    """Whether an mp3 file has fewer bytes than its first frame says, if that says it (LAME's and Xing's header)."""
    header = re.search(rb"(Xing|Info)\0\0\0(.).{4}(.{4})", data, re.DOTALL)
    if header is None or header[2][0] & 3 != 3:  # it doesn't give both the number of frames and that of bytes
        return False
    return len(data) - header.start() < int.from_bytes(header[3]) - MP3_FRAME_BYTES


def _is_no_sound(packet: bytes) -> bool:
    """Whether a packet is a tag, or zeros that fill the file up: no damage, though it can't be decoded."""
    return not packet.strip(b"\0") or b"ID3" in packet or packet.startswith((b"TAG", b"APETAGEX"))


def broken_off(seconds: float) -> str:
    """The warning of a recording that ends before it should."""
    return f"The recording breaks off at {seconds:.1f} s: what should follow is missing or damaged."
