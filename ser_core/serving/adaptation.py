"""Adaptation without labels: a speaker's own embeddings are shifted and scaled to those of the training clips.

Each voice, room and microphone moves all embeddings of a recording in one direction, which has nothing to do with
emotions. Given some recordings of a speaker, in whatever emotion, what moves them is known, and taken away:

    embedding → (embedding - own mean) / own deviation * deviation in training + mean in training

A few clips say little about a speaker, and much about what happened to be said in them. So their statistics are shrunk
towards those of training, as if so many clips had been heard before (the relevance factor of MAP adaptation, Reynolds
et al. 2000). `python -m benchmarks adaptation` measures what each number of clips gives.

A long recording is one clip, however many pieces it has: they are alike, often in their emotion, too, and 42 pieces of
three minutes of anger would take all anger away. The same recording again says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ser_core.audio.decode import Recording
from ser_core.audio.mono import mono_parts
from ser_core.audio.preprocess import Speech
from ser_core.audio.source import AudioSource, is_samples
from ser_core.equality import ByContent
from ser_core.errors import AudioError, CheckpointError, NoSpeechError, SERError
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.records.embedding import EMBEDDING_FILE, EmbeddingStatistics
from ser_core.serving.pieces import pieces
from ser_core.serving.prediction import WINDOW_SECONDS

MEAN_RELEVANCE = 5.0  # clips of a speaker that weigh as much as all training for the mean
DEVIATION_RELEVANCE = 20.0  # and for the deviation, of which so few clips know less
SMALLEST_DEVIATION = 1e-3


@dataclass(frozen=True, eq=False)
class Adaptation(ByContent):
    """What brings a speaker's embeddings `[..., width]` to those of training: `embedding * scale + shift`.

    Attributes:
        n_clips: recordings that it was learned from, each of which counts once.
        scale, shift: float32 `[width]`.
        left_out: recordings that could not be used, a sentence each.
    """

    n_clips: int
    scale: np.ndarray
    shift: np.ndarray
    left_out: tuple[str, ...] = ()


def learn(clips: Sequence[np.ndarray], training: EmbeddingStatistics, left_out: tuple[str, ...] = ()) -> Adaptation:
    """Learn it from embeddings of a speaker.

    Args:
        clips: at least one: `[pieces, width]` of each.
        training: what they are brought to.
        left_out: recordings that could not be used, a sentence each.
    """
    n = len(clips)
    own = EmbeddingStatistics.of(np.concatenate(clips))
    mean = (n * own.mean + MEAN_RELEVANCE * training.mean) / (n + MEAN_RELEVANCE)
    # One clip says nothing of a deviation: it takes n - 1 of n clips' squares to know it.
    squares = n * np.square(own.deviation) + DEVIATION_RELEVANCE * np.square(training.deviation)
    variance = squares / (n - 1 + DEVIATION_RELEVANCE)
    scale = training.deviation / np.sqrt(variance).clip(min=SMALLEST_DEVIATION)
    return Adaptation(n, scale.astype(np.float32), (training.mean - mean * scale).astype(np.float32), left_out)


class Embedder(Protocol):
    """What hears recordings, see `ser_core.serving.predictor.Predictor`."""

    config: CheckpointConfig
    statistics: EmbeddingStatistics | None
    max_seconds: float

    def prepare(self, audio: np.ndarray) -> Speech: ...
    def embeddings(self, waveforms: Sequence[np.ndarray]) -> np.ndarray: ...


def learn_from(predictor: Embedder, sources: Iterable[AudioSource], sample_rate: int | None) -> Adaptation:
    """Learn it from recordings, which are read part by part; see `Predictor.adapt`.

    Raises:
        CheckpointError: the checkpoint is older than adaptation.
        AudioError: there is no recording.
        SERError: what is wrong with the first recording, if none can be used.
    """
    training, name = predictor.statistics, predictor.config.name
    if training is None:
        raise CheckpointError(
            f"The checkpoint {name} can't be adapted: it was trained before adaptation was known. Choose another one, "
            "or train it again."
        )
    clips: list[np.ndarray] = []
    errors: list[SERError] = []
    for source in sources:
        try:
            parts = list(_embeddings(predictor, source, sample_rate if is_samples(source) else None))
        except SERError as error:
            errors.append(error)
            continue
        clip = np.concatenate(parts)
        if not any(np.array_equal(clip, other) for other in clips):
            clips.append(clip)
    if not clips:
        raise errors[0] if errors else AudioError("There is no recording to adapt to.")
    if clips[0].shape[1:] != training.mean.shape:
        raise CheckpointError(
            f"The checkpoint {name} can't be adapted: {EMBEDDING_FILE} is not of its network. Train it again."
        )
    return learn(clips, training, tuple(map(str, errors)))


def _embeddings(predictor: Embedder, source: AudioSource, sample_rate: int | None) -> Iterator[np.ndarray]:
    """Those of a recording, `[pieces, width]` a part.

    Raises:
        AudioError: it can't be read.
        NoSpeechError: nobody speaks in it.
    """
    recording = Recording(source, sample_rate=sample_rate, max_seconds=predictor.max_seconds)
    silent, spoken = None, False
    for audio in mono_parts(recording):
        try:
            waveform = predictor.prepare(audio).waveform
        except NoSpeechError as error:
            silent = silent or error
        else:
            spoken = True
            yield predictor.embeddings(pieces(waveform, WINDOW_SECONDS))
    if silent and not spoken:
        raise silent
