"""Live: speak, and watch the emotion as you speak."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from ser_app import live_drawing
from ser_app.answers import choose_min_confidence, show_adapted_to, unsure_means, worth, worth_briefly
from ser_app.live_session import show_session
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, checkpoints
from ser_app.messages import sentence, show_unreadable
from ser_app.microphone import connect, show_problem
from ser_app.navigation import LISTENER, LISTENING_WANTED, start_page
from ser_app.page_scripts import announce, ask_before_leaving
from ser_app.room import ASK_SECONDS, ask_to_listen, show_line, stop_listening
from ser_app.titles import about_checkpoint, choose_model, titles
from ser_app.tuning import show_tuning, tuned
from ser_app.utterances_view import announcement, said, show_newest, span
from ser_core.analysis.timeline_figure import points
from ser_core.emotions import EMOTIONS
from ser_core.errors import SERError
from ser_core.serving.listener import SILENCE_DBFS, Heard, Listener
from ser_core.serving.prediction import UNSURE
from ser_core.serving.predictor import Predictor
from ser_core.serving.stream import MAX_WINDOW_SECONDS, MIN_WINDOW_SECONDS, StreamConfig

if TYPE_CHECKING:
    from streamlit_webrtc.component import WebRtcStreamerState

REFRESH_SECONDS = 0.5
TIMELINE_SECONDS = 60.0  # shown while listening; all of it afterwards
CONNECT_SECONDS = 30.0  # that somebody may take to allow the microphone
PATIENCE_SECONDS = 4.0  # without sound from a standing connection
QUIETEST_DBFS = -70.0  # left end of the level meter
QUIET_DBFS = -40.0  # what is louder isn't called quiet
# Keys of the session state: whether the microphone played at the last run, whether a connection that is wanted was
# begun, whether it failed, since when it is wanted, and whether it is made again.
PLAYED, TRIED, FAILED, SINCE = "live-played", "live-tried", "live-failed", "live-since"
RECONNECT = "live-reconnect"


def settings(names: list[str]) -> tuple[str, StreamConfig, float, bool]:
    """Draw the settings: checkpoint, how the signal is followed, when to answer, whether to keep the audio."""
    before: Listener | None = st.session_state.get(LISTENER)
    unknown = not set(st.query_params.get_all("model")) <= {"", *names, *titles().values()}
    with st.expander("Settings", unknown, icon=":material/tune:"):
        (model, window), (smoothing, bar) = st.columns(2), st.columns(2)
        default = StreamConfig()
        checkpoint = choose_model(model.selectbox, names)
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
            help="Share of the earlier model scores in the lines over time: 0 is lively, 0.9 slow. The label of what "
            "you say doesn't depend on it.",
        )
        min_confidence = choose_min_confidence(bar)
        st.session_state.setdefault("keep", before is not None and before.keep_audio)
        keep = st.toggle(
            "Keep this session's audio to download and classify again",
            key="keep",
            help="In this server's memory only, for an hour at most, and gone when you clear it or close the tab.",
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


def show_controls(listener: Listener, playing: bool) -> None:
    """Start or stop, pause, clear."""
    if st.session_state.get(LISTENING_WANTED):
        st.button("Stop listening", icon=":material/stop:", type="primary", on_click=want, args=(False,))
    else:
        st.button("Start listening", icon=":material/mic:", type="primary", on_click=want, args=(True,))
    if playing:
        listener.pause(st.toggle("Pause", key="pause"))
    if st.button("Clear", icon=":material/delete:", help="Forget the utterances, the timeline and the audio"):
        listener.clear()


def want(listening: bool) -> None:
    """Have the microphone started or stopped."""
    st.session_state[LISTENING_WANTED], st.session_state[RECONNECT] = listening, False
    st.session_state[TRIED] = st.session_state[FAILED] = False
    st.session_state[SINCE] = time.monotonic()
    if not listening:
        stop_listening()


def give_up() -> None:
    """Don't try any longer: streamlit-webrtc would, without a word where the browser refuses."""
    want(False)
    st.session_state[FAILED] = True
    st.rerun()


