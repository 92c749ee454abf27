"""Which clips of a corpus a checkpoint was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ser_core.corpus.clips import load_index
from ser_core.corpus.identity import CONTENTS, DIGITS, content_of, cremad_names
from ser_core.corpus.recordings import CorpusPart, Recording, Recordings
from ser_core.corpus.registry import CREMAD
from ser_core.corpus.splits import Split, load_split
from ser_core.errors import CorpusError, SERError
from ser_core.records.checkpoints import CheckpointConfig
from ser_core.records.evaluations import Heard
from ser_core.records.reading import read_value
from ser_core.words import counted

ALL, VALIDATION = "all clips", "validation clips"


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
    """The clips of a corpus to evaluate a checkpoint on: of its own the test clips, of another one all.

    Copies of clips that it was trained or validated on are no such clips, whatever they and their corpus are called.

    Raises:
        CorpusError: there are none, or it can't be told which they are.
    """
    trained = trained_on(config)
    if recordings.name in trained:
        part = _tested(recordings, config)
    else:
        part = Part(recordings.clips, ALL, "nothing" if trained else "unknown")
    if trained:
        part = _without_copies(recordings, part, config)
    if not part.clips:
        raise CorpusError(
            f"{recordings.folder} holds no clip to test {config.name} with: it was trained on clips of this corpus, "
            f"and nothing is left of {part.said}."
        )
    return part


def validated(recordings: Recordings, config: CheckpointConfig) -> Part:
    """The clips of CREMA-D that a checkpoint's epoch was picked by, to compare networks without a look at the test set.

    Raises:
        CorpusError: it is another corpus, there are none, or it can't be told which they are.
    """
    require_validated(recordings)
    if trained_on(config) != (CREMAD,):
        raise CorpusError(
            f"{config.name} was not trained on CREMA-D alone, or doesn't say so: it has no validation clips. Choose "
            "another checkpoint, or leave --validation out."
        )
    split = _split_of(config)
    names = frozenset(split.val)
    clips = tuple(clip for clip in recordings.clips if clip.name in names)
    if not clips:
        raise CorpusError(f"{recordings.folder} holds none of the validation clips of {config.name}.")
    trained = split.speakers(split.train)
    shared = trained & split.speakers(split.val)
    return Part(clips, f"{VALIDATION} of split {split.name}", "same speakers" if shared else "other speakers")


def require_validated(recordings: Recordings) -> None:
    """Nothing, if a corpus is the one that has validation clips.

    Raises:
        CorpusError: it is another one.
    """
    if recordings.name != CREMAD:
        raise CorpusError(
            f"Validation clips are those of CREMA-D, and {recordings.folder} is {recordings.title}. Leave --validation "
            "out, or give CREMA-D."
        )


def _tested(recordings: Recordings, config: CheckpointConfig) -> Part:
    """Of a corpus that it was trained on, what its split tests on."""
    own = next((part for part in _corpora(config) if part.name == recordings.name), None)
    if own and recordings.name != CREMAD:
        tested = set(own.speakers.get("test", ()))
        return Part(
            tuple(clip for clip in recordings.clips if clip.speaker in tested),
            f"clips of the {len(tested)} speakers who are tested on",
            "other speakers",
        )
    split = _split_of(config)
    tested = set(split.test)
    return Part(
        tuple(clip for clip in recordings.clips if clip.name in tested),
        f"test clips of split {split.name}",
        "same speakers" if split.shared_speakers else "other speakers",
    )


def _without_copies(recordings: Recordings, part: Part, config: CheckpointConfig) -> Part:
    """Only clips whose recordings the checkpoint was neither trained nor validated on.

    Of a corpus of another name, files say what was heard. Where it has clips of CREMA-D, or of speakers who were heard
    in copies, the others may be heard in training; what older checkpoints heard of other corpora isn't known.
    """
    beside = CREMAD in trained_on(config) and recordings.name != CREMAD
    official, shared = _heard_of_cremad(config) if beside else (frozenset(), False)
    contents = frozenset(str(config.provenance.get(CONTENTS, "")).split())
    kept: list[Recording] = []
    copies: list[Recording] = []
    is_cremad = False
    for clip in part.clips:
        try:
            names = cremad_names(clip.path) if beside else frozenset()
            known = bool(contents) and content_of(clip.path)[:DIGITS] in contents
        except CorpusError:
            names, known = frozenset(), False  # it will have no answer
        is_cremad = is_cremad or bool(names)
        if known:
            copies.append(clip)
        elif not names & official:
            kept.append(clip)
    said, heard = part.said, part.heard
    if len(kept) < len(part.clips):
        n = len(part.clips) - len(kept)
        said += f" but {n:,} of {counted(len(part.clips), 'clip')} that it was trained or validated on"
    if heard == "nothing":
        trained_with, left = ({clip.speaker for clip in clips} for clips in (copies, kept))
        apart = None not in trained_with | left and not trained_with & left
        if (is_cremad and shared) or (copies and not apart):
            heard = "same speakers"
        elif is_cremad or copies:
            heard = "other speakers"
        elif CONTENTS not in config.provenance and any(one.name != CREMAD for one in _corpora(config)):
            heard = "unknown"
    return Part(tuple(kept), said, heard)


def _heard_of_cremad(config: CheckpointConfig) -> tuple[frozenset[str], bool]:
    """Names of its clips that were trained or validated on, and whether speakers of others were, too.

    Where the split can't be told any more, it may have been any clip.
    """
    try:
        split = _split_of(config)
    except CorpusError:
        return frozenset(load_index()), True
    return frozenset((*split.train, *split.val)), bool(split.shared_speakers)


def tested_clips(config: CheckpointConfig) -> tuple[str, ...]:
    """Names of the clips of CREMA-D that a checkpoint is tested on.

    Raises:
        CorpusError: it was not trained on CREMA-D by itself, or its split can't be told any more.
    """
    if trained_on(config) != (CREMAD,):
        raise CorpusError(f"{config.name} was not trained on CREMA-D by itself: which its test clips are isn't known.")
    return _split_of(config).test


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
    train = config.provenance.get("train")
    said = str(train.get("split")) if isinstance(train, Mapping) else ""
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
