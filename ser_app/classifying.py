"""What the networks say about recordings, each asked once a server; long work shows how far it is, and can be stopped.

Answers are remembered by the sound's content, the checkpoint's files and what else changes them, without any sound, and
without what a network made of a visitor's voice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from ser_app.answers import verdict
from ser_app.charts import show_figure
from ser_app.loaders import checkpoint_files
from ser_app.messages import literal
from ser_app.sources import decoded
from ser_app.titles import title
from ser_app.tuning import tuned, tuned_to
from ser_app.turns import turns
from ser_app.work_view import Progress, cancelled, long_work, show_cancelled
from ser_core.analysis.timeline_figure import points, timeline_figure
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.limit import duration
from ser_core.audio.mono import PART_SECONDS
from ser_core.audio.preprocess import NO_SPEECH
from ser_core.errors import NoSpeechError, SERError
from ser_core.file_state import Fingerprint
from ser_core.memory import Memory, give_back
from ser_core.serving.prediction import HOP_SECONDS, WINDOW_SECONDS, Prediction
from ser_core.serving.rows import answered, timeline_rows

if TYPE_CHECKING:
    from ser_app.uploads import Recording, Upload
    from ser_core.serving.following import Following

Results = dict[tuple[str, str], Prediction | SERError]  # by name of the recording and of the checkpoint
# Of a recording's content, a checkpoint's name and files, `any_sound`, and what it is tuned to.
Key = tuple[str, str, Fingerprint, bool, str]

CLASSIFIED = "classified"  # session state: predictions with their speech by key, of the recordings on the page
FOLLOWED = "followed"  # session state: by key, the recording that is worked on, or that was when it was cancelled
MAX_ROWS = 20_000  # of timelines, remembered by the server: 2 kB each; an answer weighs as much as one
LONG_SECONDS = 60.0  # from which on a recording's progress is shown


class Answer(NamedTuple):
    """What a checkpoint says about a recording.

    Attributes:
        result: without its sound.
        rows: of its timeline; empty where it was classified as a whole.
    """

    result: Prediction | SERError
    rows: list[dict[str, Any]]


@st.cache_resource(show_spinner=False)
def remembered() -> Memory[Answer]:
    """All visitors' answers by key: who brings the same sound gets the same answer at once."""
    return Memory(MAX_ROWS, lambda answer: 1 + len(answer.rows))


def hop_seconds(seconds: float) -> float:
    """From one window of a timeline to the next: a long recording's don't overlap."""
    return HOP_SECONDS if seconds <= PART_SECONDS else WINDOW_SECONDS


def classify(recordings: Sequence[Recording], names: Sequence[str], min_confidence: float, any_sound: bool) -> Results:
    """Every recording by every checkpoint, with the speech that was classified.

    Of what was cancelled there is the answer so far, and none where nothing was heard.
    """
    known: dict[Key, Prediction | SERError] = st.session_state.get(CLASSIFIED, {})
    _forget_all_but({recording.digest for recording in recordings})
    asked = [(recording, name, _key(recording.digest, name, any_sound)) for recording in recordings for name in names]
    missing = [(recording, name, key) for recording, name, key in asked if key not in known and _wanted(key)]
    long = any(_seconds(recording) > LONG_SECONDS for recording, *_ in missing)
    asked_now: dict[Key, Answer] = {}
    if long:
        with long_work("long", [key for *_, key in missing]) as progress:
            for i, (recording, name, key) in enumerate(missing):
                asked_now[key] = _ask(
                    recording,
                    name,
                    key,
                    partial(_show_following, progress, min_confidence, recording, name, i, len(missing)),
                )
    elif missing:
        with turns().short(), st.spinner("Classifying…"):
            for recording, name, key in missing:
                asked_now[key] = _ask(recording, name, key)
    classified: dict[Key, Prediction | SERError] = {}
    results: Results = {}
    stopped = []
    for recording, name, key in asked:
        result = known.get(key)
        if result is None and (answer := asked_now.get(key) or remembered().get(key)):
            result = _with_speech(answer.result, recording, name, any_sound)
        if result is not None:
            classified[key] = result
        else:
            stopped.append(key)
            result = _so_far(key, recording)
        if result is not None:
            results[recording.name, name] = _answering_from(min_confidence, result)
    st.session_state[CLASSIFIED] = classified
    if stopped:
        n = len(stopped)
        text = "Cancelled. What follows is about what was heard so far."
        show_cancelled("long", text if n < len(asked) or results else "Cancelled before anything was heard.", stopped)
    return results


