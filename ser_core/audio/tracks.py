"""Which sound track of a file is heard, where it has several: the one that a player would play, if it isn't silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio.arrays import MAX_CHANNELS

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

SILENT = 1e-4  # of full scale: no sample of a silent track goes beyond
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def tracks(container: InputContainer) -> list[AudioStream]:
    """The sound tracks that FFmpeg can decode."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def too_many_channels(frame: AudioFrame) -> bool:
    """Whether PyAV can't give a frame's samples: it reads beyond them, and the process ends. Damage can look so."""
    return frame.layout.nb_channels > MAX_CHANNELS


def choose_track(container: InputContainer, again: Callable[[], InputContainer]) -> tuple[int, str | None]:
    """Number of one of a container's `tracks`, and a sentence on the choice; None where there is only one.

    The first is the one that is marked as the default, which players choose.

    Args:
        again: opens the file anew.
    """
    from av.stream import Disposition

    streams = tracks(container)
    if len(streams) == 1:
        return 0, None
    numbers = sorted(range(len(streams)), key=lambda number: not streams[number].disposition & Disposition.default)
    chosen = next((number for number in numbers if _is_heard(again, number)), numbers[0])
    said = f"The file has {len(streams)} sound tracks: the {_ordinal(chosen)} is heard"
    if chosen == numbers[0]:
        return chosen, f"{said}, the others are not. Export another one on its own if that is the voice."
    return chosen, f"{said}, since the {_ordinal(numbers[0])} is silent."


def _ordinal(number: int) -> str:
    return ORDINALS[number] if number < len(ORDINALS) else f"{number + 1}th"


def _is_heard(again: Callable[[], InputContainer], number: int) -> bool:
    """Whether a track holds any sound."""
    import av

    resampler = av.AudioResampler(format="fltp")
    try:
        with again() as container:
            for packet in container.demux(tracks(container)[number]):
                frames = [frame for frame in packet.decode() if not too_many_channels(frame)]
                blocks = [block.to_ndarray() for frame in frames for block in resampler.resample(frame)]
                if any(np.abs(block).max(initial=0) > SILENT for block in blocks):
                    return True
    except (av.FFmpegError, ValueError, IndexError):  # in a damaged file, a track may not be found again
        pass  # what is damaged is said of the track that is chosen
    return False