def follow(listener: Listener, state: WebRtcStreamerState, problem: str | None) -> None:
    """Take note of a connection that began, ended by itself or couldn't be made."""
    if state.playing and not st.session_state.get(PLAYED):
        listener.expect()
    st.session_state[PLAYED] = state.playing
    if st.session_state.get(RECONNECT):
        if not state.playing and not state.signalling:
            st.session_state[RECONNECT] = st.session_state[TRIED] = False  # stopped: now start
            st.session_state[SINCE] = time.monotonic()
            st.rerun()
    elif state.playing or state.signalling:
        st.session_state[TRIED] = True
    elif st.session_state.get(LISTENING_WANTED) and (problem or st.session_state.get(TRIED)):
        give_up()


def show_connecting() -> None:
    """What to do until the connection stands; drawn again and again until then."""
    ask_to_listen(again=True)
    st.caption("Connecting… Allow the microphone if the browser asks for it.")
    if time.monotonic() - st.session_state[SINCE] > CONNECT_SECONDS:
        give_up()


def show_waiting() -> None:
    """What to do until there is room for one more who listens; drawn again and again until then."""
    if number := ask_to_listen(again=False):
        show_line(number, "listen live")
        st.caption("The microphone starts by itself as soon as somebody stops. Until then it is off.")
    else:
        st.session_state[SINCE] = time.monotonic()
        st.rerun()


def show_listening(listener: Listener, min_confidence: float, is_worth: str) -> None:
    """What is heard right now, and what it `is_worth`; drawn again and again while the microphone is on."""
    ask_to_listen(again=True)
    heard = listener.look()
    with st.container():  # what follows doesn't move
        show_connection(heard)
    answer, lines = st.columns([2, 3])
    with answer, st.container(border=True, height="stretch"):
        show_now(heard, listener.paused, min_confidence, is_worth)
        show_level(heard)
    with lines, st.container(border=True, height="stretch"):
        st.caption("Emotion over time, smoothed; in gaps no voice is recognised")
        recent = (row for row in heard.rows if row["end"] > heard.seconds - TIMELINE_SECONDS)
        st.html(live_drawing.timeline(points(recent)))
    shares, sound = st.columns([2, 3])
    with shares, st.container(border=True, height="stretch"):
        st.caption("The utterance of now, or else the last one")
        st.html(live_drawing.bars(heard.utterances[-1].shares if heard.utterances else dict.fromkeys(EMOTIONS, 0.0)))
        show_newest(heard.utterances, min_confidence)
    with sound, st.container(border=True, height="stretch"):
        st.caption("What the model hears")
        st.html(live_drawing.heard(heard.window))
    announce(announcement(heard.utterances, min_confidence))


def show_connection(heard: Heard) -> None:
    """What is wrong with the connection, if anything is."""
    if heard.error:
        st.warning(sentence(heard.error))
    if heard.waited > PATIENCE_SECONDS:
        st.warning("The connection stands, but no sound comes through it. This happens once in a while.")
        if st.button("Connect again", icon=":material/refresh:", type="primary"):
            st.session_state[RECONNECT] = True
            st.rerun()
    if heard.backlog_seconds > 2:
        st.warning(f"This machine is {heard.backlog_seconds:.0f} s behind: it has too much to do at once.")


