"""A checkpoint on a corpus: what it says of each clip, and how good that is."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ser_core.analysis.calibration import reliability
from ser_core.audio.preprocess import Speech
from ser_core.corpus.recordings import Recording, Recordings, label_checksum
from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError, CorpusError, NoSpeechError, SERError
from ser_core.evaluation.hearing import Hearing, Way, weights_of
from ser_core.evaluation.unheard import trained_on, unheard, validated
from ser_core.records.evaluations import EvaluatedCheckpoint, EvaluatedCorpus, Evaluation, GroupFigures
from ser_core.records.metrics import bootstrap_intervals, evaluate
from ser_core.records.predictions import Predictions
from ser_core.serving.predictor import Predictor
from ser_core.training.provenance import git_commit, versions
from ser_core.workers import cores

AT_ONCE = 32  # clips whose sound is in memory
NO_SPEECH, UNREADABLE = "no speech was found", "the file can't be read"
HEARD = "was trained or validated on"
"""Why a clip is left out, as records call it."""


def evaluate_checkpoint(
    recordings: Recordings, checkpoint: Path, progress: Callable[[int], object] | None = None
) -> tuple[Evaluation, Predictions]:
    """`evaluate_together` of one, on clips that it was not trained on, as they are."""
    return evaluate_together(recordings, [checkpoint], Way(), progress)


def evaluate_together(
    recordings: Recordings,
    checkpoints: Sequence[Path],
    way: Way,
    progress: Callable[[int], object] | None = None,
) -> tuple[Evaluation, Predictions]:
    """Let checkpoints classify the clips of a corpus that they were not trained on, all as one.

    Args:
        recordings: the corpus.
        checkpoints: their folders, of one or several.
        way: how they hear the clips.
        progress: called with 1 after each clip.

    Returns:
        the record, and what was said of each clip that was answered.

    Raises:
        CheckpointError: a checkpoint can't be used.
        ConfigError: they can't hear as one.
        CorpusError: no clip is left, or none is answered.
    """
    hearing = Hearing([Predictor.load(folder.name, root=folder.parent) for folder in checkpoints], way)
    part, *others = (
        validated(recordings, config) if way.validation else unheard(recordings, config) for config in hearing.configs
    )
    if any(other != part for other in others):
        raise ConfigError("These checkpoints were not trained on the same clips: evaluate each by itself.")
    answered: list[Recording] = []
    probabilities: list[np.ndarray] = []
    unanswered: Counter[str] = Counter()
    first_error: SERError | None = None
    for clip, said in zip(part.clips, _answers(hearing, part.clips), strict=True):
        if isinstance(said, SERError):
            unanswered[NO_SPEECH if isinstance(said, NoSpeechError) else UNREADABLE] += 1
            first_error = first_error or said
        else:
            answered.append(clip)
            probabilities.append(said)
        if progress:
            progress(1)
    if not answered:
        raise CorpusError(f"{way.name(checkpoints)} answers no clip of {recordings.title}. Of the first: {first_error}")
    predictions = Predictions(
        tuple(clip.name for clip in answered),
        np.array([EMOTIONS.index(clip.emotion) for clip in answered]),
        np.array(probabilities, dtype=np.float32),
        tuple(clip.speaker or "" for clip in answered),
    )
    trained = 0 if way.validation else len(recordings.clips) - len(part.clips)
    left_out = {reason: len(names) for reason, names in recordings.left_out.items()}
    names = {clip.speaker for clip in part.clips}
    corpus = EvaluatedCorpus(
        way.corpus_name(recordings.name),
        way.corpus_title(recordings.title),
        part.said,
        len(part.clips),
        None if None in names else len(names),
        label_checksum(part.clips),
        left_out | ({HEARD: trained} if trained else {}),
        recordings.contents,
        way.change,
        way.validation,
    )
    described = EvaluatedCheckpoint(
        way.name(checkpoints),
        weights_of(checkpoints),
        trained_on(hearing.configs[0]),
        part.heard,
        hearing.members,
        way.speeds,
    )
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
        versions(),
        git_commit(),
    )
    return evaluation, predictions


def _answers(hearing: Hearing, clips: Sequence[Recording]) -> Iterator[np.ndarray | SERError]:
    """Probabilities of each clip, in order, errors in place of some, see `Hearing`."""

    def prepare(clip: Recording) -> Speech | SERError:
        try:
            return hearing.prepare(clip)
        except SERError as error:
            return error

    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(clips), AT_ONCE):
            for speech in pool.map(prepare, clips[start : start + AT_ONCE]):
                yield hearing.probabilities(speech) if isinstance(speech, Speech) else speech


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
