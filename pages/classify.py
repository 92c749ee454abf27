"""Classify: record, upload, or pick a clip or an example, and see which emotion the networks hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from ser_app.answers import choose_min_confidence, unsure_means, verdict
from ser_app.charts import CHART
from ser_app.clip_view import play, show_sound
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, about_checkpoint, checkpoint_files, checkpoints
from ser_app.messages import literal, sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.sources import Recording, choose_recordings
from ser_app.tuning import show_tuning, tuned, tuned_to
from ser_core.analysis.figures import (
    mel_image_figure,
    probability_figure,
    spectral_figure,
    timeline_figure,
    whisper_figure,
)
from ser_core.audio import SAMPLE_RATE
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import AudioError, NoSpeechError, SERError
from ser_core.file_state import Fingerprint
from ser_core.serving.prediction import UNSURE, WINDOW_SECONDS, Prediction
from ser_core.serving.rows import TIMELINE_COLUMNS, answered, result_row, timeline_rows, to_csv, to_json

if TYPE_CHECKING:
    from ser_core.serving.predictor import Predictor

Results = dict[tuple[str, str], Prediction | SERError]  # by name of the recording and of the checkpoint
# Of a recording's sound, a checkpoint's name and files, `any_sound`, and what it is tuned to.
Key = tuple[str, str, Fingerprint, bool, str]


def settings() -> tuple[float, bool]:
    """Draw the settings: from which probability on to answer, and whether any sound will do for a voice."""
    with st.expander("Settings", icon=":material/tune:"):
        left, right = st.columns(2, vertical_alignment="center")
        min_confidence = choose_min_confidence(left)
        any_sound = right.toggle(
            "Any sound",
            help="Classify sounds in which no voice is recognised, too. Some shouts are not recognised as a voice.",
        )
    return min_confidence, any_sound


def classify(recordings: Sequence[Recording], names: Sequence[str], min_confidence: float, any_sound: bool) -> Results:
    """Every recording by every checkpoint; what this visitor's session has classified before is not done again."""
    known: dict[Key, Prediction | SERError] = st.session_state.get("classified", {})
    classified: dict[Key, Prediction | SERError] = {}
    results: Results = {}
    keys, own = [(recording, name) for recording in recordings for name in names], tuned_to()
    with st.spinner("Classifying…"):
        for recording, name in keys:
            key = (recording.digest, name, checkpoint_files(name), any_sound, own)
            classified[key] = result = known.get(key) or _classify_one(recording, name, any_sound)
            if isinstance(result, Prediction):
                result = replace(result, min_confidence=min_confidence)
            results[recording.name, name] = result
    st.session_state["classified"] = classified
    return results


def _classify_one(recording: Recording, name: str, any_sound: bool) -> Prediction | SERError:
    try:
        return tuned(name).classify(recording.audio, recording.warnings, any_sound=any_sound)
    except SERError as error:
        return error


def downloads(rows: list[dict], stem: str, columns: Sequence[str] | None = None) -> None:
    """Buttons for the rows as CSV and JSON."""
    left, right, _ = st.columns([1, 1, 4])
    text = to_csv(rows, columns) if columns else to_csv(rows)
    left.download_button(
        "CSV", text, f"{stem}.csv", "text/csv", icon=":material/download:", on_click="ignore", key=f"{stem}-csv"
    )
    right.download_button(
        "JSON",
        to_json(rows),
        f"{stem}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
        key=f"{stem}-json",
    )


def show_table(rows: list[dict]) -> None:
    """Many results as a table; what is wrong with a file stands beside its name."""
    table = pd.DataFrame(rows)
    table["note"] = [row["error"] or " ".join(row["warnings"]) for row in rows]
    percentages = ["confidence", *EMOTIONS]
    table[percentages] = 100 * table[percentages].astype(float)
    columns = {
        column: st.column_config.ProgressColumn(column, format="%.0f%%", min_value=0, max_value=100)
        for column in percentages
    }
    order = ["file", "checkpoint", "answer", "emotion", "confidence", "note", *EMOTIONS, "speech_seconds"]
    st.dataframe(table, hide_index=True, column_config=columns, column_order=order, placeholder="–")


