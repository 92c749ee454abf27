"""Try it, on Home: one's own voice or a real clip, and what the best model hears in it.

What classifies is imported and loaded when there is something to classify: Home stands before that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ser_app.messages import sentence, show_unreadable
from ser_app.navigation import ARRIVED
from ser_core.corpus.clips import Clip, find_clip
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import CorpusError, SERError

if TYPE_CHECKING:
    import numpy as np
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from ser_app.uploads import Recording

CLIPS = ("1087_WSI_ANG_XX", "1030_ITH_HAP_XX", "1059_IOM_FEA_XX")
"""Test clips of the report's split in which every rater who only heard them heard what was intended."""

SOURCE = (
    "Real clips of [CREMA-D](https://github.com/CheyneyComputerScience/CREMA-D) (Cao et al. 2014, Open Database "
    "License)"
)
TRIED = "tried"  # session state: the clip that was pressed last, or `RECORDED`
RECORDED = "recording"
MORE = "Over time, and more"
PATIENCE_SECONDS = 5.0  # for each address of a clip


def show_try() -> None:
    """Draw the recorder and the clips, and below each the answer to it, of what was tried last.

    On a phone, where the clips stand below the recorder, the answer to one's own voice is seen before them.
    """
    with st.container(border=True):
        own, clips = st.columns(2, gap="large")
        sound = own.audio_input(
            "Record yourself: press, speak for a few seconds, press again",
            sample_rate=16_000,
            key="home-recording",
            on_change=_try,
            args=(RECORDED,),
        )
        own.caption("Your voice stays in this server's memory while this tab is open, and is not kept.")
        clips.markdown(":small[Or hear one of three actors]")
        for name in CLIPS:
            clips.button(
                f"“{find_clip(name).text}”",
                key=f"try-{name}",
                icon=":material/play_arrow:",
                on_click=_try,
                args=(name,),
                width="stretch",
            )
        here = Corpus.open().present.issuperset(CLIPS)
        clips.caption(f"{SOURCE}{'' if here else ', each fetched from there when you press it'}.")
        tried = st.session_state.get(TRIED)
        if tried == RECORDED and sound:
            with own:
                show_recorded(sound)
        elif tried and tried != RECORDED:
            show_clip(find_clip(tried))


def _try(what: str) -> None:
    st.session_state[TRIED] = what
    st.session_state[ARRIVED] = False


def show_recorded(sound: UploadedFile) -> None:
    """The answer to what the visitor said."""
    from ser_app.uploads import Upload, digest_of

    data = sound.getvalue()
    try:
        recording = Upload("recording", lambda: data, digest_of(data)).load()
    except SERError as error:
        st.error(sentence(error))
    else:
        show_answer(recording, any_sound=False, narrow=True)


def show_clip(clip: Clip) -> None:
    """A clip and the answer to it; where it can't be had, a synthetic voice instead."""
    from ser_app.uploads import Recording

    try:
        recording = Recording(clip.name, fetched_sound(clip), clip=clip)
    except CorpusError as error:
        from ser_app.sources import example_audio
        from ser_core.audio.synthetic import EXAMPLES

        example = list(EXAMPLES)[CLIPS.index(clip.name)]
        st.warning("The clip can't be had now: here is a synthetic voice instead, which intends no emotion.")
        st.caption(sentence(error))
        recording = Recording("synthetic voice", example_audio(example))
    show_answer(recording, any_sound=True)


def fetched_sound(clip: Clip) -> np.ndarray:
    """Its sound, fetched where it is not on this machine, or is damaged.

    Raises:
        CorpusError: it can't be fetched.
    """
    from ser_app.loaders import clip_audio
    from ser_core.corpus.download import Downloader

    corpus = Corpus.open()
    try:
        audio = clip_audio(clip, corpus)
    except CorpusError:
        audio = None
    if audio is None:
        with st.spinner("Fetching the clip…"):
            Downloader(corpus, timeout_seconds=PATIENCE_SECONDS).fetch(clip)
        audio = corpus.load(clip)
    return audio


def show_answer(recording: Recording, *, any_sound: bool, narrow: bool = False) -> None:
    """What the best model hears, beside the sound, or where it is `narrow` above; of a clip, also what was intended."""
    from ser_app.answers import unsure_means, verdict, worth
    from ser_app.classifying import classify
    from ser_app.clip_view import play
    from ser_app.live_drawing import bars
    from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, checkpoints
    from ser_core.audio import SAMPLE_RATE
    from ser_core.serving.prediction import MIN_CONFIDENCE, UNSURE, WINDOW_SECONDS

    names, unreadable = checkpoints()
    if not names:
        st.error(HOW_TO_MAKE_CHECKPOINTS)
        show_unreadable(unreadable, "checkpoint")
        return
    (result,) = classify([recording], names[:1], MIN_CONFIDENCE, any_sound).values()
    clip = recording.clip
    heard, details = (st.container(), st.container()) if narrow else st.columns(2, gap="large")
    with heard:
        if isinstance(result, SERError):
            st.error(sentence(result))
            play(recording.audio, recording.name)
            return
        headline, detail = verdict(result.probabilities, result.min_confidence)
        where = f"“{clip.text}”" if clip else f"the {recording.name}"
        st.metric(f"In {where}, the model hears", headline, detail, delta_color="off", delta_arrow="off")
        if clip:
            agreeing = round(clip.voice.shares[EMOTIONS.index(clip.emotion)] * clip.voice.total)
            st.markdown(
                f"The actor intended **{EMOTION_NAMES[clip.emotion]}**; {agreeing} of {clip.voice.total} people who "
                "only heard it heard that, too."
            )
        if result.answer == UNSURE:
            st.caption(unsure_means(result.min_confidence))
        # Who comes back to Home has not asked for it again, and who spoke has heard it.
        plays = st.session_state.get(TRIED) != RECORDED and not st.session_state.get(ARRIVED)
        play(recording.audio, recording.name, autoplay=plays)
        for warning in result.warnings:
            st.warning(sentence(warning))
    with details:
        st.html(bars(result.probabilities))
    st.caption(worth(names[0]))
    if len(recording.audio) > WINDOW_SECONDS * SAMPLE_RATE:
        show_way_to_more(recording)


def show_way_to_more(recording: Recording) -> None:
    """A link to Classify, which shows the same recording over time."""
    from ser_app.sources import hand_over

    if recording.clip:
        query = {"source": "clip", "clip": recording.clip.name}
    else:
        query = {"source": "record"}
        hand_over(recording)
    st.page_link("pages/classify.py", label=MORE, icon=":material/mic:", query_params=query)
