"""Live: speak, and watch the emotion as you speak."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
import soundfile
import streamlit as st

from ser_app import live_drawing
from ser_app.answers import choose_min_confidence, show_adapted_to, unsure_means, verdict, worth
from ser_app.charts import CHART
from ser_app.clip_view import play
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, about_checkpoint, checkpoints, make_reruns_cheap
from ser_app.messages import literal, sentence, show_unreadable
from ser_app.microphone import connect, show_problem
from ser_app.navigation import LISTENER, start_page
from ser_app.tuning import show_tuning, tuned
from ser_core.analysis.timeline_figure import timeline_figure
from ser_core.audio import SAMPLE_RATE
from ser_core.emotions import EMOTIONS
from ser_core.errors import SERError
from ser_core.serving.listener import SILENCE_DBFS, Heard, Listener
from ser_core.serving.prediction import UNSURE, answer_from
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import TIMELINE_COLUMNS, answered, probabilities_of, timeline_rows, to_csv, to_json
from ser_core.serving.stream import MAX_WINDOW_SECONDS, MIN_WINDOW_SECONDS, StreamConfig

REFRESH_SECONDS = 0.5
TIMELINE_SECONDS = 60.0  # shown while listening; all of it afterwards
PATIENCE_SECONDS = 4.0  # without sound from a standing connection
QUIETEST_DBFS = -70.0  # left end of the level meter


def settings(names: list[str]) -> tuple[str, StreamConfig, float, bool]:
    """Draw the settings: checkpoint, how the signal is followed, when to answer, whether to keep the audio."""
    with st.expander("Settings", icon=":material/tune:"):
        (model, window), (smoothing, bar) = st.columns(2), st.columns(2)
        default = StreamConfig()
        checkpoint = model.selectbox("Model", names, key="model", bind="query-params")
        model.caption(about_checkpoint(checkpoint))
        window_seconds = window.slider(
            "Window",
            MIN_WINDOW_SECONDS,
            MAX_WINDOW_SECONDS,
            default.window_seconds,
            0.5,
            format="%.1f s",
            help="How much of what was said last is classified. The models know recordings of two to three seconds.",
        )
        share = smoothing.slider(
            "Smoothing",
            0.0,
            0.9,
            default.smoothing,
            0.1,
            help="Share of the earlier probabilities in what is shown: 0 is lively, 0.9 slow.",
        )
        min_confidence = choose_min_confidence(bar)
        keep = st.toggle(
            "Keep this session's audio to download and classify again",
            help="In this server's memory only, for an hour at most, and gone when you leave the page.",
        )
    return checkpoint, StreamConfig(window_seconds, smoothing=share), min_confidence, keep


def listener_for(model: Predictor, config: StreamConfig, keep: bool) -> Listener:
    """This visitor's listener, with the settings of now."""
    if LISTENER not in st.session_state:
        st.session_state[LISTENER] = Listener(model, config)
    listener: Listener = st.session_state[LISTENER]
    listener.configure(model, config)
    listener.keep_audio = keep
    return listener


def show_listening(listener: Listener, min_confidence: float) -> None:
    """What is heard right now; drawn again and again while the microphone is on."""
    heard = listener.look()
    show_connection(heard)
    verdict, sound = st.columns([2, 3], gap="large")
    with verdict, st.container(border=True):
        show_verdict(heard, listener.paused, min_confidence)
        show_level(heard)
        shares = heard.newest.smoothed if heard.newest else None
        st.html(live_drawing.bars(shares or dict.fromkeys(EMOTIONS, 0.0)))
    with sound, st.container(border=True):
        st.caption("What the model hears")
        st.html(live_drawing.heard(heard.window))
    st.caption("Emotion over time, smoothed; gaps hold no voice")
    st.html(live_drawing.timeline(points(row for row in heard.rows if row["end"] > heard.seconds - TIMELINE_SECONDS)))


def show_connection(heard: Heard) -> None:
    """What is wrong with the connection, if anything is."""
    if heard.error:
        st.warning(sentence(heard.error))
    if heard.waited > PATIENCE_SECONDS:
        st.warning("The connection stands, but no sound comes through it. This happens once in a while.")
        if st.button("Connect again", icon=":material/refresh:", type="primary"):
            st.session_state["reconnect"] = "stop"
            st.rerun()
    if heard.backlog_seconds > 2:
        st.warning(f"This machine is {heard.backlog_seconds:.0f} s behind: too many listen at once.")


def show_verdict(heard: Heard, paused: bool, min_confidence: float) -> None:
    """The emotion of now, that the model is unsure, or that nobody speaks."""
    shares = heard.newest.smoothed if heard.newest and not paused else None
    headline, detail = "Paused" if paused else "Listening…", "no voice"
    if shares:
        headline, detail = verdict(shares, min_confidence)
    st.metric("Now", headline, detail, delta_color="off", delta_arrow="off")
    last = next((row for row in reversed(heard.rows) if row["emotion"]), None)
    show_adapted_to(last["adapted_to"] if last else 0)
    if shares and answer_from(shares, min_confidence) == UNSURE:
        st.caption(unsure_means(min_confidence))
    elif last:
        headline, detail = verdict(probabilities_of(last), min_confidence)
        st.caption(f"Last heard: {headline.lower()} ({detail}), {heard.seconds - last['end']:.0f} s ago")
    else:
        st.caption("Say something.")


