"""Classify: record, upload, or pick a clip or an example, and see which emotion the networks hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from ser_app.address import switch
from ser_app.answers import changes_in_words, choose_min_confidence, show_adapted_to, unsure_means, verdict, worth
from ser_app.charts import show_figure, spoken
from ser_app.classifying import Results, classify, classify_uploads, hop_seconds, timeline
from ser_app.clip_view import play, show_sound
from ser_app.code_view import show_code
from ser_app.input_view import show_input
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, checkpoints, was_trained_on
from ser_app.many_view import choose_result, downloads, show_many, show_so_far
from ser_app.messages import literal, sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.player import start_of, tied
from ser_app.similar_view import show_similar
from ser_app.sources import choose_recordings, decoded
from ser_app.titles import choose_models, introduced, title
from ser_app.tuning import show_tuning, tuned, tuned_to
from ser_app.uploads import Recording, Upload
from ser_app.why_view import show_why
from ser_core.analysis.figures import probability_figure
from ser_core.analysis.timeline_figure import points, sure_answers, timeline_figure
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.limit import duration
from ser_core.audio.mono import PART_SECONDS
from ser_core.emotions import EMOTION_NAMES
from ser_core.errors import AudioError, NoVoiceError, SERError
from ser_core.serving.prediction import UNSURE, WINDOW_SECONDS, Prediction
from ser_core.serving.rows import TIMELINE_COLUMNS, result_row

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


class Heard(NamedTuple):
    """What a checkpoint heard in a recording, and a place below its headline."""

    name: str
    prediction: Prediction
    place: DeltaGenerator


def settings() -> tuple[float, bool]:
    """Draw the settings: from which probability on to answer, and whether any sound will do for a voice."""
    with st.expander("Settings", icon=":material/tune:"):
        left, right = st.columns(2, vertical_alignment="center")
        min_confidence = choose_min_confidence(left)
        any_sound = switch(
            "Any sound",
            key="any-sound",
            toggle=right.toggle,
            help="Classify sounds in which no voice is recognised, too. Some shouts are not recognised as a voice.",
        )
    return min_confidence, any_sound


def show_answers(recording: Recording, names: Sequence[str], results: Results) -> list[Heard]:
    """What is heard in one recording, and its sound; what its details are to be about."""
    answers = {name: results[recording.name, name] for name in names if (recording.name, name) in results}
    predictions = {name: answer for name, answer in answers.items() if isinstance(answer, Prediction)}
    for name, answer in answers.items():
        if isinstance(answer, SERError):
            st.error(f"{literal(recording.name if len(names) == 1 else title(name))}: {sentence(answer)}")
    if any(isinstance(answer, NoVoiceError) for answer in answers.values()):
        st.caption("Does somebody shout in it? Switch on **Any sound** in the settings.")
    warnings = {warning: None for prediction in predictions.values() for warning in prediction.warnings}
    heard = []
    verdicts, sound = st.columns([2, 3], gap="large")
    with verdicts:
        for name, prediction in predictions.items():
            with st.container(border=True):
                clip = recording.clip
                intended = f", intended: {EMOTION_NAMES[clip.emotion]}" if clip else ""
                headline, detail = verdict(prediction.probabilities, prediction.min_confidence)
                st.metric(f"{literal(title(name))}{intended}", headline, detail, delta_color="off", delta_arrow="off")
                heard.append(Heard(name, prediction, st.container()))
                show_adapted_to(prediction.adapted_to)
                st.caption(worth(name))
                if clip and was_trained_on(name, clip):
                    st.caption("The model was trained on this clip.")
        if unsure := [prediction for prediction in predictions.values() if prediction.answer == UNSURE]:
            st.caption(unsure_means(unsure[0].min_confidence))
        for warning in warnings:
            st.warning(sentence(warning))
        if predictions:
            bars = {title(name): prediction.probabilities for name, prediction in predictions.items()}
            height = 220 + 90 * (len(bars) - 1)
            show_figure(
                probability_figure(bars, height=height),
                "probabilities",
                alt=f"Model scores of the six emotions, {spoken(bars)}",
                file=f"{recording.name} model scores",
                at_once=True,
            )
    with sound, st.container(border=True):
        play(recording.audio, recording.name, first=True)
        if first := next(iter(predictions.values()), None):
            st.caption(f"{len(recording.audio) / SAMPLE_RATE:.2f} s, {first.speech_seconds:.2f} s of it speech")
            if len(first.speech.audio) < len(recording.audio):
                st.caption(f"Below, the first {duration(PART_SECONDS)} in which somebody speaks.")
            show_sound(first.speech, "sound", recording.name, start_of(first.speech.audio, recording.audio))
    return heard


def show_details(recording: Recording, heard: Sequence[Heard], any_sound: bool) -> None:
    """All that stands below the answers to one recording."""
    long = len(recording.audio) > WINDOW_SECONDS * SAMPLE_RATE
    for name, prediction, place in heard:
        if long:
            with place:
                show_changes(recording, name, prediction.min_confidence, any_sound)
        start = start_of(prediction.speech.audio, recording.audio)
        show_why(tuned(name), prediction, name, named=len(heard) > 1, tuned_to=tuned_to(), start=start)
        show_similar(prediction, recording.name, name, named=len(heard) > 1)
        if long:
            show_timeline(recording, name, prediction.min_confidence, any_sound)
        show_input(tuned(name), prediction)


def show_changes(recording: Recording, name: str, min_confidence: float, any_sound: bool) -> None:
    """Say so where the answer is not the same all through: the headline is one for all of it."""
    rows, _ = timeline(recording, name, min_confidence, any_sound)
    if said := changes_in_words(sure_answers(points(rows), min_confidence)):
        st.markdown(f"{said} See [Over time](#over-time) below.")


def show_timeline(recording: Recording, name: str, min_confidence: float, any_sound: bool) -> None:
    """Emotion over the windows of a recording longer than one."""
    st.header("Over time")
    hop = hop_seconds(len(recording.audio) / SAMPLE_RATE)
    rows, pieces = timeline(recording, name, min_confidence, any_sound)
    of_what = " of speech, whose average is the answer above" if pieces else ""
    windows = f"windows of {WINDOW_SECONDS:g} s{of_what}, one every {hop:g} s"
    st.caption(
        f"{literal(title(name))} on {windows}; gaps hold no voice. The ribbon is the answer, pale where it is unsure."
    )
    figure = tied(timeline_figure(points(rows), min_confidence=min_confidence))
    alt = f"Model scores over time by {title(name)}; the table to download has the same numbers"
    show_figure(figure, f"timeline-{name}", alt=alt, data=False)
    downloads(rows, "Timeline", f"timeline {recording.name} {name}", TIMELINE_COLUMNS)


def show_upload(upload: Upload, names: Sequence[str], min_confidence: float, any_sound: bool) -> None:
    """Everything about one of many files, which is decoded again."""
    try:
        recording = decoded(upload)
    except SERError as error:
        st.error(f"{literal(upload.name)}: {sentence(error)}")
    else:
        results = classify([recording], names, min_confidence, any_sound)
        show_details(recording, show_answers(recording, names, results), any_sound)


def show_worth(names: Sequence[str]) -> None:
    """What the answers in a table are worth."""
    for name in names:
        st.caption(f"**{literal(title(name))}**: {worth(name)}")


def rows_of(results: Results, problems: Mapping[str, str]) -> list[dict[str, Any]]:
    """Results as rows, and behind them what can't be used."""
    rows = [result_row(name, result) for (name, _), result in results.items()]
    return rows + [result_row(name, AudioError(problem)) for name, problem in problems.items()]


