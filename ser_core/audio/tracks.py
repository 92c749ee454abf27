"""Which sound track of a file is heard, where it has several: the one that a player would play, if it can be heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio.blocks import MAX_CHANNELS
from ser_core.audio.level import QUIET_DBFS, SILENT_DBFS
from ser_core.errors import AudioError

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

MOST_TRACKS = 32  # of sound in a file, as a film has in many languages
MOST_TRIED = 8  # tracks that are listened to in search of sound: each means to read the whole file once more
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def tracks(container: InputContainer) -> list[AudioStream]:
    """The sound tracks that FFmpeg can decode."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def too_many_channels(frame: AudioFrame) -> bool:
    """Whether PyAV can't give a frame's samples: it reads beyond them, and the process ends. Damage can look so."""
    return frame.layout.nb_channels > MAX_CHANNELS


def choose_track(
    container: InputContainer, again: Callable[[], InputContainer], check: Callable[[float], None] = lambda _: None
) -> tuple[int, str | None]:
    """Number of one of a container's `tracks`, and a sentence on the choice; None where there is only one.

    The first is the one that is marked as the default, which players choose. Where it is too quiet, the next that isn't
    is chosen; where all are, the first that isn't silent. `MOST_TRIED` are tried.

    Args:
        again: opens the file anew.
        check: refuses a track of so many seconds, or more.

    Raises:
        AudioError: it has more than `MOST_TRACKS`.
    """
    from av.stream import Disposition

    streams = tracks(container)
    if len(streams) == 1:
        return 0, None
    if len(streams) > MOST_TRACKS:
        raise AudioError(
            f"The file has {len(streams)} sound tracks, and at most {MOST_TRACKS} are looked at. Export the one with "
            "the voice on its own."
        )
    numbers = sorted(range(len(streams)), key=lambda number: not streams[number].disposition & Disposition.default)
    levels = dict[int, float]()
    for number in numbers[:MOST_TRIED]:
        levels[number] = _level(again, number, check)
        if levels[number] >= QUIET_DBFS:
            break
    heard = (number for least in (QUIET_DBFS, SILENT_DBFS) for number in levels if levels[number] >= least)
    chosen = next(heard, numbers[0])
    said = f"The file has {len(streams)} sound tracks: the {ordinal(chosen)} is heard"
    if chosen == numbers[0]:
        return chosen, f"{said}, the others are not. Export another one on its own if that is the voice."
    quiet = "silent" if levels[numbers[0]] < SILENT_DBFS else f"too quiet ({levels[numbers[0]]:.0f} dB)"
    return chosen, f"{said}, since the {ordinal(numbers[0])} is {quiet}."


def ordinal(number: int) -> str:
    """A track's number from 0, counted from 1 and said in a sentence."""
    if number < len(ORDINALS):
        return ORDINALS[number]
    endings = {1: "st", 2: "nd", 3: "rd"} if (number + 1) // 10 % 10 != 1 else {}
    return f"{number + 1}{endings.get((number + 1) % 10, 'th')}"


def _level(again: Callable[[], InputContainer], number: int, check: Callable[[float], None]) -> float:
    """Level of a track's loudest second, or of its first that is loud enough, in dB relative to full scale."""
    import av

    loudest = 0.0
    try:
        with again() as container:
            for seconds, power in enumerate(_powers(container, number)):
                check(seconds)
                loudest = max(loudest, power)
                if loudest >= 10 ** (QUIET_DBFS / 10):
                    break
    except (av.FFmpegError, ValueError, IndexError):  # in a damaged file, a track may not be found again
        pass  # what is damaged is said of the track that is chosen
    return 10 * float(np.log10(loudest)) if loudest else float("-inf")


def _powers(container: InputContainer, number: int) -> Iterator[float]:
    """Mean square of the loudest channel in each second of a track."""
    import av

    resampler = av.AudioResampler(format="fltp")
    gathered, n_samples = 0.0, 0
    for packet in container.demux(tracks(container)[number]):
        for frame in packet.decode():
            if too_many_channels(frame):
                continue
            for block in resampler.resample(frame):
                gathered += float(np.square(block.to_ndarray()).sum(axis=1).max(initial=0))
                n_samples += block.samples
            if n_samples >= frame.sample_rate:
                yield gathered / n_samples
                gathered, n_samples = 0.0, 0
    if n_samples:
        yield gathered / n_samples
