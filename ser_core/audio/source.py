"""What a recording may be given as: a path, bytes, an open file, samples of whatever kind."""

from __future__ import annotations

import array
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias, cast

import numpy as np

from ser_core.audio.arrays import (
    Scaled,
    as_pair,
    code_of,
    has,
    in_hz,
    is_array,
    rows_are_samples,
    scaled,
    to_array,
    type_of,
)
from ser_core.audio.limit import Limit, megabytes
from ser_core.errors import AudioError
from ser_core.file_state import LFS_POINTER, POINTER, PULL
from ser_core.sound_files import NO_FILES, shown

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

AudioSource: TypeAlias = (
    "str | PathLike[str] | bytes | bytearray | memoryview | io.IOBase | np.ndarray | Tensor | pd.Series"
    " | Sequence[float] | tuple[int, np.ndarray]"
)
"""A file's path, its bytes, or an open binary file, wherever its position is; samples (`[samples]`, `[channels,
samples]`, or plainly `[samples, channels]`) as an array, tensor, list or Series of any numeric type; or a pair of a
rate in Hz and samples, as a tuple or list."""

KINDS = "a path, bytes, a binary file, an array, tensor, list or Series of samples, or a pair (rate, samples)"


FILES = (str, bytes, bytearray, memoryview, PathLike)
"""Types of what is a file; what can be read is one, too."""

PIPE_SECONDS = 10.0
"""How long a pipe is waited for that nobody has opened to write."""
SILENT_SECONDS = 300.0
"""How long for the next bytes of somebody who has: a recorder may write all at its end, after minutes."""

# Of what has no size, as a pipe or an answer of a server:
MEMORY_BYTES = 2**26  # that are kept in memory; the rest goes into a temporary file
PART_BYTES = 2**20  # that are read at a time
MOST_ZEROS = 2**20  # at the beginning: FFmpeg looks no further for what it is, and no format begins so


class OpenFile(NamedTuple):
    """A file that can seek.

    Attributes:
        name: of it, to begin a sentence with.
        size: in bytes, above 0.
    """

    file: BinaryIO
    name: str
    size: int


class _Pipe(io.FileIO):
    """A pipe that somebody writes into, whose bytes are not waited for without end."""

    def __init__(self, pipe: int, name: str):
        super().__init__(pipe)
        self._shown = name

    def read(self, size: int | None = -1, /) -> bytes:
        """What there is, at most so many bytes; none at the end.

        Raises:
            AudioError: nothing was written for too long.
        """
        import select

        bytes_or_end = select.poll()
        bytes_or_end.register(self, select.POLLIN)
        if not bytes_or_end.poll(1000 * SILENT_SECONDS):
            raise AudioError(
                f"{self._shown} is a pipe that somebody has opened, and into which nothing was written for "
                f"{SILENT_SECONDS:g} s."
            )
        return os.read(self.fileno(), PART_BYTES if size is None or size < 0 else size)


def is_samples(source: object) -> bool:
    """Whether it is samples without their rate."""
    return (is_array(source) and as_pair(source) is None) or _is_typed(source)


def _is_typed(source: object) -> bool:
    """Whether it is a view of a program's numbers, not of a file's bytes."""
    return isinstance(source, memoryview) and source.format not in ("B", "b", "c")


def several(sources: Iterable[AudioSource]) -> Iterator[AudioSource]:
    """Recordings one by one.

    Raises:
        AudioError: it is one recording, or none.
    """
    one = isinstance(sources, str | bytes | bytearray | memoryview | array.array | PathLike | io.IOBase)
    one = one or (isinstance(sources, tuple) and as_pair(sources) is not None)
    numbers = has(sources, "__array__") and getattr(getattr(sources, "dtype", None), "kind", "f") in "biuf"
    if one or numbers or not isinstance(sources, Iterable):
        raise AudioError(
            f"Several recordings are expected, not a {type(sources).__name__}: give it a list, even of one."
        )
    return iter(sources)


def read_samples(source: object, sample_rate: float | None) -> tuple[Scaled, int] | None:
    """Samples and their rate in Hz; None if it is a file.

    Raises:
        AudioError: samples without a rate, with two, or with one that is none; a file with a rate; no numbers.
    """
    given = None if sample_rate is None else in_hz(sample_rate)
    if pair := as_pair(source):
        rate, samples = in_hz(pair[0]), pair[1]
        if given not in (None, rate):
            raise AudioError(f"The samples come with a rate of {rate} Hz, and sample_rate says {given}.")
        if not is_array(samples):
            raise AudioError(f"A pair is (rate, samples), not a rate and something of type {type(samples).__name__}.")
        return scaled(_channels_first(to_array(samples))), rate
    if not (is_array(source) or (given is not None and _is_typed(source))):
        if given is not None and (isinstance(source, FILES) or has(source, "read")):
            raise AudioError("Only arrays take sample_rate=: a file says its own.")
        return None
    samples = to_array(source)
    if samples.dtype.kind in "OUS":
        raise AudioError(f"A {type(source).__name__} of {_type_inside(samples)} is not supported: audio is {KINDS}.")
    if given is None:
        raise AudioError("Samples in an array need their sample rate: pass sample_rate=, in Hz.")
    return scaled(_channels_first(samples)), given