def show_one(recording: Recording, names: Sequence[str], results: Results) -> None:
    """Everything about one recording."""
    answers = {name: results[recording.name, name] for name in names}
    predictions = {name: answer for name, answer in answers.items() if isinstance(answer, Prediction)}
    for name, answer in answers.items():
        if isinstance(answer, SERError):
            st.error(f"{literal(recording.name if len(names) == 1 else name)}: {sentence(answer)}")
    if any(isinstance(answer, NoSpeechError) for answer in answers.values()):
        st.caption("Does somebody shout in it? Switch on **Any sound** in the settings.")
    warnings = {warning: None for prediction in predictions.values() for warning in prediction.warnings}
    verdicts, sound = st.columns([2, 3], gap="large")
    with verdicts:
        for name, prediction in predictions.items():
            with st.container(border=True):
                meant = f", meant was {EMOTION_NAMES[recording.meant]}" if recording.meant else ""
                headline, detail = verdict(prediction.probabilities, prediction.min_confidence)
                below = detail if prediction.answer == UNSURE else f"{detail} confident"
                st.metric(f"{literal(name)}{meant}", headline, below, delta_color="off", delta_arrow="off")
        if unsure := [prediction for prediction in predictions.values() if prediction.answer == UNSURE]:
            st.caption(unsure_means(unsure[0].min_confidence))
        for warning in warnings:
            st.warning(warning)
        if predictions:
            bars = {name: prediction.probabilities for name, prediction in predictions.items()}
            height = 220 + 90 * (len(bars) - 1)
            st.plotly_chart(probability_figure(bars, height=height), config=CHART, key="probabilities")
    with sound, st.container(border=True):
        play(recording.audio)
        speech = next((p.speech for p in predictions.values()), None)
        if speech:
            st.caption(f"{len(recording.audio) / SAMPLE_RATE:.2f} s, {speech.seconds:.2f} s of it speech")
            show_sound(speech, "sound")
    for name, prediction in predictions.items():
        model = tuned(name)
        if len(recording.audio) > WINDOW_SECONDS * SAMPLE_RATE:
            show_timeline(recording, model, prediction.min_confidence)
        show_input(model, prediction)


def show_timeline(recording: Recording, model: Predictor, min_confidence: float) -> None:
    """Emotion over overlapping windows of a recording longer than one."""
    st.subheader("Over time")
    st.caption(f"{literal(model.config.name)} on overlapping windows of {WINDOW_SECONDS:g} s; gaps hold no voice")
    rows = answered(timeline_rows(model.timeline(recording.audio)), min_confidence)
    points = [(row["start"], row["end"], row if row["emotion"] else None) for row in rows]
    st.plotly_chart(timeline_figure(points), config=CHART, key=f"timeline-{model.config.name}")
    downloads(rows, f"timeline-{model.config.name}", TIMELINE_COLUMNS)


def show_input(model: Predictor, prediction: Prediction) -> None:
    """What the network got."""
    with st.expander(f"What {literal(model.config.name)} saw", icon=":material/visibility:"):
        inputs = model.inputs(prediction.speech)
        if "mel" in inputs:
            pixels = " × ".join(map(str, inputs["mel"].shape[1:]))
            st.caption(f"Mel image: the speech as {pixels} pixels")
            st.plotly_chart(mel_image_figure(inputs["mel"][0]), config=CHART, key=f"mel-{model.config.name}")
        if "whisper" in inputs:
            st.caption("The log-mel spectrogram of its speech, as Whisper's encoder takes it")
            st.plotly_chart(whisper_figure(inputs["whisper"]), config=CHART, key=f"whisper-{model.config.name}")
        if "spectral" in inputs:
            st.caption("Spectral channels, each on its own scale")
            figure = spectral_figure(inputs["spectral"], model.config.features)
            st.plotly_chart(figure, config=CHART, key=f"spectral-{model.config.name}")


start_page("Classify")
st.title("Classify")
st.markdown(
    "Which emotion do the networks hear? Audio stays in this server's memory while the page is open, and is not kept."
)
recordings, problems = choose_recordings(("record", "upload", "clip", "example"), several=True)
available, unreadable = checkpoints()
if not available:
    st.error(HOW_TO_MAKE_CHECKPOINTS)
    show_unreadable(unreadable, "checkpoint")
    st.stop()
chosen = (
    st.multiselect("Models", available, default=available[:1], help="Choose several to compare them") or available[:1]
)
for name in chosen:
    st.caption(f"**{literal(name)}**: {about_checkpoint(name)}")
try:
    show_tuning(chosen, recordings)
except SERError as error:
    st.error(sentence(error))
min_confidence, any_sound = settings()
if len(recordings) + len(problems) > 1:
    results = classify(recordings, chosen, min_confidence, any_sound)
    rows = [result_row(name, result) for (name, _), result in results.items()]
    rows += [result_row(name, AudioError(problem)) for name, problem in problems.items()]
    show_table(rows)
    downloads(rows, "predictions")
    if recordings:
        shown = st.selectbox("Look at one", range(len(recordings)), format_func=lambda i: recordings[i].name)
        show_one(recordings[shown or 0], chosen, results)
elif problems:
    for name, problem in problems.items():
        st.error(f"{literal(name)}: {sentence(problem)}")
elif recordings:
    results = classify(recordings, chosen, min_confidence, any_sound)
    show_one(recordings[0], chosen, results)
    downloads([result_row(name, result) for (name, _), result in results.items()], "prediction")
show_unreadable(unreadable, "checkpoint")
