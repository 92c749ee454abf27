"""Bytes to samples: any container a browser, phone or corpus records.

libsndfile (through soundfile) reads wav, flac, ogg, opus and mp3; what it can't read (webm, m4a, aac) goes to
FFmpeg's libraries through PyAV.
"""

from __future__ import annotations

import io
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ser_core.errors import AudioError

MIN_SAMPLE_RATE = 8_000  # Hz
MAX_SAMPLE_RATE = 192_000  # Hz
MAX_CHANNELS = 8

AudioSource: TypeAlias = str | PathLike[str] | bytes | bytearray | memoryview | io.IOBase | np.ndarray
"""A file's path, its bytes, an open binary file, or samples (`[samples]` or `[channels, samples]`)."""


def decode(source: AudioSource, *, sample_rate: int | None = None) -> tuple[np.ndarray, int]:
    """Read audio at its own rate and with all its channels.

    Args:
        source: a path, bytes, a binary file, or an array. Arrays are `[samples]` or `[channels, samples]`;
            integers are scaled by their full scale, floats are taken to be in ±1.
        sample_rate: the rate of an array in Hz, 8,000 to 192,000. Required for arrays, not accepted otherwise.

    Returns:
        float32 samples `[channels, samples]`, nominally in ±1, and the rate in Hz.

    Raises:
        AudioError: missing, empty or undecodable audio; NaN or infinite samples; a rate or a number of channels
            outside what is supported.
    """
    name = "The audio"
    if isinstance(source, np.ndarray):
        if sample_rate is None:
            raise AudioError("Samples in an array need their sample rate: pass sample_rate=, in Hz.")
        samples, rate = _from_array(source), int(sample_rate)
    else:
        if sample_rate is not None:
            raise AudioError("Only arrays take sample_rate=: a file says its own.")
        data, name = _read(source)
        if not data:
            raise AudioError(f"{name} is empty: it holds no bytes. Record or export it again.")
        samples, rate = _decode_bytes(data, name)

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
    return samples, rate


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


def _decode_bytes(data: bytes, name: str) -> tuple[np.ndarray, int]:
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.T), rate
    except soundfile.LibsndfileError:
        return _decode_with_ffmpeg(data, name)


def _decode_with_ffmpeg(data: bytes, name: str) -> tuple[np.ndarray, int]:
    import av

    blocks: list[np.ndarray] = []
    rate = 0
    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.audio:
                raise AudioError(f"{name} has no sound track. Choose an audio file, or a video with sound.")
            planar = av.AudioResampler(format="fltp")  # a change of sample format only: rate and channels stay
            for frame in container.decode(container.streams.audio[0]):
                rate = frame.sample_rate
                blocks.extend(out.to_ndarray() for out in planar.resample(frame))
    except (av.FFmpegError, ValueError):
        # A recording that was cut off still plays up to the cut, as in any player.
        if not blocks:
            raise AudioError(
                f"{name} could not be decoded. Supported: wav, flac, ogg, opus, mp3, webm, m4a and aac."
            ) from None
    if not blocks:
        raise AudioError(f"{name} is empty: it holds no samples. Record or export it again.")
    return np.concatenate(blocks, axis=1), rate