def _channels_first(samples: np.ndarray) -> np.ndarray:
    """Sound cards, gradio, scipy and soundfile have a row for each sample."""
    return samples.T if samples.ndim == 2 and rows_are_samples(samples.shape) else samples


def _type_inside(samples: np.ndarray) -> str:
    return type(samples.flat[0]).__name__ if samples.size else "nothing"


@contextmanager
def open_file(source: object, limit: Limit) -> Iterator[OpenFile]:
    """A file from its first byte on, however it is given; an open one gets its position back.

    Raises:
        AudioError: it is missing, empty, too large or no file.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        yield _checked(io.BytesIO(source), "The audio", limit)
    elif source == "":
        raise AudioError("The name of the audio file is empty. Say which file.")
    elif isinstance(source, str | PathLike):
        with code_of(type_of(source)):
            path = Path(source)
        try:
            first, opened = _opened(path)
        except FileNotFoundError:
            raise AudioError(f"{shown(path)} does not exist. Check the path.") from None
        except IsADirectoryError:
            raise AudioError(f"{shown(path)} is a folder, not an audio file.") from None
        except (OSError, ValueError) as error:
            raise AudioError(f"{shown(path)} can't be read: {getattr(error, 'strerror', None) or error}.") from None
        with opened as file:
            if file.seekable():
                yield _checked(file, path.name, limit)
            else:
                yield from _read_once(file, path.name, path.name, limit, first)
    elif has(source, "read"):
        yield from _given(cast("BinaryIO", source), limit)
    else:
        raise AudioError(f"Audio is {KINDS}, not of type {type(source).__name__}.")


def _opened(path: Path) -> tuple[bytes, BinaryIO]:
    """A file, and what was already read of it: something of a pipe, which is waited for if nobody writes into it yet.

    Raises:
        AudioError: it is a device, as /dev/zero; or nobody writes in time: who just opens a pipe may wait for ever.
    """
    kind = stat.S_IFMT(path.stat().st_mode)
    if kind != stat.S_IFIFO:
        if kind in NO_FILES:
            raise AudioError(f"{shown(path)} is {NO_FILES[kind]}, not a file.")
        return b"", path.open("rb")
    import select

    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    opened = cast("BinaryIO", _Pipe(pipe, str(shown(path))))
    bytes_or_end = select.poll()
    bytes_or_end.register(pipe, select.POLLIN)
    events = bytes_or_end.poll(1000 * PIPE_SECONDS)
    try:
        first = os.read(pipe, PART_BYTES)
    except BlockingIOError:  # somebody has opened it, and may write
        first = b""
    else:
        if not first and not events:
            opened.close()
            raise AudioError(f"{shown(path)} is a pipe into which nobody has written anything for {PIPE_SECONDS:g} s.")
    os.set_blocking(pipe, True)
    return first, opened


def _given(file: BinaryIO, limit: Limit) -> Iterator[OpenFile]:
    named = getattr(file, "name", None)
    name = Path(named).name if isinstance(named, str) else "The audio"
    if getattr(file, "closed", False):
        raise AudioError(f"{name} was closed before it could be read. Open it again.")
    if isinstance(file, io.TextIOBase):
        raise AudioError(f"{name} is open as text (a {type(file).__name__}): open it with mode 'rb'.")
    who = type_of(file)
    with code_of(who):
        position = file.tell() if hasattr(file, "seekable") and file.seekable() else None
        opened = _checked(file, name, limit, who) if position is not None else None
    if opened is None or position is None:
        yield from _read_once(file, name, who, limit)
        return
    try:
        yield opened
    finally:
        with code_of(who):
            file.seek(position)


def _read_once(file: BinaryIO, name: str, who: str, limit: Limit, part: bytes = b"") -> Iterator[OpenFile]:
    """What can't seek as a file that can.

    Args:
        who: it is, where reading it fails, see `code_of`.
        part: of it that was read already.

    Raises:
        AudioError: it is too large, or begins with zeros as no recording does: /dev/zero has no end.
    """
    zeros = True
    with SpooledTemporaryFile(MEMORY_BYTES) as kept:
        while part or (part := _read(file, PART_BYTES, who)):
            limit.check_size(name, kept.tell() + len(part), so_far=True)
            kept.write(part)
            zeros = zeros and not bytes(part).strip(b"\0")
            if zeros and kept.tell() >= MOST_ZEROS:
                raise AudioError(f"{name} begins with {megabytes(MOST_ZEROS)} of zeros, as no recording does.")
            part = b""
        yield _checked(cast("BinaryIO", kept), name, limit)


def _read(file: BinaryIO, size: int, who: str) -> bytes:
    with code_of(who):
        part = file.read(size)
    if part is not None and not isinstance(part, bytes | bytearray | memoryview):
        raise AudioError(f"Reading the {type(file).__name__} gives {type(part).__name__}, not bytes.")
    return part


def _checked(file: BinaryIO, name: str, limit: Limit, who: str = "The audio") -> OpenFile:
    file.seek(0, io.SEEK_END)
    size = file.tell()
    if not size:
        raise AudioError(f"{name} is empty: it holds no bytes. Record or export it again.")
    limit.check_size(name, size)
    file.seek(0)
    if _read(file, len(LFS_POINTER), who) == LFS_POINTER:
        raise AudioError(f"{name} {POINTER}. {PULL}.")
    return OpenFile(file, name, size)
