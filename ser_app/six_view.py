"""The same actor and sentence in all six emotions (the report's figures 1 and 3), as Samples shows it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ser_app.address import switch
from ser_app.answers import verdict
from ser_app.charts import show_figure
from ser_app.clip_view import play, sound_of
from ser_app.loaders import checkpoints, clip_prediction, speech_of, was_trained_on
from ser_app.messages import sentence
from ser_app.nearby import is_near
from ser_app.player import tied
from ser_app.titles import title
from ser_core.analysis.figures import log_mel_figure, waveform_figure
from ser_core.analysis.six import comparable_log_mels, in_turn, in_turn_figure, versions_of
from ser_core.audio import SAMPLE_RATE
from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import INTENSITIES
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.features.mel import log_mel

IN_TURN = "in-turn"  # session state: name of the clip whose versions are played one after another


@st.fragment
def show_six(clip: Clip, corpus: Corpus) -> None:
    """All versions of a clip: heard, seen, and answered by a model. Made when the visitor gets there."""
    st.header(f"The same actor and sentence in all six emotions: “{clip.text}”")
    if not is_near(f"six-{clip.name}"):
        return
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    all_in_turn = st.container()
    versions = versions_of(clip)
    cells = dict(zip(EMOTIONS, st.columns(3) + st.columns(3), strict=True))
    frames = {emotion: cell.container(border=True, height="stretch") for emotion, cell in cells.items()}
    sounds = {
        emotion: audio
        for emotion, frame in frames.items()
        if (audio := show_version(emotion, versions.get(emotion), corpus, frame)) is not None
    }
    if not sounds:
        return
    names, _ = checkpoints()
    model = controls.selectbox("Answers from", names, format_func=title, key="six-model", width=300) if names else None
    shared = switch(
        "Same scales for all",
        value=True,
        key="six-shared",
        toggle=controls.toggle,
        help="Time, amplitude and colour mean the same in all six. Without it, each is drawn as large as it can be.",
    )
    controls.button(
        "Play all in turn",
        icon=":material/playlist_play:",
        key="six-in-turn",
        on_click=lambda: st.session_state.update({IN_TURN: clip.name}),
    )
    if st.session_state.get(IN_TURN) == clip.name:
        with all_in_turn, st.container(border=True):
            show_in_turn(sounds)
    answers = show_pictures(sounds, frames, shared)
    for emotion, answer in answers.items():
        if model:
            answer.markdown(answer_of(versions[emotion], corpus, model))


def show_version(emotion: str, version: Clip | None, corpus: Corpus, frame: DeltaGenerator) -> np.ndarray | None:
    """The name and the player of one version; its sound, where it is there."""
    name = EMOTION_NAMES[emotion]
    with frame:
        st.markdown(f"**{name.capitalize()}**")
        if version is None:
            st.caption("This actor has no such recording.")
            return None
        st.caption(f"`{version.name}` · {INTENSITIES[version.intensity]}")
        audio = sound_of(version, corpus, f"get-{emotion}", explain=False)
        if audio is not None:
            play(audio, f"{name}, {version.name}")
        return audio


def show_in_turn(sounds: Mapping[str, np.ndarray]) -> None:
    """One sound of all, and which is on when."""
    joined = in_turn(sounds)
    play(joined.audio, "all versions in turn", autoplay=True)
    says = ", ".join(
        f"{EMOTION_NAMES[emotion]} from {start / SAMPLE_RATE:.1f} s" for emotion, (start, _) in joined.spans.items()
    )
    alt = f"Waveforms one after another: {says}"
    show_figure(tied(in_turn_figure(joined)), "six-turns", alt=alt, data=False, at_once=True)
    st.caption(f"{says[0].upper()}{says[1:]}.")


def show_pictures(
    sounds: Mapping[str, np.ndarray], frames: Mapping[str, DeltaGenerator], shared: bool
) -> dict[str, DeltaGenerator]:
    """Waveform and mel spectrogram of each; the places for what a model answers."""
    longest = max(len(sound) for sound in sounds.values()) / SAMPLE_RATE
    loudest = max(float(np.abs(sound).max(initial=0)) for sound in sounds.values())
    mels = comparable_log_mels(in_turn(sounds)) if shared else {e: log_mel(sound) for e, sound in sounds.items()}
    places = {}
    for emotion, sound in sounds.items():
        waveform = waveform_figure(sound, speech_of(sound).intervals, height=110, unit="")
        mel = log_mel_figure(mels[emotion], height=140, colorbar=False)
        if shared:
            waveform.update_xaxes(range=[0, longest])
            waveform.update_yaxes(range=[-loudest, loudest])
            mel.update_xaxes(range=[0, longest])
        name = EMOTION_NAMES[emotion]
        with frames[emotion]:
            show_figure(
                tied(waveform),
                f"six-wave-{emotion}",
                data=False,
                at_once=True,
                alt=f"Waveform of {name}: {len(sound) / SAMPLE_RATE:.1f} s, peak {np.abs(sound).max(initial=0):.2f}",
            )
            show_figure(tied(mel), f"six-mel-{emotion}", data=False, at_once=True, alt=f"Log-mel of {name}")
            places[emotion] = st.empty()
    return places


def answer_of(version: Clip, corpus: Corpus, model: str) -> str:
    """What a model answers to one version, and whether it was trained on it."""
    prediction = clip_prediction(version, corpus, model)
    if prediction is None or isinstance(prediction, str):
        return sentence(prediction or "")
    headline, detail = verdict(prediction.probabilities, prediction.min_confidence)
    learned = "; it was trained on this clip" if was_trained_on(model, version) else ""
    return f"The model: **{headline.lower()}** ({detail}){learned}"
