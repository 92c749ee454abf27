"""Classify: record, upload, or pick a clip or an example, and see which emotion the networks hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from ser_app.address import switch
from ser_app.answers import choose_min_confidence, show_adapted_to, unsure_means, verdict, worth
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
from ser_core.analysis.timeline_figure import points, timeline_figure
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.limit import duration
from ser_core.audio.mono import PART_SECONDS
from ser_core.emotions import EMOTION_NAMES
from ser_core.errors import AudioError, NoVoiceError, SERError
from ser_core.serving.prediction import UNSURE, WINDOW_SECONDS, Prediction
from ser_core.serving.rows import TIMELINE_COLUMNS, result_row


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


def show_one(recording: Recording, names: Sequence[str], results: Results, any_sound: bool) -> None:
    """Everything about one recording."""
    answers = {name: results[recording.name, name] for name in names if (recording.name, name) in results}
    predictions = {name: answer for name, answer in answers.items() if isinstance(answer, Prediction)}
    for name, answer in answers.items():
        if isinstance(answer, SERError):
            st.error(f"{literal(recording.name if len(names) == 1 else title(name))}: {sentence(answer)}")
    if any(isinstance(answer, NoVoiceError) for answer in answers.values()):
        st.caption("Does somebody shout in it? Switch on **Any sound** in the settings.")
    warnings = {warning: None for prediction in predictions.values() for warning in prediction.warnings}
    verdicts, sound = st.columns([2, 3], gap="large")
    with verdicts:
        for name, prediction in predictions.items():
            with st.container(border=True):
                clip = recording.clip
                intended = f", intended: {EMOTION_NAMES[clip.emotion]}" if clip else ""
                headline, detail = verdict(prediction.probabilities, prediction.min_confidence)
                st.metric(f"{literal(title(name))}{intended}", headline, detail, delta_color="off", delta_arrow="off")
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
    for name, prediction in predictions.items():
        start = start_of(prediction.speech.audio, recording.audio)
        show_why(tuned(name), prediction, name, named=len(predictions) > 1, tuned_to=tuned_to(), start=start)
        show_similar(prediction, recording.name, name, named=len(predictions) > 1)
        if len(recording.audio) > WINDOW_SECONDS * SAMPLE_RATE:
            show_timeline(recording, name, prediction.min_confidence, any_sound)
        show_input(tuned(name), prediction)


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
        show_one(recording, names, classify([recording], names, min_confidence, any_sound), any_sound)


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
    "kept after that. Answers are, without any audio: the same recording isn't computed twice."
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
try:
    show_tuning(chosen, recordings or uploads)
except SERError as error:
    st.error(sentence(error))
min_confidence, any_sound = settings()
if uploads:
    results = classify_uploads(
        uploads, chosen, min_confidence, any_sound, lambda so_far: show_so_far(rows_of(so_far, problems))
    )
    looked_at = show_many(rows_of(results, problems))
    show_code([upload.name for upload in uploads], chosen, min_confidence, any_sound)
    show_worth(chosen)
    if looked_at in problems:
        st.error(f"{literal(looked_at)}: {sentence(problems[looked_at])}")
    for upload in uploads:
        if upload.name == looked_at:
            st.header(literal(upload.name))
            show_upload(upload, chosen, min_confidence, any_sound)
elif len(recordings) + len(problems) > 1:
    results = classify(recordings, chosen, min_confidence, any_sound)
    rows = rows_of(results, problems)
    looked_at = choose_result(rows, required=True)
    show_worth(chosen)
    downloads(rows, "Predictions", "predictions")
    if recordings:
        show_code([recording.name for recording in recordings], chosen, min_confidence, any_sound)
    for recording in recordings:
        if recording.name == looked_at:
            st.header(literal(recording.name))
            show_one(recording, chosen, results, any_sound)
elif problems:
    for name, problem in problems.items():
        st.error(f"{literal(name)}: {sentence(problem)}")
elif recordings:
    results = classify(recordings, chosen, min_confidence, any_sound)
    show_one(recordings[0], chosen, results, any_sound)
    rows = [result_row(name, result) for (name, _), result in results.items()]
    downloads(rows, "Prediction", f"prediction {recordings[0].name}")
    recording = recordings[0]
    is_file = bool(PurePath(recording.name).suffix)
    file = recording.name if is_file else f"{recording.name}.wav"
    made_here = None if is_file or recording.clip else recording.audio
    show_code([file], chosen, min_confidence, any_sound, made_here)
show_unreadable(unreadable, "checkpoint")
