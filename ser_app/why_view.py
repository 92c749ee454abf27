"""Why this answer: which moments and bands of a recording a network used, computed when somebody asks."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from ser_app.address import switch
from ser_app.charts import show_figure
from ser_app.loaders import checkpoint_files
from ser_app.messages import literal, sentence
from ser_app.player import tied
from ser_app.titles import title
from ser_core.analysis.explanation import Explanation, Method
from ser_core.analysis.explanation_figure import explanation_figure, moments
from ser_core.audio import SAMPLE_RATE
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import SERError
from ser_core.file_state import Fingerprint
from ser_core.serving.prediction import WINDOW_SECONDS, Prediction
from ser_core.words import percent

if TYPE_CHECKING:
    from ser_core.serving.predictor import Predictor

LABELS: dict[Method, str] = {
    "occlusion": "Hide moments",
    "integrated-gradients": "Integrated gradients",
    "grad-cam": "Grad-CAM",
}
WORK: dict[Method, str] = {
    "occlusion": "Hiding one moment after another, and asking again…",
    "integrated-gradients": "Following gradients from the average of this speech to the speech, in {steps} steps…",
    "grad-cam": "Looking into the last convolution…",
}
SAYS: dict[Method, str] = {
    "occlusion": "Each 0.2 s was hidden in turn behind the average of this speech. Without the orange moments the "
    "network hears less {emotion}, without the blue ones more.",
    "integrated-gradients": "Beside the average of this speech, what is orange spoke for {emotion}, and what is blue "
    "against it.",
    "grad-cam": "The stronger the orange, the more the network's last convolution found for {emotion} around there.",
}
CAVEAT = "It shows what this network used: not where {emotion} is, nor what a person would listen to."


@st.fragment
def show_why(
    model: Predictor, prediction: Prediction, key: str, *, named: bool = False, tuned_to: str = "", start: float = 0.0
) -> None:
    """Draw the section, closed until it is opened.

    Args:
        model: that made the prediction.
        key: of its elements.
        named: whether to say which model it is.
        tuned_to: what the model is adapted to, see `ser_app.tuning.tuned_to`.
        start: in the recording, of the part of it that the prediction has the sound of; seconds.
    """
    label = f"Why {literal(title(model.config.name))} answers this" if named else "Why this answer"
    if not switch(label, key=f"why-{key}", help="Which moments and bands of the sound the network used"):
        return
    from ser_core.explain.gradients import N_STEPS
    from ser_core.explain.methods import methods_for

    with st.container(border=True):
        left, right = st.columns(2)
        likeliest_first = sorted(EMOTIONS, key=lambda emotion: -prediction.probabilities[emotion])
        emotion = left.selectbox(
            "What speaks for",
            likeliest_first,
            format_func=lambda one: f"{EMOTION_NAMES[one]} ({percent(prediction.probabilities[one], 0)})",
            key=f"why-emotion-{key}",
        )
        offered = methods_for(model)
        method = right.selectbox("Method", offered, format_func=LABELS.__getitem__, key=f"why-method-{key}")
        try:
            with st.spinner(WORK[method].format(steps=N_STEPS), show_time=True):
                found, seconds = _explained(
                    _digest(prediction),
                    model.config.name,
                    checkpoint_files(model.config.name),
                    tuned_to,
                    emotion,
                    method,
                    model,
                    prediction,
                )
        except SERError as error:
            st.error(sentence(error))
            return
        st.markdown(says(found))
        sound = prediction.speech.audio
        part = np.array([[start, start + len(sound) / SAMPLE_RATE]])
        figure = tied(explanation_figure(sound, found), part)
        show_figure(figure, f"why-figure-{key}", alt=says(found), file=f"explanation {EMOTION_NAMES[emotion]}")
        steps = f" in {N_STEPS} steps" if method == "integrated-gradients" else ""
        st.caption(
            "In grey, the log-mel spectrogram. What has no colour, as pauses, the network never hears; it hears some "
            f"tenths of a second around speech. Bars: each tenth of a second. Computed{steps} in {seconds:.1f} s."
        )


def says(explanation: Explanation) -> str:
    """What an explanation shows and what it doesn't, in plain words."""
    emotion = EMOTION_NAMES[explanation.emotion]
    times, sums = moments(explanation)
    parts = [SAYS[explanation.method].format(emotion=f"**{emotion}**")]
    if explanation.method == "occlusion":
        parts.append(
            f"Most is lost at {times[sums.argmax()]:.1f} s: {max(100 * sums.max(), 0):.0f} points of its score."
        )
    elif sums.max() > 0:
        parts.append(f"Most speaks for it at {times[sums.argmax()]:.1f} s.")
    else:
        parts.append("Nothing does here.")
    if not explanation.whole:
        start = explanation.kept[0, 0]
        parts.append(
            f"Of this long recording, these are the {WINDOW_SECONDS:g} s of speech from {start:.1f} s on, in which "
            f"{emotion} is likeliest ({percent(explanation.probability, 0)})."
        )
    return " ".join([*parts, CAVEAT.format(emotion=emotion)])


def _digest(prediction: Prediction) -> str:
    """Of the recording's sound, and of the speech in it."""
    speech = prediction.speech
    return hashlib.blake2b(speech.audio.tobytes() + speech.waveform.tobytes()).hexdigest()


@st.cache_data(max_entries=256, show_spinner=False)
def _explained(
    digest: str,
    name: str,
    files: Fingerprint,
    tuned_to: str,
    emotion: str,
    method: Method,
    _model: Predictor,
    _prediction: Prediction,
) -> tuple[Explanation, float]:
    """The explanation and the seconds that it took; all but the last two arguments are what it is remembered by."""
    from ser_core.explain.methods import explain

    began = time.monotonic()
    return explain(_model, _prediction.speech, emotion, method), time.monotonic() - began
