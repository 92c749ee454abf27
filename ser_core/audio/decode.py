"""Bytes to samples: any container a browser, phone or corpus records.

libsndfile (through soundfile) reads wav and its kin. All that is compressed goes to FFmpeg, see
`ser_core.audio.ffmpeg`: libsndfile would read a chain of recordings only up to the end of the first, and skip what is
damaged without a word.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ser_core.audio.ffmpeg import END_SECONDS, broken_off, read_with_ffmpeg
from ser_core.equality import ByContent
from ser_core.errors import AudioError
from ser_core.file_state import LFS_POINTER, POINTER, PULL

MIN_SAMPLE_RATE = 8_000  # Hz
MAX_SAMPLE_RATE = 192_000  # Hz
MAX_CHANNELS = 8
UNKNOWN_BYTES = 0x7FFF0000  # from here on, a wav file's size is that of a recording whose end was not known

AudioSource: TypeAlias = str | PathLike[str] | bytes | bytearray | memoryview | io.IOBase | np.ndarray
"""A file's path, its bytes, an open binary file, or samples (`[samples]` or `[channels, samples]`)."""


@dataclass(frozen=True, eq=False)
class Decoded(ByContent):
    """A recording as it was made.

    Attributes:
        samples: float32 `[channels, samples]`, nominally in ±1.
        rate: in Hz.
        warnings: sentences about what is wrong with it.
    """

    samples: np.ndarray
    rate: int
    warnings: tuple[str, ...] = ()


def decode(source: AudioSource, *, sample_rate: int | None = None) -> Decoded:
    """Read audio at its own rate and with all its channels.

    Where rate or channels change midway, the rate is that of the beginning, and the channels are as many as there are
    at most: what has another number of channels is averaged, which is what a listener with one ear hears.

    Args:
        source: a path, bytes, a binary file, or an array. Arrays are `[samples]` or `[channels, samples]`;
            integers are scaled by their full scale, floats are taken to be in ±1.
        sample_rate: the rate of an array in Hz, 8,000 to 192,000. Required for arrays, not accepted otherwise.

    Raises:
        AudioError: missing, empty or undecodable audio; NaN or infinite samples; a rate or a number of channels
            outside what is supported.
    """
    name = "The audio"
    if isinstance(source, np.ndarray):
        if sample_rate is None:
            raise AudioError("Samples in an array need their sample rate: pass sample_rate=, in Hz.")
        decoded = Decoded(_from_array(source), int(sample_rate))
    else:
        if sample_rate is not None:
            raise AudioError("Only arrays take sample_rate=: a file says its own.")
        data, name = _read(source)
        if not data:
            raise AudioError(f"{name} is empty: it holds no bytes. Record or export it again.")
        if data.startswith(LFS_POINTER):
            raise AudioError(f"{name} {POINTER}. {PULL}.")
        decoded = _decode_bytes(data, name)

    samples, rate = decoded.samples, decoded.rate
    if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"{name} has a sample rate of {rate} Hz; {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz are supported."
        )
    if not 1 <= samples.shape[0] <= MAX_CHANNELS:
        raise AudioError(
            f"{name} has {samples.shape[0]} channels; 1 to {MAX_CHANNELS} are supported, as [channels, samples]."
        )
    if samples.shape[1] == 0:
        raise AudioError(f"{name} is empty: it holds no samples. Record or export it again.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{name} holds samples that are not numbers (NaN or infinite). Export it again.")
    return decoded


def _read(source: str | PathLike[str] | bytes | bytearray | memoryview | io.IOBase) -> tuple[bytes, str]:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), "The audio"
    if isinstance(source, str | PathLike):
        path = Path(source)
        try:
            return path.read_bytes(), f"{path.name}"
        except FileNotFoundError:
            raise AudioError(f"{path} does not exist. Check the path.") from None
        except IsADirectoryError:
            raise AudioError(f"{path} is a folder, not an audio file.") from None
        except OSError as error:
            raise AudioError(f"{path} can't be read: {error.strerror}.") from None
    if not hasattr(source, "read"):
        kind = type(source).__name__
        raise AudioError(f"Audio is a path, bytes, a binary file or an array of samples, not of type {kind}.")
    name = getattr(source, "name", None)
    return source.read(), Path(name).name if isinstance(name, str) else "The audio"


def _from_array(array: np.ndarray) -> np.ndarray:
    if array.ndim not in (1, 2):
        raise AudioError(f"An array of samples has 1 or 2 dimensions ([channels, samples]), not {array.ndim}.")
    if np.issubdtype(array.dtype, np.signedinteger):
        array = array / -float(np.iinfo(array.dtype).min)
    elif array.dtype == np.uint8:  # 8-bit PCM is unsigned with its zero at 128
        array = (array.astype(np.float32) - 128) / 128
    elif not np.issubdtype(array.dtype, np.floating):
        raise AudioError(f"Samples of type {array.dtype} are not supported; use float or signed integer samples.")
    return np.atleast_2d(np.asarray(array, dtype=np.float32))


def _decode_bytes(data: bytes, name: str) -> Decoded:
    if _is_compressed(data):
        return Decoded(*read_with_ffmpeg(data, name))
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return Decoded(*read_with_ffmpeg(data, name))
    return Decoded(np.ascontiguousarray(samples.T), rate, _wav_warnings(data, len(samples) / rate))


def _is_compressed(data: bytes) -> bool:
    """Whether it begins as flac, ogg, mp3 or aac do, which libsndfile can read in part; it can't read webm and mp4."""
    return data.startswith((b"fLaC", b"OggS", b"ID3")) or (data[0] == 0xFF and data[1:2] >= b"\xe0")


def _wav_warnings(data: bytes, seconds: float) -> tuple[str, ...]:
    """Whether a wav file is shorter than the header of its samples says."""
    position = 12 if data.startswith(b"RIFF") else len(data)
    while position + 8 <= len(data):
        promised = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"data":
            there = len(data) - position - 8
            missing = seconds * (promised / there - 1) if 0 < there < promised < UNKNOWN_BYTES else 0.0
            return (broken_off(seconds),) if missing > END_SECONDS else ()
        position += 8 + promised + promised % 2
    return ()
