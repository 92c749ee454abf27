"""Voice activity detection: where in a waveform somebody speaks.

`energy_intervals` gives the same intervals as `librosa.effects.split` (a test holds it to that) without librosa's
just-in-time compilation, which costs seconds on a cold machine. `silero_intervals` asks silero-vad's neural network,
which ships inside its wheel. Both return an int array `[n, 2]` of half-open sample intervals at 16 kHz, in order and
not overlapping.

A new method is a function of a waveform and `VadSettings`, and a line in `VAD_METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ser_core.forks import step
from ser_core.once import once

if TYPE_CHECKING:
    from silero_vad import SileroVADSequence

from ser_core.audio import SAMPLE_RATE

MIN_SPEECH_SECONDS = 0.2
ENERGY_FRAME_LENGTH = 1024  # samples, 64 ms
ENERGY_HOP_LENGTH = 256  # samples, 16 ms


def energy_intervals(waveform: np.ndarray, *, top_db: float, floor_dbfs: float) -> np.ndarray:
    """Frames whose RMS is within `top_db` of the loudest frame's.

    Args:
        waveform: float32 `[samples]` at 16 kHz, in ±1.
        top_db: a frame is silent when it lies this many decibels below the loudest; number > 0.
        floor_dbfs: when even the loudest frame's RMS lies below this level, in dB relative to full scale, nothing
            is speech: without it, the noise of a muted microphone would be its own loudest frame.

    Returns:
        int64 `[n, 2]` of half-open sample intervals; n is 0 for silence.
    """
    # A frame is four hops long and centred, so its energy is that of four neighbouring hops.
    n_frames = 1 + len(waveform) // ENERGY_HOP_LENGTH
    side = ENERGY_FRAME_LENGTH // 2
    padded = np.zeros((n_frames + 3) * ENERGY_HOP_LENGTH, dtype=np.float32)
    inside = waveform[: len(padded) - side]
    padded[side : side + len(inside)] = inside
    hops = padded.reshape(-1, ENERGY_HOP_LENGTH)
    energy = np.einsum("ij,ij->i", hops, hops)
    power = np.maximum(np.convolve(energy, np.ones(4), mode="valid") / ENERGY_FRAME_LENGTH, 1e-10)

    loudest = power.max()
    if loudest < 10 ** (floor_dbfs / 10):
        return np.zeros((0, 2), dtype=np.int64)
    voiced = power > loudest * 10 ** (-top_db / 10)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], voiced, [False]))))
    return np.minimum(edges.reshape(-1, 2) * ENERGY_HOP_LENGTH, len(waveform)).astype(np.int64)


def silero_intervals(waveform: np.ndarray, *, threshold: float) -> np.ndarray:
    """Speech as silero-vad's network hears it (https://github.com/snakers4/silero-vad).

    Args:
        waveform: float32 `[samples]` at 16 kHz, in ±1.
        threshold: speech probability from which a 32 ms frame counts as speech, 0 to 1.

    Returns:
        int64 `[n, 2]` of half-open sample intervals, each padded by 30 ms; n is 0 when nobody speaks.
    """
    with step:
        detector = _silero()
        from silero_vad import get_speech_timestamps_sequence

        stamps = get_speech_timestamps_sequence(
            waveform, detector, threshold=threshold, sampling_rate=SAMPLE_RATE, min_speech_duration_ms=100
        )
    return np.array([(stamp["start"], stamp["end"]) for stamp in stamps], dtype=np.int64).reshape(-1, 2)


@once
def _silero() -> SileroVADSequence:
    """The network, loaded once (it takes seconds). Threads may share it: each call carries its own state along."""
    import torch

    threads = torch.get_num_threads()
    from silero_vad import load_silero_vad

    torch.set_num_threads(threads)  # importing silero_vad sets it to 1, for the whole process
    return load_silero_vad(sequence=True)


def speech_seconds(intervals: np.ndarray) -> float:
    """Total duration of sample intervals `[n, 2]` at 16 kHz."""
    return float((intervals[:, 1] - intervals[:, 0]).sum()) / SAMPLE_RATE


def other_intervals(intervals: np.ndarray, length: int) -> np.ndarray:
    """What lies before, between and after sample intervals `[n, 2]` of a waveform of that length: `[m, 2]`."""
    edges = np.concatenate(([0], intervals.ravel(), [length])).reshape(-1, 2)
    return edges[edges[:, 1] > edges[:, 0]]


class VadSettings(Protocol):
    """What the methods ask for, see `ser_core.audio.preprocess.AudioConfig`."""

    @property
    def vad_top_db(self) -> float: ...
    @property
    def vad_floor_dbfs(self) -> float: ...
    @property
    def vad_threshold(self) -> float: ...


class Detected(NamedTuple):
    """What a method found.

    Attributes:
        intervals: int64 `[n, 2]`, half-open sample intervals.
        recognized: whether the method itself found them, not what stepped in for it.
    """

    intervals: np.ndarray
    recognized: bool


def by_energy(waveform: np.ndarray, settings: VadSettings) -> Detected:
    """The loud parts."""
    loud = energy_intervals(waveform, top_db=settings.vad_top_db, floor_dbfs=settings.vad_floor_dbfs)
    return Detected(loud, True)


def by_silero(waveform: np.ndarray, settings: VadSettings) -> Detected:
    """What silero's network hears; the loud parts where that is under 0.2 s: it misses some shouts and screams."""
    if not waveform.any():  # hours of digital silence take no space, and should take no time
        return Detected(np.zeros((0, 2), np.int64), False)
    intervals = silero_intervals(waveform, threshold=settings.vad_threshold)
    if speech_seconds(intervals) >= MIN_SPEECH_SECONDS:
        return Detected(intervals, True)
    return Detected(by_energy(waveform, settings).intervals, False)


def everything(waveform: np.ndarray, settings: VadSettings) -> Detected:
    """All of it, unless it is digital silence."""
    whole = [(0, len(waveform))] if waveform.any() else []
    return Detected(np.array(whole, dtype=np.int64).reshape(-1, 2), True)


class VadMethod(NamedTuple):
    """A way to find speech: what pages call it, and the function."""

    label: str
    detect: Callable[[np.ndarray, VadSettings], Detected]


VAD_METHODS = {
    "silero": VadMethod("Neural (silero)", by_silero),
    "energy": VadMethod("Energy", by_energy),
    "none": VadMethod("None", everything),
}
"""All methods by name."""
