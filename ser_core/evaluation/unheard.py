"""Which clips of a corpus a checkpoint was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ser_core.corpus.recordings import CorpusPart, Recording, Recordings
from ser_core.corpus.registry import CREMAD
from ser_core.corpus.splits import Split, load_split
from ser_core.errors import CorpusError, SERError
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.records.evaluations import Heard
from ser_core.records.schema import read_value

ALL = "all clips"


class Part(NamedTuple):
    """Clips of a corpus: which these are, in words, and what the checkpoint heard of the corpus."""

    clips: tuple[Recording, ...]
    said: str
    heard: Heard


def trained_on(config: CheckpointConfig) -> tuple[str, ...]:
    """Names of the corpora that a checkpoint was trained on; none where it doesn't say."""
    if not isinstance(config.provenance.get("train"), Mapping):
        return ()
    return tuple(part.name for part in _corpora(config)) or (CREMAD,)


def unheard(recordings: Recordings, config: CheckpointConfig) -> Part:
    """The clips of a corpus to evaluate a checkpoint on: all of another corpus, the test clips of its own.

    Raises:
        CorpusError: there are none, or it can't be told which they are.
    """
    trained = trained_on(config)
    if recordings.name not in trained:
        return Part(recordings.clips, ALL, "nothing" if trained else "unknown")
    own = next((part for part in _corpora(config) if part.name == recordings.name), None)
    if own and recordings.name != CREMAD:
        tested = set(own.speakers.get("test", ()))
        part = Part(
            tuple(clip for clip in recordings.clips if clip.speaker in tested),
            f"clips of the {len(tested)} speakers who are tested on",
            "other speakers",
        )
    else:
        split = _split_of(config)
        tested = set(split.test)
        part = Part(
            tuple(clip for clip in recordings.clips if clip.name in tested),
            f"test clips of split {split.name}",
            "same speakers" if split.shared_speakers else "other speakers",
        )
    if not part.clips:
        raise CorpusError(
            f"{recordings.folder} holds no clip to test {config.name} with: it was trained on this corpus, and none "
            f"of these are {part.said}."
        )
    return part


def was_trained_on(config: CheckpointConfig, clip: str) -> bool | None:
    """Whether a checkpoint was trained on a clip of CREMA-D, by the clip's name; None where that can't be told."""
    try:
        trained = trained_on(config)
        if not trained:
            return None
        if CREMAD not in trained:
            return False
        return clip in _split_of(config).train
    except CorpusError:
        return None


def _environment(config: CheckpointConfig) -> Mapping[str, Any]:
    environment = config.provenance.get("environment")
    return environment if isinstance(environment, Mapping) else {}


def _corpora(config: CheckpointConfig) -> tuple[CorpusPart, ...]:
    """The corpora that a checkpoint says it was trained on; none where that was CREMA-D by itself."""
    try:
        return read_value(tuple[CorpusPart, ...], _environment(config).get("corpora", []), "corpora")
    except ValueError as error:
        raise CorpusError(f"{config.name} doesn't say what it was trained on: {error}.") from None


def _split_of(config: CheckpointConfig) -> Split:
    """The split by which a checkpoint was trained on CREMA-D, by itself or beside other corpora."""
    own = next((part for part in _corpora(config) if part.name == CREMAD), None)
    split_id = own.split_id if own else _environment(config).get("split_id")
    said = str(config.provenance["train"].get("split"))
    try:
        split = load_split(said)
    except SERError:
        split = None
    if split is None or split.id != split_id:
        raise CorpusError(
            f"{config.name} was trained on clips of CREMA-D, and which those are can't be told any more: its split "
            f"{said!r} isn't there, or has changed."
        )
    return split
