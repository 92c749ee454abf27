"""What the networks say about recordings, each asked once a visitor's session; long work shows how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from ser_app.loaders import checkpoint_files
from ser_app.messages import literal
from ser_app.tuning import tuned, tuned_to
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.limit import duration
from ser_core.audio.mono import PART_SECONDS
from ser_core.audio.preprocess import Speech
from ser_core.errors import SERError
from ser_core.file_state import Fingerprint
from ser_core.serving.prediction import HOP_SECONDS, WINDOW_SECONDS, Prediction
from ser_core.serving.progress import Heard, unheard
from ser_core.serving.rows import answered, timeline_rows

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ser_app.uploads import Recording, Upload

Results = dict[tuple[str, str], Prediction | SERError]  # by name of the recording and of the checkpoint
# Of a recording's sound, a checkpoint's name and files, `any_sound`, and what it is tuned to.
Key = tuple[str, str, Fingerprint, bool, str]

CLASSIFIED = "classified"  # session state: predictions by key, of the recordings on the page
ANSWERED = "answered"  # session state: predictions without their sound by key, of many recordings
TIMELINES = "timelines"  # session state: rows by key, of the recordings on the page
MAX_ANSWERED = 10_000
LONG_SECONDS = 60.0  # from which on a recording's progress is shown
NO_SOUND = Speech(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros((0, 2), np.int64))


def hop_seconds(seconds: float) -> float:
    """From one window of a timeline to the next: a long recording's don't overlap."""
    return HOP_SECONDS if seconds <= PART_SECONDS else WINDOW_SECONDS


def classify(recordings: Sequence[Recording], names: Sequence[str], min_confidence: float, any_sound: bool) -> Results:
    """Every recording by every checkpoint; what this visitor's session has classified before is not done again."""
    known: dict[Key, Prediction | SERError] = st.session_state.get(CLASSIFIED, {})
    classified: dict[Key, Prediction | SERError] = {}
    results: Results = {}
    with st.spinner("Classifying…"):
        for recording in recordings:
            for name in names:
                key = _key(recording.digest, name, any_sound)
                if key not in known:
                    with _long_bar(f"{name} hears {recording.name}", recording) as heard:
                        known[key] = _classify_one(recording, name, any_sound, heard)
                classified[key] = known[key]
                results[recording.name, name] = _answering_from(min_confidence, known[key])
    st.session_state[CLASSIFIED] = classified
    return results


def classify_uploads(
    uploads: Sequence[Upload], names: Sequence[str], min_confidence: float, any_sound: bool
) -> Results:
    """The same of many recordings, one after another: the sound of none stays in memory."""
    known: dict[Key, Prediction | SERError] = st.session_state.setdefault(ANSWERED, {})
    if len(known) > MAX_ANSWERED:
        known.clear()
    keys = {(upload.name, name): _key(upload.digest, name, any_sound) for upload in uploads for name in names}
    missing = [upload for upload in uploads if any(keys[upload.name, name] not in known for name in names)]
    began, bar = time.monotonic(), st.empty()
    for i, upload in enumerate(missing):
        left = f"{len(missing) - i - 1:,} left"
        if i:
            left += f", about {duration(round((time.monotonic() - began) / i * (len(missing) - i)))}"
        text = f"{i + 1:,} of {len(missing):,}: {literal(upload.name)} · {left}"
        show = partial(_show, bar, text, i, len(missing))
        show(0.0)
        for name, result in _classify_upload(upload, names, any_sound, show).items():
            known[keys[upload.name, name]] = result
    bar.empty()
    return {pair: _answering_from(min_confidence, known[key]) for pair, key in keys.items()}


def _classify_upload(
    upload: Upload, names: Sequence[str], any_sound: bool, show: Callable[[float], None]
) -> dict[str, Prediction | SERError]:
    """What checkpoints say about a file, without its sound; `show` takes the share that is done."""
    try:
        recording = upload.load()
    except SERError as error:
        return dict.fromkeys(names, error)
    results: dict[str, Prediction | SERError] = {}
    for name in names:
        heard = _share_heard(recording, lambda share: show((len(results) + share) / len(names)))
        result = _classify_one(recording, name, any_sound, heard)
        results[name] = replace(result, speech=NO_SOUND) if isinstance(result, Prediction) else result
    return results


def timeline(recording: Recording, name: str, min_confidence: float) -> list[dict[str, Any]]:
    """A checkpoint's timeline of a recording as rows, see `ser_core.serving.rows.timeline_rows`."""
    known: dict[Key, list[dict[str, Any]]] = st.session_state.setdefault(TIMELINES, {})
    key = _key(recording.digest, name, False)
    if key not in known:
        for other in [other for other in known if other[0] != recording.digest]:
            del known[other]
        seconds = len(recording.audio) / SAMPLE_RATE
        with _long_bar(f"{name} follows {recording.name}", recording) as heard:
            windows = tuned(name).timeline(recording.audio, hop_seconds=hop_seconds(seconds), heard=heard)
        known[key] = timeline_rows(windows)
    return answered(known[key], min_confidence)


def _key(digest: str, name: str, any_sound: bool) -> Key:
    return digest, name, checkpoint_files(name), any_sound, tuned_to()


def _classify_one(recording: Recording, name: str, any_sound: bool, heard: Heard) -> Prediction | SERError:
    try:
        return tuned(name).classify(recording.audio, recording.warnings, any_sound=any_sound, heard=heard)
    except SERError as error:
        return error


def _answering_from(min_confidence: float, result: Prediction | SERError) -> Prediction | SERError:
    return replace(result, min_confidence=min_confidence) if isinstance(result, Prediction) else result


@contextmanager
def _long_bar(text: str, recording: Recording) -> Iterator[Heard]:
    """A bar that says how much of a long recording was heard; of a short one, nothing is drawn."""
    place = st.empty()
    yield _share_heard(recording, partial(_show, place, literal(text), 0, 1))
    place.empty()


def _share_heard(recording: Recording, show: Callable[[float], None]) -> Heard:
    """What is told how many seconds of a recording were heard, and shows their share if it is long."""
    seconds = len(recording.audio) / SAMPLE_RATE
    return (lambda so_far: show(so_far / seconds)) if seconds > LONG_SECONDS else unheard


def _show(place: DeltaGenerator, text: str, done: int, n: int, share: float) -> None:
    """Draw how much is done: so many of `n`, and a share of the next one."""
    place.progress(min(1.0, (done + share) / n), text)
