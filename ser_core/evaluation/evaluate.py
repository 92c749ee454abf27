"""A checkpoint on a corpus: what it says of each clip, and how good that is."""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ser_core.analysis.calibration import reliability
from ser_core.audio.preprocess import Speech, preprocess, read_audio
from ser_core.corpus.recordings import Recording, Recordings, label_checksum
from ser_core.emotions import EMOTIONS
from ser_core.errors import CorpusError, NoSpeechError, SERError
from ser_core.evaluation.unheard import trained_on, unheard
from ser_core.records.evaluations import EvaluatedCheckpoint, EvaluatedCorpus, Evaluation, GroupFigures
from ser_core.records.metrics import bootstrap_intervals, evaluate
from ser_core.records.predictions import Predictions
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor
from ser_core.training.experiment import LIBRARIES, git_commit

AT_ONCE = 32  # clips whose sound is in memory
NO_SPEECH, UNREADABLE = "no speech was found", "the file can't be read"
HEARD = "was trained or validated on"
"""Why a clip is left out, as records call it."""


def evaluate_checkpoint(
    recordings: Recordings, checkpoint: Path, progress: Callable[[int], object] | None = None
) -> tuple[Evaluation, Predictions]:
    """Let a checkpoint classify the clips of a corpus that it was not trained on.

    Args:
        recordings: the corpus.
        checkpoint: its folder.
        progress: called with 1 after each clip.

    Returns:
        the record, and what the checkpoint said of each clip that it answered.

    Raises:
        CheckpointError: the checkpoint can't be used.
        CorpusError: no clip is left, or none is answered.
    """
    predictor = Predictor.load(checkpoint.name, root=checkpoint.parent)
    part = unheard(recordings, predictor.config)
    answered: list[Recording] = []
    probabilities: list[list[float]] = []
    unanswered: Counter[str] = Counter()
    first_error: SERError | None = None
    for clip, said in zip(part.clips, _answers(predictor, part.clips), strict=True):
        if isinstance(said, SERError):
            unanswered[NO_SPEECH if isinstance(said, NoSpeechError) else UNREADABLE] += 1
            first_error = first_error or said
        else:
            answered.append(clip)
            probabilities.append([said.probabilities[emotion] for emotion in EMOTIONS])
        if progress:
            progress(1)
    if not answered:
        raise CorpusError(f"{predictor.config.name} answers no clip of {recordings.title}. Of the first: {first_error}")
    predictions = Predictions(
        tuple(clip.name for clip in answered),
        np.array([EMOTIONS.index(clip.emotion) for clip in answered]),
        np.array(probabilities, dtype=np.float32),
        tuple(clip.speaker or "" for clip in answered),
    )
    trained = len(recordings.clips) - len(part.clips)
    left_out = {reason: len(names) for reason, names in recordings.left_out.items()}
    names = {clip.speaker for clip in part.clips}
    corpus = EvaluatedCorpus(
        recordings.name,
        recordings.title,
        part.said,
        len(part.clips),
        None if None in names else len(names),
        label_checksum(part.clips),
        left_out | ({HEARD: trained} if trained else {}),
        recordings.contents,
    )
    weights = hashlib.sha256((checkpoint / "model.safetensors").read_bytes()).hexdigest()
    described = EvaluatedCheckpoint(checkpoint.name, weights, trained_on(predictor.config), part.heard)
    speakers = None if None in names else predictions.speakers
    evaluation = Evaluation(
        corpus,
        described,
        evaluate(predictions.targets.tolist(), predictions.predicted.tolist(), speakers=speakers),
        reliability(predictions).expected_calibration_error,
        _figures(predictions, {} if None in names else _members(answered, lambda clip: clip.speaker)),
        _figures(predictions, _members(answered, lambda clip: clip.sex)),
        dict(unanswered),
        platform.python_version(),
        {library: version(library) for library in LIBRARIES},
        git_commit(),
    )
    return evaluation, predictions


def _answers(predictor: Predictor, clips: Sequence[Recording]) -> Iterator[Prediction | SERError]:
    """What it says of each clip, in order, errors in place of predictions.

    As in training, somebody is taken to speak in every clip, also where no voice is recognised, as in some shouts: to
    leave those out would leave out what is hard to hear.
    """

    def prepare(clip: Recording) -> Speech | SERError:
        try:
            audio, warnings = read_audio(clip.path)
            return preprocess(audio, predictor.config.audio, warnings).require()
        except SERError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(clips), AT_ONCE):
            for speech in pool.map(prepare, clips[start : start + AT_ONCE]):
                yield predictor.classify_speech(speech) if isinstance(speech, Speech) else speech


def _members(clips: list[Recording], group_of: Callable[[Recording], str | None]) -> dict[str, np.ndarray]:
    """Indices of the clips in each group, groups in order; clips without one are left out."""
    groups = [group_of(clip) for clip in clips]
    return {
        name: np.flatnonzero([group == name for group in groups])
        for name in sorted({group for group in groups if group is not None})
    }


def _figures(predictions: Predictions, groups: Mapping[str, np.ndarray]) -> dict[str, GroupFigures]:
    """Figures of groups of clips; intervals are over speakers and clips, those of one speaker over clips."""
    found = {}
    for name, members in groups.items():
        targets, said = predictions.targets[members], predictions.predicted[members]
        speakers = predictions.speakers[members]
        alone = len(set(speakers)) == 1
        low, high = bootstrap_intervals(targets, said, None if alone else speakers)["uar"]
        right = targets == said
        recalls = [right[targets == emotion].mean() for emotion in np.unique(targets)]
        found[name] = GroupFigures(len(members), float(right.mean()), float(np.mean(recalls)), low, high)
    return found
