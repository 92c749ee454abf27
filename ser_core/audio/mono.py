"""The first steps, a second at a time: a recording becomes mono, at 16 kHz."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.decode import AudioSource, Recording
from ser_core.audio.downmix import CANCEL, mixed_down

PART_SECONDS = 300


def load_audio(source: AudioSource, *, sample_rate: int | None = None, max_seconds: float | None = None) -> np.ndarray:
    """Decode, average the channels and resample to 16 kHz.

    Args:
        source: a path, bytes, a binary file, or samples, see `ser_core.audio.source.AudioSource`.
        sample_rate: the rate of samples, in Hz.
        max_seconds: what is longer is refused.

    Returns:
        float32 `[samples]` at 16 kHz, nominally in ±1.

    Raises:
        AudioError: see `ser_core.audio.decode.decode`.
    """
    return read_audio(source, sample_rate=sample_rate, max_seconds=max_seconds)[0]


def read_audio(
    source: AudioSource, *, sample_rate: int | None = None, max_seconds: float | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The same as `load_audio`, with sentences about what is wrong with the recording, as `preprocess` takes them."""
    recording = Recording(source, sample_rate=sample_rate, max_seconds=max_seconds)
    parts = list(mono_parts(recording))
    if len(parts) == 1:
        return parts[0], tuple(recording.warnings)
    audio = np.empty(sum(map(len, parts)), np.float32)
    end = len(audio)
    while parts:  # none of which is kept when it was copied: together they may take as much memory again
        part = parts.pop()
        audio[end - len(part) : end] = part
        end -= len(part)
    return audio, tuple(recording.warnings)


def mono_parts(recording: Recording, seconds: float = PART_SECONDS) -> Iterator[np.ndarray]:
    """A recording in parts of float32 `[samples]` at 16 kHz, each of so many seconds, and a last one that is shorter.

    Its warnings get those of this step.
    """
    size, gathered, n = round(seconds * SAMPLE_RATE), list[np.ndarray](), 0
    for samples in _at_16_khz(recording):
        gathered.append(samples)
        n += samples.shape[1]
        while n >= size:
            rest = gathered[-1][:, gathered[-1].shape[1] - (n - size) :]
            gathered[-1] = gathered[-1][:, : gathered[-1].shape[1] - (n - size)]
            yield _mono(gathered, recording)
            gathered, n = [rest], rest.shape[1]
    if n:
        yield _mono(gathered, recording)


def _mono(pieces: list[np.ndarray], recording: Recording) -> np.ndarray:
    """Pieces `[channels, samples]`, not all of the same number of channels, as one `[samples]`."""
    mono, cancelled = zip(
        *(mixed_down(np.concatenate(list(group), axis=1)) for _, group in itertools.groupby(pieces, key=len)),
        strict=True,
    )
    if any(cancelled):
        recording.warn(CANCEL)
    return mono[0] if len(mono) == 1 else np.concatenate(mono)


def _at_16_khz(recording: Recording) -> Iterator[np.ndarray]:
    """Float32 `[channels, samples]`, all that is of one rate and number of channels resampled in one go."""
    for (rate, channels), blocks in itertools.groupby(
        recording.blocks(), key=lambda block: (block.rate, len(block.samples))
    ):
        if rate == SAMPLE_RATE:
            yield from (block.samples for block in blocks)
            continue
        import soxr

        resampler = soxr.ResampleStream(rate, SAMPLE_RATE, channels, dtype="float32", quality="HQ")
        for block in blocks:
            yield resampler.resample_chunk(np.ascontiguousarray(block.samples.T)).T
        yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True).T


def resample(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Bring `[samples]` at `sample_rate` Hz to 16 kHz, band-limited (soxr, high quality: librosa's default too)."""
    if sample_rate == SAMPLE_RATE:
        return waveform
    import soxr

    return soxr.resample(waveform, sample_rate, SAMPLE_RATE, quality="HQ")
