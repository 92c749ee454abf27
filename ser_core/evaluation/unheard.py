"""Which clips of a corpus a checkpoint was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ser_core.corpus.recordings import Recording, Recordings
from ser_core.corpus.registry import CREMAD
from ser_core.corpus.splits import Split, load_split
from ser_core.errors import CorpusError, SERError
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.records.evaluations import Heard

ALL = "all clips"


class Part(NamedTuple):
    """Clips of a corpus: which these are, in words, and what the checkpoint heard of the corpus."""

    clips: tuple[Recording, ...]
    said: str
    heard: Heard


def trained_on(config: CheckpointConfig) -> tuple[str, ...]:
    """Names of the corpora that a checkpoint was trained on; none where it doesn't say."""
    return (CREMAD,) if isinstance(config.provenance.get("train"), Mapping) else ()


def unheard(recordings: Recordings, config: CheckpointConfig) -> Part:
    """The clips of a corpus to evaluate a checkpoint on: all of another corpus, the test clips of its own.

    Raises:
        CorpusError: there are none, or it can't be told which they are.
    """
    trained = trained_on(config)
    if not trained:
        return Part(recordings.clips, ALL, "unknown")
    if recordings.name not in trained:
        return Part(recordings.clips, ALL, "nothing")
    split = _split_of(config.provenance, config.name)
    tested = set(split.test)
    clips = tuple(clip for clip in recordings.clips if clip.name in tested)
    if not clips:
        raise CorpusError(
            f"{recordings.folder} holds no clip that {config.name} was not trained on: none of the test clips of its "
            f"split {split.name}."
        )
    return Part(
        clips, f"test clips of split {split.name}", "same speakers" if split.shared_speakers else "other speakers"
    )


def _split_of(provenance: Mapping[str, Any], name: str) -> Split:
    """The split by which a checkpoint was trained on CREMA-D."""
    environment = provenance.get("environment")
    split_id = environment.get("split_id") if isinstance(environment, Mapping) else None
    said = str(provenance["train"].get("split"))
    try:
        split = load_split(said)
    except SERError:
        split = None
    if split is None or split.id != split_id:
        raise CorpusError(
            f"{name} was trained on clips of CREMA-D, and which those are can't be told any more: its split {said!r} "
            "isn't there, or has changed."
        )
    return split