start_page("Classify")
st.title("Classify")
st.markdown(
    "Which emotion do the networks hear? Audio stays in this server's memory until you close the app's tab, and is not "
    "kept after that. Answers are kept, without any audio: the same recording isn't computed twice."
)
recordings, uploads, problems, _ = choose_recordings(("record", "upload", "folder", "clip", "example"), several=True)
available, unreadable = checkpoints()
if not available:
    st.error(HOW_TO_MAKE_CHECKPOINTS)
    show_unreadable(unreadable, "checkpoint")
    st.stop()
hint = "Choose several to compare them"
chosen = choose_models(available, default=available[:1], help=hint) or available[:1]
for name in chosen:
    st.caption(introduced(name))
# What is seen first is drawn last: it needs the settings, which stand below it.
answers, choices, details = st.container(), st.container(), st.container()
with choices:
    try:
        show_tuning(chosen, recordings or uploads)
    except SERError as error:
        st.error(sentence(error))
    min_confidence, any_sound = settings()
if uploads:
    with answers:
        results = classify_uploads(
            uploads, chosen, min_confidence, any_sound, lambda so_far: show_so_far(rows_of(so_far, problems))
        )
        looked_at = show_many(rows_of(results, problems))
        show_worth(chosen)
    with details:
        show_code([upload.name for upload in uploads], chosen, min_confidence, any_sound)
        if looked_at in problems:
            st.error(f"{literal(looked_at)}: {sentence(problems[looked_at])}")
        for upload in uploads:
            if upload.name == looked_at:
                st.header(literal(upload.name))
                show_upload(upload, chosen, min_confidence, any_sound)
elif len(recordings) + len(problems) > 1:
    with answers:
        results = classify(recordings, chosen, min_confidence, any_sound)
        rows = rows_of(results, problems)
        looked_at = choose_result(rows, required=True)
        show_worth(chosen)
        downloads(rows, "Predictions", "predictions")
    with details:
        if recordings:
            show_code([recording.name for recording in recordings], chosen, min_confidence, any_sound)
        for recording in recordings:
            if recording.name == looked_at:
                st.header(literal(recording.name))
                show_details(recording, show_answers(recording, chosen, results), any_sound)
elif problems:
    with answers:
        for name, problem in problems.items():
            st.error(f"{literal(name)}: {sentence(problem)}")
elif recordings:
    recording = recordings[0]
    with answers:
        results = classify(recordings, chosen, min_confidence, any_sound)
        heard = show_answers(recording, chosen, results)
    with details:
        show_details(recording, heard, any_sound)
        rows = [result_row(name, result) for (name, _), result in results.items()]
        downloads(rows, "Prediction", f"prediction {recording.name}")
        is_file = bool(PurePath(recording.name).suffix)
        file = recording.name if is_file else f"{recording.name}.wav"
        made_here = None if is_file or recording.clip else recording.audio
        show_code([file], chosen, min_confidence, any_sound, made_here)
show_unreadable(unreadable, "checkpoint")
