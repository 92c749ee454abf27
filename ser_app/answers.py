"""What a model answers, as Classify, Live and Samples say it: an emotion, or that it is unsure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from ser_core.emotions import EMOTION_NAMES
from ser_core.serving.prediction import MIN_CONFIDENCE, UNSURE, answer_from, likeliest

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def verdict(probabilities: Mapping[str, float], min_confidence: float) -> tuple[str, str]:
    """A headline and what stands below it: "Happiness" and "80%", or "Unsure" and "perhaps anger, 34%"."""
    emotion = likeliest(probabilities)
    name, share = EMOTION_NAMES[emotion], f"{probabilities[emotion]:.0%}"
    if answer_from(probabilities, min_confidence) == UNSURE:
        return UNSURE.capitalize(), f"perhaps {name}, {share}"
    return name.capitalize(), share


def show_adapted_to(n_recordings: int) -> None:
    """Draw a badge that says that an answer is a tuned model's; nothing for one that is as it was trained."""
    if n_recordings:
        text = f"Tuned to a voice ({n_recordings} recording{'s' * (n_recordings != 1)})"
        st.badge(text, icon=":material/record_voice_over:", color="blue")


def unsure_means(min_confidence: float) -> str:
    """What "Unsure" says, as a sentence."""
    return (
        f"Unsure: no emotion reaches {min_confidence:.0%}, which an answer needs. You can change that in the settings."
    )


def choose_min_confidence(place: DeltaGenerator) -> float:
    """Draw the slider; 0..1."""
    percent = place.slider(
        "Answer only from",
        0,
        95,
        round(100 * MIN_CONFIDENCE),
        5,
        format="%d%%",
        help="Where no emotion is as likely as this, the answer is “Unsure”. The higher it is, the fewer answers there "
        "are, and the more of them are right: Runs shows how many.",
    )
    return percent / 100
