"""Adaptation without labels: a speaker's own embeddings are shifted and scaled to those of the training clips.

Each voice, room and microphone moves all embeddings of a recording in one direction, which has nothing to do with
emotions. Given some recordings of a speaker, in whatever emotion, what moves them is known, and taken away:

    embedding → (embedding - own mean) / own deviation * deviation in training + mean in training

Recordings in one emotion would be taken for a voice that sounds like it, and it would be taken away. Where it is known
which one it is, as of somebody who reads a sentence in a neutral voice, only the mean is moved, and to where training
clips of that emotion lie:

    embedding → embedding - own mean + mean of the emotion in training

A few clips say little about a speaker, and much about what happened to be said in them. So their statistics are shrunk
towards those of training, as if so many clips had been heard before (the relevance factor of MAP adaptation, Reynolds
et al. 2000). `python -m benchmarks adaptation` measures what each number of clips gives.

A long recording is one clip, however many pieces it has: they are alike, often in their emotion, too, and 42 pieces of
three minutes of anger would take all anger away. The same recording again says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ser_core.audio.decode import Recording
from ser_core.audio.mono import mono_parts
from ser_core.audio.preprocess import Speech
from ser_core.audio.source import AudioSource, is_samples
from ser_core.corpus.labels import emotion_of
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import AudioError, CheckpointError, ConfigError, NoSpeechError, SERError
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.records.embedding import EMBEDDING_FILE, EmbeddingStatistics
from ser_core.serving.pieces import pieces
from ser_core.serving.prediction import WINDOW_SECONDS
from ser_core.sound_files import with_folder
from ser_core.words import first_few

MEAN_RELEVANCE = 5.0  # clips of a speaker that weigh as much as all training for the mean, of which there are many
FIRST_RELEVANCE = 10.0  # more of them for a single clip, half as many more for two, and so on
EMOTION_RELEVANCE = 5.0  # the same where their emotion is known, which then is no part of it
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


def learn(
    clips: Sequence[np.ndarray],
    training: EmbeddingStatistics,
    left_out: tuple[str, ...] = (),
    emotion: str | None = None,
) -> Adaptation:
    """Learn it from embeddings of a speaker.

    Args:
        clips: at least one: `[pieces, width]` of each.
        training: what they are brought to.
        left_out: recordings that could not be used, a sentence each.
        emotion: that all of them are in, one of `EMOTIONS`; None if they are in several, or if it isn't known. With
            one, `training` has its mean.
    """
    n = len(clips)
    own = EmbeddingStatistics.of(np.concatenate(clips))
    if emotion is not None:
        assert training.emotion_means is not None
        shift = n / (n + EMOTION_RELEVANCE) * (training.emotion_means[EMOTIONS.index(emotion)] - own.mean)
        return Adaptation(n, np.ones_like(shift), shift, left_out)
    relevance = mean_relevance(n)
    mean = (n * own.mean + relevance * training.mean) / (n + relevance)
    # One clip says nothing of a deviation: it takes n - 1 of n clips' squares to know it.
    squares = n * np.square(own.deviation) + DEVIATION_RELEVANCE * np.square(training.deviation)
    variance = squares / (n - 1 + DEVIATION_RELEVANCE)
    scale = training.deviation / np.sqrt(variance).clip(min=SMALLEST_DEVIATION)
    return Adaptation(n, scale.astype(np.float32), (training.mean - mean * scale).astype(np.float32), left_out)


def mean_relevance(n_clips: int) -> float:
    """How many clips of a speaker training weighs for the mean, if so many are heard in whatever emotion, > 0.

    The emotions of clips average out, but one clip has one: it would be taken for the voice.
    """
    return MEAN_RELEVANCE + FIRST_RELEVANCE / n_clips


class Embedder(Protocol):
    """What hears recordings, see `ser_core.serving.predictor.Predictor`."""

    config: CheckpointConfig
    statistics: EmbeddingStatistics | None
    max_seconds: float

    def prepare(self, audio: np.ndarray) -> Speech: ...
    def embeddings(self, waveforms: Sequence[np.ndarray]) -> np.ndarray: ...


def emotion_named(word: str) -> str:
    """One of `EMOTIONS`, by its name or another word for it, in any case.

    Raises:
        ConfigError: it is none of the six.
    """
    emotion = emotion_of(word, {}) if isinstance(word, str) else None
    if emotion is None:
        raise ConfigError(f"An emotion is one of {', '.join(EMOTION_NAMES.values())}, not {word!r}.")
    return emotion


def learn_from(
    predictor: Embedder, sources: Iterable[AudioSource], sample_rate: int | None, word: str | None = None
) -> Adaptation:
    """Learn it from recordings, which are read part by part; see `Predictor.adapt`.

    Args:
        word: for the emotion that they are in.

    Raises:
        CheckpointError: the checkpoint is older than adaptation, or than that to an emotion.
        ConfigError: the word is for none of the six emotions.
        AudioError: there is no recording.
        SERError: no recording can be used, and what is wrong with the first few.
    """
    emotion = None if word is None else emotion_named(word)
    training, name = predictor.statistics, predictor.config.name
    if training is None or (emotion and training.emotion_means is None):
        what = "adapted to recordings in one emotion" if training else "adapted"
        raise CheckpointError(
            f"The checkpoint {name} can't be {what}: it was trained before that was known. Choose another one, or "
            "train it again."
        )
    clips: list[np.ndarray] = []
    errors: list[SERError] = []
    for source in sources:
        try:
            parts = list(_embeddings(predictor, source, sample_rate if is_samples(source) else None))
        except SERError as error:
            if isinstance(source, (str, Path)):
                error = type(error)(with_folder(Path(source), str(error)))
            errors.append(error)
            continue
        clip = np.concatenate(parts)
        if not any(np.array_equal(clip, other) for other in clips):
            clips.append(clip)
    if not clips:
        if not errors:
            raise AudioError("There is no recording to adapt to.")
        raise type(errors[0])(first_few(list(map(str, errors))))
    if clips[0].shape[1:] != training.mean.shape:
        raise CheckpointError(
            f"The checkpoint {name} can't be adapted: {EMBEDDING_FILE} is not of its network. Train it again."
        )
    return learn(clips, training, tuple(map(str, errors)), emotion)


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
