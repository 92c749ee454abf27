"""Bytes to samples, a second at a time: any container a browser, phone or corpus records.

libsndfile (through soundfile) reads wav and its kin, also with the codecs of telephones. What is compressed as mp3,
flac and ogg are, in whatever file, goes to FFmpeg, see `ser_core.audio.ffmpeg`: libsndfile would skip what is damaged
without a word. Where one of them finds less than the other, the longer counts.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ser_core.audio.arrays import LOUDEST_FLOAT, are_spikes, spiked
from ser_core.audio.blocks import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, Block
from ser_core.audio.chains import MOST_LINKS, links
from ser_core.audio.ends import ends_within_a_page, missing_seconds
from ser_core.audio.ffmpeg import END_SECONDS, FFmpegReader
from ser_core.audio.limit import Limit
from ser_core.audio.sndfile import SndfileReader, is_compressed
from ser_core.audio.source import AudioSource, OpenFile, open_file, read_samples
from ser_core.equality import ByContent
from ser_core.errors import AudioError

LOUDEST = 2.0**31  # of a sample in a file, whatever its full scale was meant to be
KNOWN = "wav, flac, ogg, opus, mp3, webm, m4a, aac and what else FFmpeg reads"


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


def decode(source: AudioSource, *, sample_rate: int | None = None, max_seconds: float | None = None) -> Decoded:
    """Read audio at its own rate and with all its channels.

    Where rate or channels change midway, the rate is that of the beginning, and the channels are as many as there are
    at most: what has another number of channels is averaged, which is what a listener with one ear hears.

    Args:
        source: a path, bytes, a binary file, or samples, see `ser_core.audio.source.AudioSource`. Integers are scaled
            by their full scale, floats are taken to be in ±1, unless they are far beyond.
        sample_rate: the rate of samples in Hz, 8,000 to 192,000. Required for them, not accepted otherwise.
        max_seconds: what is longer is refused; None for what the setting says, see `ser_core.audio.limit`.

    Raises:
        AudioError: missing, empty or undecodable audio; NaN or infinite samples; a rate, a number of channels or a
            duration outside what is supported.
    """
    recording = Recording(source, sample_rate=sample_rate, max_seconds=max_seconds)
    blocks = list(recording.blocks())
    rate, channels = blocks[0].rate, max(len(block.samples) for block in blocks)
    return Decoded(_joined(blocks, rate, channels), rate, tuple(recording.warnings))


class Recording:
    """A recording that is read a second at a time.

    Args:
        source, sample_rate, max_seconds: see `decode`.

    Attributes:
        warnings: sentences about what is wrong with it, when all blocks were taken.
    """

    def __init__(self, source: AudioSource, *, sample_rate: int | None = None, max_seconds: float | None = None):
        self.warnings: list[str] = []
        self._source, self._sample_rate, self._limit = source, sample_rate, Limit(max_seconds)
        self._name = "The audio"

    def blocks(self) -> Iterator[Block]:
        """What it holds; each block is of one rate and number of channels, which may change from one to the next.

        Raises:
            AudioError: see `decode`.
        """
        try:
            yield from self._checked()
        except (AudioError, MemoryError):
            raise
        except Exception as error:  # of whoever reads the file, which may be any program, or decodes
            raise AudioError(f"{self._name} can't be read ({type(error).__name__}: {error}).") from error

    def _checked(self) -> Iterator[Block]:
        seconds = 0.0
        for block in self._blocks():
            self._check(block)
            seconds += block.seconds
            self._limit.check(self._name, seconds, so_far=True)
            if block.samples.shape[1]:
                yield block
        if not seconds:
            raise AudioError(f"{self._name} is empty: it holds no samples. Record or export it again.")

    def _blocks(self) -> Iterator[Block]:
        if (given := read_samples(self._source, self._sample_rate)) is not None:
            (samples, warnings), rate = given
            self.warnings += warnings
            self._check_rate(rate)
            self._limit.check(self._name, samples.shape[1] / rate)
            yield Block(samples, rate)
            return
        with open_file(self._source, self._limit) as opened:
            self._name = opened.name
            reader = FFmpegReader(self._limit)
            parts = links(opened.file, opened.size)
            if len(parts) > MOST_LINKS:
                raise AudioError(
                    f"{self._name} holds more than {MOST_LINKS:,} recordings, one behind another. Take it apart."
                )
            for start, end in parts:
                yield from self._link(opened if len(parts) == 1 else _cut(opened, start, end), reader)
            if not reader.seconds and reader.holes:
                raise AudioError(
                    f"{self._name} could not be decoded. Supported: {KNOWN}, of up to {MAX_CHANNELS} channels."
                )
            self.warnings += reader.warnings()

    def _link(self, opened: OpenFile, reader: FFmpegReader) -> Iterator[Block]:
        """One of the recordings that the file holds."""
        before = reader.seconds
        yield from self._decoded(opened, reader)
        missing = missing_seconds(opened.file, opened.size, reader.seconds - before) > END_SECONDS
        if missing or ends_within_a_page(opened.file, opened.size):
            reader.holes.append(reader.seconds)

    def _decoded(self, opened: OpenFile, reader: FFmpegReader) -> Iterator[Block]:
        """The same, by one decoder or the other."""
        before, n_holes = reader.seconds, len(reader.holes)
        sound = None if is_compressed(opened) else SndfileReader(opened)
        if sound and sound.holds_nothing:
            reader.holes.append(before)
            return
        asked = sound is None or sound.finds_less()
        if asked:
            yield from reader.blocks(opened.file, opened.name)
            if reader.seconds > before:
                return
        sound = sound or SndfileReader(opened)
        self._limit.check(opened.name, before + sound.seconds)
        for block in sound.blocks():
            reader.seconds += block.seconds
            yield block
        if reader.seconds > before:
            del reader.holes[n_holes:]  # it was only FFmpeg that could not read it
            reader.holes += [reader.seconds] if sound.failed else []
            self.warnings += sound.notes
        elif sound.failed and not asked:
            yield from reader.blocks(opened.file, opened.name)

    def warn(self, sentence: str) -> None:
        """Add a warning, unless it is there already."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def _check_rate(self, rate: int) -> None:
        if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
            raise AudioError(
                f"{self._name} has a sample rate of {rate} Hz; {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz are supported."
            )

    def _check(self, block: Block) -> None:
        self._check_rate(block.rate)
        if not 1 <= len(block.samples) <= MAX_CHANNELS:
            raise AudioError(
                f"{self._name} has {len(block.samples)} channels; 1 to {MAX_CHANNELS} are supported, as "
                "[channels, samples]."
            )
        level = np.abs(block.samples)
        peak = float(level.max(initial=0.0))
        if not np.isfinite(peak):
            raise AudioError(f"{self._name} holds samples that are not numbers (NaN or infinite). Export it again.")
        if peak > LOUDEST:
            raise AudioError(f"{self._name} holds samples up to {peak:.3g}, which is no sound. Export it again.")
        if peak > LOUDEST_FLOAT and are_spikes(n_beyond := int((level > LOUDEST_FLOAT).sum()), level.size):
            raise AudioError(spiked(self._name, n_beyond, peak))


def _cut(opened: OpenFile, start: int, end: int) -> OpenFile:
    opened.file.seek(start)
    return OpenFile(io.BytesIO(opened.file.read(end - start)), opened.name, end - start)


def _joined(blocks: list[Block], rate: int, channels: int) -> np.ndarray:
    """All samples `[channels, samples]` at one rate."""
    alike = itertools.groupby(blocks, key=lambda block: (block.rate, len(block.samples)))
    return np.concatenate([_converted(list(group), rate, channels) for _, group in alike], axis=1)


def _converted(blocks: list[Block], rate: int, channels: int) -> np.ndarray:
    """Blocks of one rate and number of channels as another."""
    samples = np.concatenate([block.samples for block in blocks], axis=1)
    if len(samples) != channels:
        samples = np.tile(samples.mean(axis=0), (channels, 1))
    if blocks[0].rate != rate:
        import soxr

        samples = soxr.resample(samples.T, blocks[0].rate, rate, quality="HQ").T
    return samples