def show_now(heard: Heard, paused: bool, min_confidence: float, is_worth: str) -> None:
    """The utterance of now, or the last one, dimmed, until another begins; and what is going on.

    What the label `is_worth` is in the same caption: a phone has no room for one more above the timeline.
    """
    if not heard.utterances:
        st.html(live_drawing.answer("Paused" if paused else "Listening…", "Say something.", "Nobody has spoken yet"))
        st.caption(hearing(heard, paused))
        return
    utterance = heard.utterances[-1]
    over = utterance.ended or paused
    headline, detail, color = said(utterance, min_confidence)
    ago = f"{max(heard.seconds - utterance.end, 0):.0f} s ago"
    when = f"{span(utterance)}, {ago}" if over else f"Now, since {utterance.start:.1f} s"
    heard_until = utterance.moments[-1].end
    st.html(live_drawing.answer(headline, detail, when, color=color, over=over, heard=heard_until))
    show_adapted_to(utterance.adapted_to)
    if over:
        st.caption(f"{hearing(heard, paused)}  \n{is_worth}")
    elif utterance.label(min_confidence) == UNSURE:
        st.caption(unsure_means(min_confidence))
    elif utterance.settled(min_confidence):
        st.caption(f"The label has settled.  \n{is_worth}")
    elif utterance.label(min_confidence):
        st.caption(f"The label may still change.  \n{is_worth}")


def hearing(heard: Heard, paused: bool) -> str:
    """What goes on while no utterance does, as a sentence: where there is sound, it isn't said that there is none."""
    if paused:
        return "Paused: nothing is heard until you go on."
    if heard.level_dbfs > QUIET_DBFS:
        return "Listening: there is sound, and a voice is looked for in it."
    return "Listening: it is quiet."


def show_level(heard: Heard) -> None:
    """The level meter."""
    share = (heard.level_dbfs - QUIETEST_DBFS) / -QUIETEST_DBFS
    level = f"{heard.level_dbfs:.0f} dBFS" if heard.level_dbfs > SILENCE_DBFS else "no signal"
    st.progress(min(max(share, 0.0), 1.0), text=f"Level: {level}{', clipped' if heard.peak >= 0.999 else ''}")


start_page("Live")
st.title("Live")
with st.container():  # what follows doesn't move as it goes: on a phone, label and timeline need its place
    if not st.session_state.get(LISTENING_WANTED):
        st.markdown(
            "Speak, and watch the emotion as you speak. Sound goes to this server, is not kept unless you say so, and "
            "never leaves its memory."
        )
available, unreadable = checkpoints()
if not available:
    st.error(HOW_TO_MAKE_CHECKPOINTS)
    show_unreadable(unreadable, "checkpoint")
    st.stop()
problem = show_problem()
# What is seen first is drawn last: it needs the settings, which stand below it.
controls = st.container(horizontal=True, vertical_alignment="center")
answers, microphone, choices = st.container(), st.container(), st.container()
with choices:
    checkpoint, config, min_confidence, keep = settings(available)
try:
    with choices:
        show_tuning([checkpoint])
    model = tuned(checkpoint)
    listener = listener_for(model, config, keep)
    with microphone:
        asked = bool(st.session_state.get(LISTENING_WANTED))
        waits = asked and ask_to_listen(again=st.session_state.get(PLAYED, False)) > 0
        context = connect(listener, playing=asked and not waits and not st.session_state.get(RECONNECT))
except SERError as error:
    st.error(sentence(error))
    st.stop()
follow(listener, context.state, problem)
playing = context.state.playing
with controls:
    show_controls(listener, playing)
with answers:
    if waits:
        st.fragment(show_waiting, run_every=ASK_SECONDS)()
    elif st.session_state.get(LISTENING_WANTED) and not playing:
        st.fragment(show_connecting, run_every=1.0)()
    elif st.session_state.get(FAILED) and not problem:
        st.warning("The connection to the microphone ended, or none was made. What the browser says stands below.")
    if playing:
        st.fragment(show_listening, run_every=REFRESH_SECONDS)(listener, min_confidence, worth_briefly(checkpoint))
    else:
        show_session(listener, model, min_confidence)
ask_before_leaving(playing or bool(listener.look().rows))
st.caption(worth(checkpoint))
show_unreadable(unreadable, "checkpoint")
