"""A session of Live after it was stopped: its utterances, its timeline, its sound, and a second look at all of it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ser_app.answers import show_adapted_to, verdict
from ser_app.charts import show_figure
from ser_app.clip_view import play, wav
from ser_app.messages import literal, sentence
from ser_app.utterances_view import show_all
from ser_core.analysis.timeline_figure import points, timeline_figure
from ser_core.errors import SERError
from ser_core.serving.listener import Listener
from ser_core.serving.prediction import UNSURE, answer_from
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import (
    TIMELINE_COLUMNS,
    UTTERANCE_COLUMNS,
    answered,
    timeline_rows,
    to_csv,
    to_json,
    utterance_row,
)


def show_session(listener: Listener, model: Predictor, min_confidence: float) -> None:
    """After stopping: the utterances, the whole timeline, downloads, and a second look at all of it."""
    heard = listener.look()
    if not heard.rows:
        st.info("Press **Start listening**, allow the microphone, and speak.", icon=":material/mic:")
        return
    st.header(f"This session, {heard.seconds:.0f} s")
    show_adapted_to(max(row["adapted_to"] or 0 for row in heard.rows))
    rows = answered(heard.rows, min_confidence)
    spoken = [utterance_row(utterance, min_confidence) for utterance in heard.utterances]
    st.caption("Utterances: what was said between two pauses")
    show_all(listener, spoken)
    show_timeline(rows, "session-timeline", min_confidence)
    if spoken:
        st.caption("The ribbon is moment by moment; the answer to each utterance as a whole stands in the table above.")
    audio = listener.audio()
    with st.container(horizontal=True):
        download("Utterances as CSV", to_csv(spoken, UTTERANCE_COLUMNS), "live-utterances.csv", "text/csv")
        download("Utterances as JSON", to_json(spoken), "live-utterances.json", "application/json")
        download("Timeline as CSV", to_csv(rows, TIMELINE_COLUMNS), "live-timeline.csv", "text/csv")
        download("Timeline as JSON", to_json(rows), "live-timeline.json", "application/json")
        if len(audio):
            download("Audio", wav(audio), "live-session.wav", "audio/wav")
    st.caption(
        "The session stays while you look at other pages of this app, and goes on when you start again. **Clear**, or "
        "closing or reloading this tab, ends it."
    )
    if not len(audio):
        st.caption("The audio was not kept. Switch that on in the settings before you start, to download it.")
        return
    play(audio)
    if st.button("Classify all of it again", icon=":material/replay:"):
        show_second_look(model, audio, min_confidence)


def show_timeline(rows: list[dict], key: str, min_confidence: float, *, live: bool = True) -> None:
    """Emotion over time; gaps are where nobody speaks."""
    smoothed = ", smoothed" if live else ""
    st.caption(f"Emotion over time{smoothed}; gaps hold no voice. The ribbon is the answer, pale where it is unsure.")
    alt = "Model scores over time; the table to download has the same numbers"
    figure = timeline_figure(points(rows), live=live, min_confidence=min_confidence)
    show_figure(figure, key, alt=alt, data=False, at_once=True)


def show_second_look(model: Predictor, audio: np.ndarray, min_confidence: float) -> None:
    """The kept audio as one recording, and in windows."""
    try:
        prediction = model.classify(audio)
    except SERError as error:
        st.error(sentence(error))
        return
    headline, detail = verdict(prediction.probabilities, min_confidence)
    says = "is" if answer_from(prediction.probabilities, min_confidence) == UNSURE else "hears"
    st.markdown(
        f"As one recording, {literal(model.config.name)} {says} **{headline.lower()}** ({detail}) "
        f"in {prediction.speech_seconds:.1f} s of speech."
    )
    show_adapted_to(prediction.adapted_to)
    for warning in prediction.warnings:
        st.caption(sentence(warning))
    show_timeline(timeline_rows(model.timeline(audio)), "second-look", min_confidence, live=False)


def download(label: str, data: str | bytes, name: str, mime: str) -> None:
    """A download button that leaves the page alone."""
    st.download_button(label, data, name, mime, icon=":material/download:", on_click="ignore", key=name)