def show_level(heard: Heard) -> None:
    """The level meter."""
    share = (heard.level_dbfs - QUIETEST_DBFS) / -QUIETEST_DBFS
    level = f"{heard.level_dbfs:.0f} dBFS" if heard.level_dbfs > SILENCE_DBFS else "no signal"
    st.progress(min(max(share, 0.0), 1.0), text=f"Level: {level}{', clipped' if heard.peak >= 0.999 else ''}")


def points(rows: Iterable[dict]) -> list[tuple[float, float, dict | None]]:
    """Windows of a timeline, with their shares where somebody speaks."""
    return [(row["start"], row["end"], row if row["emotion"] else None) for row in rows]


def show_timeline(rows: list[dict], key: str, *, live: bool = True) -> None:
    """Emotion over time; gaps are where nobody speaks."""
    st.caption(f"Emotion over time{', smoothed' if live else ''}; gaps hold no voice")
    st.plotly_chart(timeline_figure(points(rows), live=live), config=CHART, key=key)


def show_session(listener: Listener, model: Predictor, min_confidence: float) -> None:
    """After stopping: the whole timeline, downloads, and a second look at all of it."""
    heard = listener.look()
    if not heard.rows:
        st.info("Press **Start listening**, allow the microphone, and speak.", icon=":material/mic:")
        return
    st.subheader(f"This session, {heard.seconds:.0f} s")
    show_adapted_to(max(row["adapted_to"] or 0 for row in heard.rows))
    rows = answered(heard.rows, min_confidence)
    show_timeline(rows, "session-timeline")
    audio = listener.audio()
    with st.container(horizontal=True):
        download("Timeline as CSV", to_csv(rows, TIMELINE_COLUMNS), "live-timeline.csv", "text/csv")
        download("Timeline as JSON", to_json(rows), "live-timeline.json", "application/json")
        if len(audio):
            download("Audio", wav(audio), "live-session.wav", "audio/wav")
    if not len(audio):
        st.caption("The audio was not kept. Switch that on in the settings before you start, to download it.")
        return
    play(audio)
    if st.button("Classify all of it again", icon=":material/replay:"):
        show_second_look(model, audio, min_confidence)


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
        st.caption(warning)
    show_timeline(timeline_rows(model.timeline(audio)), "second-look", live=False)


def download(label: str, data: str | bytes, name: str, mime: str) -> None:
    """A download button that leaves the page alone."""
    st.download_button(label, data, name, mime, icon=":material/download:", on_click="ignore", key=name)


def wav(audio: np.ndarray) -> bytes:
    """Samples at 16 kHz as a wav file."""
    file = io.BytesIO()
    soundfile.write(file, audio, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def wanted_state() -> bool | None:
    """Whether to stop or start the microphone by ourselves: both, one after the other, to connect again."""
    match st.session_state.get("reconnect"):
        case "stop":
            return False
        case "start":
            return True
        case _:
            return None


start_page("Live")
st.title("Live")
st.markdown(
    "Speak, and watch the emotion as you speak. Sound goes to this server, is not kept unless you say so, and never "
    "leaves its memory."
)
available, unreadable = checkpoints()
if not available:
    st.error(HOW_TO_MAKE_CHECKPOINTS)
    show_unreadable(unreadable, "checkpoint")
    st.stop()
problem = show_problem()
checkpoint, config, min_confidence, keep = settings(available)
try:
    show_tuning([checkpoint])
    model = tuned(checkpoint)
    make_reruns_cheap()
    listener = listener_for(model, config, keep)
    context = connect(listener, playing=wanted_state())
except SERError as error:
    st.error(sentence(error))
    st.stop()
playing = context.state.playing
if playing and not st.session_state.get("was-playing"):
    listener.expect()
st.session_state["was-playing"] = playing
if st.session_state.get("reconnect") == ("start" if playing else "stop"):
    # Stopped: now start. Or started: done.
    st.session_state["reconnect"] = None if playing else "start"
    st.rerun()

with st.container(horizontal=True, vertical_alignment="center"):
    if playing:
        listener.pause(st.toggle("Pause", key="pause"))
    if st.button("Clear", icon=":material/delete:", help="Forget the timeline and the audio"):
        listener.clear()
if playing:
    st.fragment(show_listening, run_every=REFRESH_SECONDS)(listener, min_confidence)
else:
    show_session(listener, model, min_confidence)
st.caption(worth(checkpoint))
show_unreadable(unreadable, "checkpoint")