def classify_uploads(
    uploads: Sequence[Upload],
    names: Sequence[str],
    min_confidence: float,
    any_sound: bool,
    show: Callable[[Results], None],
) -> Results:
    """The same of many recordings, one after another, without their sound.

    Args:
        show: draws what is known so far.
    """
    keys = {(upload.name, name): _key(upload.digest, name, any_sound) for upload in uploads for name in names}
    known: dict[Key, Answer] = {key: answer for key in keys.values() if (answer := remembered().get(key))}

    def results() -> Results:
        return {pair: _answering_from(min_confidence, known[key].result) for pair, key in keys.items() if key in known}

    def to_do(upload: Upload) -> list[str]:
        pairs = ((name, keys[upload.name, name]) for name in names)
        return [name for name, key in pairs if key not in known and key not in cancelled()]

    n = len(uploads)
    missing = [upload for upload in uploads if to_do(upload)]
    if missing:
        with long_work("many", [key for key in keys.values() if key not in known]) as progress:
            for done, upload in enumerate(missing, n - len(missing)):
                text = f"{done:,} of {n:,} · {literal(upload.name)}"
                progress(done / n, text, lambda: show(results()))
                share = partial(_show_share, progress, done, n, text)
                turns().stand_back()
                for name, answer in _ask_upload(upload, to_do(upload), any_sound, share).items():
                    known[keys[upload.name, name]] = answer
        give_back()
    if stopped := [key for key in keys.values() if key not in known]:
        done = sum(all(keys[upload.name, name] in known for name in names) for upload in uploads)
        show_cancelled("many", f"Cancelled. {done:,} of {n:,} recordings are classified.", stopped)
    return results()


def timeline(
    recording: Recording, name: str, min_confidence: float, any_sound: bool
) -> tuple[list[dict[str, Any]], bool]:
    """A checkpoint's timeline of a recording as rows, see `ser_core.serving.rows.timeline_rows`.

    Where it was classified in pieces, they are the timeline; where as a whole, windows that overlap are classified.

    Returns:
        the rows, and whether they are those pieces.
    """
    key = _key(recording.digest, name, any_sound)
    answer = remembered().get(key)
    if answer is None and (following := _followed().get(key)):
        rows = timeline_rows(following.timeline())
    else:
        rows = answer.rows if answer else []
    if rows:
        return answered(rows, min_confidence), True
    windows = (key, "windows")
    if not (answer := remembered().get(windows)):
        with st.spinner("Following it…"):
            heard = tuned(name).timeline(recording.audio, hop_seconds=hop_seconds(_seconds(recording)))
        answer = Answer(NoSpeechError(""), timeline_rows(heard))
        remembered().put(windows, answer)
    return answered(answer.rows, min_confidence), False


def _key(digest: str, name: str, any_sound: bool) -> Key:
    return digest, name, checkpoint_files(name), any_sound, tuned_to()


def _wanted(key: Key) -> bool:
    return key not in cancelled() and remembered().get(key) is None


def _seconds(recording: Recording) -> float:
    return len(recording.audio) / SAMPLE_RATE


def _followed() -> dict[Key, Following]:
    return st.session_state.setdefault(FOLLOWED, {})


def _forget_all_but(digests: Collection[str]) -> None:
    """Of recordings that were begun: each holds its sound."""
    for key in [key for key in _followed() if key[0] not in digests]:
        del _followed()[key]


