"""Tune to my voice: a visitor reads two sentences, and the models are adapted to that voice, room and microphone.

They are read in a neutral voice, which the adaptation knows. In their place, recordings that are on the page may serve,
in whatever emotion. Either stay in the visitor's session, and serve on Classify and Live alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from ser_app.loaders import checkpoint_files, predictor
from ser_app.messages import literal, sentence
from ser_app.titles import title
from ser_app.uploads import Recording, Upload, max_seconds
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import read_audio
from ser_core.errors import SERError
from ser_core.words import counted

if TYPE_CHECKING:
    from ser_core.serving.predictor import Predictor

SENTENCES = ("I would like a new alarm clock.", "That is exactly what happened.")
"""To be read, in a neutral voice: two that the actors of CREMA-D said."""

OWN = "own-voice"  # session state: float32 samples at 16 kHz by what they are
TUNED = "tuned"  # session state: adapted predictors by checkpoint, its files and what they are tuned to
ROUND = "tuning-round"  # session state: how often the voice was forgotten
FEW = 3  # of somebody's recordings, below which it makes no sense to offer them


def tuned_to() -> str:
    """What the models are tuned to in this session, as part of a key; empty for nothing."""
    own: dict[str, np.ndarray] = st.session_state.get(OWN, {})
    said = str(_emotion(own)).encode()
    return hashlib.blake2b(b"".join(audio.tobytes() for audio in own.values()) + said).hexdigest() if own else ""


def _emotion(own: dict[str, np.ndarray]) -> str | None:
    """The emotion that all of somebody's recordings are in; None if that isn't known."""
    return "neutral" if own.keys() <= set(SENTENCES) else None


def tuned(name: str) -> Predictor:
    """A checkpoint, adapted to this visitor's voice if there is something to adapt to, and if it can be adapted.

    Raises:
        CheckpointError: it can't be used.
    """
    return _tuned(name)[0]


def _tuned(name: str) -> tuple[Predictor, str]:
    """The same, and why it isn't adapted, though there is something to adapt to."""
    model, own = predictor(name), st.session_state.get(OWN)
    if not own:
        return model, ""
    known: dict[tuple, tuple[Predictor, str]] = st.session_state.setdefault(TUNED, {})
    key = (name, checkpoint_files(name), tuned_to())
    if key not in known:
        try:
            known[key] = model.adapt(list(own.values()), sample_rate=SAMPLE_RATE, emotion=_emotion(own)), ""
        except SERError as error:
            known[key] = model, str(error)
    return known[key]


def show_tuning(names: Sequence[str], recordings: Sequence[Recording | Upload] = ()) -> None:
    """Draw the panel.

    Args:
        names: of the checkpoints that are used.
        recordings: that are on the page, and may serve if there are several.

    Raises:
        CheckpointError: a checkpoint can't be used.
    """
    own: dict[str, np.ndarray] = st.session_state.setdefault(OWN, {})
    with st.expander("Tune to my voice", icon=":material/record_voice_over:"):
        st.markdown(
            "Every voice, room and microphone sounds different, and that alone can sway the answer. Read these two "
            "sentences in your usual, calm voice, without any emotion: how it differs from the calm voices that the "
            "models know then counts less. Two sentences help a little; ten or more recordings in all moods help more. "
            "They stay in this server's memory while the page is open, and nowhere else."
        )
        for column, text in zip(st.columns(len(SENTENCES)), SENTENCES, strict=True):
            sound = column.audio_input(f"“{text}”", sample_rate=SAMPLE_RATE, key=f"{text} {_round()}")
            if sound:
                _remember(text, sound.getvalue())
        if len(recordings) >= FEW and st.button(
            f"Tune to these {len(recordings)} recordings",
            icon=":material/tune:",
            help="If they are all of one speaker, or made alike, and in several emotions: a voice that is heard in one "
            "emotion only may be tuned away from it. They take the place of what you read.",
            on_click=_forget,
        ):
            with st.spinner("Listening to them…"):
                own.update(_sounds(recordings))
        if own:
            _show_tuned(names)
            st.button("Forget my voice", icon=":material/delete:", on_click=_forget)


def _sounds(recordings: Sequence[Recording | Upload]) -> dict[str, np.ndarray]:
    """The samples of recordings that can be read, as long as they last `max_seconds` together, by what they are."""
    sounds: dict[str, np.ndarray] = {}
    seconds, most = 0.0, max_seconds()
    for one in recordings:
        try:
            audio = one.load().audio
        except SERError:  # the page names it
            continue
        seconds += len(audio) / SAMPLE_RATE
        if seconds > most and sounds:
            break
        sounds[f"{one.name} {one.digest}"] = audio
    return sounds


def _remember(text: str, data: bytes) -> None:
    own: dict[str, np.ndarray] = st.session_state[OWN]
    try:
        audio = read_audio(data, max_seconds=max_seconds())[0]
    except SERError as error:
        st.error(sentence(error))
        return
    for other in own.keys() - set(SENTENCES):  # which are in whatever emotion
        del own[other]
    own[text] = audio


def _round() -> int:
    return st.session_state.get(ROUND, 0)


def _forget() -> None:
    for key in (OWN, TUNED):
        st.session_state.pop(key, None)
    # The browser sends what was recorded again and again: only recorders with other keys are empty.
    st.session_state[ROUND] = _round() + 1


def _show_tuned(names: Sequence[str]) -> None:
    """How much the models are tuned to, and what is wrong with that."""
    for name in names:
        model, problem = _tuned(name)
        if problem:
            st.warning(f"{literal(title(name))} is not tuned. {sentence(problem)}")
        elif model.adaptation:
            heard = counted(model.adaptation.n_clips, "recording")
            calm = " in a neutral voice" if _emotion(st.session_state[OWN]) else ""
            st.caption(f":material/check: {literal(title(name))} is tuned to {heard}{calm}.")
            for reason in model.adaptation.left_out:
                st.warning(sentence(reason))