def _ask(recording: Recording, name: str, key: Key, show: Callable[[Following], None] | None = None) -> Answer:
    """Classify a recording, from where an earlier run of the page left it, and remember the answer."""
    followed = _followed()
    try:
        if key not in followed:
            followed[key] = tuned(name).follow(recording.audio, recording.warnings, any_sound=key[3])
        following = followed[key]
        if show:
            show(following)
        for _ in following:
            if show:
                show(following)
                turns().stand_back()
        result = replace(following.answer(), speech=NO_SPEECH)
        rows = timeline_rows(following.timeline()) if following.n_pieces > 1 else []
        answer = Answer(result, rows)
    except SERError as error:
        answer = Answer(_alone(error), [])
    followed.pop(key, None)
    remembered().put(key, _to_remember(answer, recording))
    return answer


def _to_remember(answer: Answer, recording: Recording) -> Answer:
    """It without the embedding of what a visitor brought, which tells voices apart: this outlives the session."""
    if not recording.file or not isinstance(answer.result, Prediction):
        return answer
    return answer._replace(result=replace(answer.result, embedding=None))


def _alone(error: SERError) -> SERError:
    """It without what led to it, which holds on to the sound: what is remembered outlives the visitor's session."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _ask_upload(
    upload: Upload, names: Sequence[str], any_sound: bool, show: Callable[[float], None]
) -> Mapping[str, Answer]:
    """What checkpoints say about a file; `show` takes the share that is done."""
    try:
        recording = decoded(upload)
    except SERError as error:
        answer = Answer(_alone(error), [])
        for name in names:
            remembered().put(_key(upload.digest, name, any_sound), answer)
        return dict.fromkeys(names, answer)
    answers: dict[str, Answer] = {}
    long = _seconds(recording) > LONG_SECONDS

    def heard(following: Following) -> None:
        show((len(answers) + following.seconds / _seconds(recording)) / len(names))

    _forget_all_but({upload.digest})
    for name in names:
        answers[name] = _ask(recording, name, _key(upload.digest, name, any_sound), heard if long else None)
    return answers


def _with_speech(
    result: Prediction | SERError, recording: Recording, name: str, any_sound: bool
) -> Prediction | SERError:
    """The same with the speech of the first part of the recording in which somebody speaks."""
    if isinstance(result, SERError):
        return result
    size = PART_SECONDS * SAMPLE_RATE
    for start in range(0, len(recording.audio), size):
        part = recording.audio[start : start + size]
        try:
            model = tuned(name)
            speech = model.prepare(part, recording.warnings, any_sound=any_sound)
        except NoSpeechError:
            continue
        embedding = model.classify_speech(speech).embedding if result.embedding is None else result.embedding
        return replace(result, speech=speech, embedding=embedding)
    return result


def _so_far(key: Key, recording: Recording) -> Prediction | None:
    """What is known of a recording that was cancelled; None if that is nothing."""
    if not (following := _followed().get(key)):
        return None
    try:
        answer = following.answer()
    except NoSpeechError:
        return None
    heard, whole = duration(round(following.seconds)), duration(round(_seconds(recording)))
    return replace(answer, warnings=(f"Cancelled: only {heard} of {whole} were heard.", *answer.warnings))


def _answering_from(min_confidence: float, result: Prediction | SERError) -> Prediction | SERError:
    return replace(result, min_confidence=min_confidence) if isinstance(result, Prediction) else result


def _show_share(progress: Progress, done: int, n: int, text: str, share: float) -> None:
    progress((done + share) / n, text)


def _show_following(
    progress: Progress, min_confidence: float, recording: Recording, name: str, done: int, n: int, following: Following
) -> None:
    """Draw how far a long recording is, with the answer and the timeline so far."""
    share = following.seconds / _seconds(recording)
    heard = f"{duration(round(following.seconds))} of {duration(round(_seconds(recording)))}"
    text = f"{literal(title(name))} hears {literal(recording.name)} · {heard}"

    def draw() -> None:
        try:
            answer = following.answer()
        except NoSpeechError:
            return
        headline, detail = verdict(answer.probabilities, min_confidence)
        st.markdown(f"So far **{headline}**, {detail}")
        rows = timeline_rows(following.timeline())
        growing = [*points(rows), (_seconds(recording), _seconds(recording), None)]  # it grows into its axis
        key = f"so-far-{done}-{following.n_pieces}"
        show_figure(timeline_figure(growing), key, alt="Model scores over time, so far", data=False, at_once=True)

    progress((done + share) / n, text, draw)
