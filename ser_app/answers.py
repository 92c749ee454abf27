"""What a model answers, as Classify, Live and Samples say it: an emotion, or that it is unsure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ser_app.loaders import said
from ser_app.messages import literal
from ser_app.records import elsewhere, heard_elsewhere
from ser_core.corpus.splits import SPLITS
from ser_core.emotions import EMOTION_NAMES
from ser_core.errors import SERError
from ser_core.serving.prediction import MIN_CONFIDENCE, UNSURE, answer_from, likeliest
from ser_core.words import counted, listed, percent

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ser_core.records.checkpoints import CheckpointConfig

NOT_RECORDED = "How often this model is right isn't recorded"
MOST_CHANGES = 4  # answers that are named one after another


def verdict(probabilities: Mapping[str, float], min_confidence: float) -> tuple[str, str]:
    """A headline and what stands below it: "Happiness" and "model score 80%", or "Unsure" and what it may be."""
    emotion = likeliest(probabilities)
    name, share = EMOTION_NAMES[emotion], f"model score {percent(probabilities[emotion], 0)}"
    if answer_from(probabilities, min_confidence) == UNSURE:
        return UNSURE.capitalize(), f"perhaps {name}, {share}"
    return name.capitalize(), share


def show_adapted_to(n_recordings: int) -> None:
    """Draw a badge that says that an answer is a tuned model's; nothing for one that is as it was trained."""
    if n_recordings:
        st.badge(
            f"Tuned to a voice ({counted(n_recordings, 'recording')})",
            icon=":material/record_voice_over:",
            color="blue",
        )


def unsure_means(min_confidence: float) -> str:
    """What "Unsure" says, as a sentence."""
    least = percent(min_confidence, 0)
    return f"Unsure: no emotion reaches {least}, which an answer needs. You can change that in the settings."


def changes_in_words(emotions: Sequence[str]) -> str:
    """Which answers follow each other in one recording, as a sentence; empty where there is one at most."""
    names = [EMOTION_NAMES[emotion] for emotion in emotions]
    if len(names) < 2:
        return ""
    if len(names) <= MOST_CHANGES:
        return f"It changes over time: {', then '.join(names)}."
    return f"It changes {len(names) - 1} times, between {listed(sorted(set(names)), 'and')}."


def worth(checkpoint: str) -> str:
    """What a checkpoint's answers are worth, as sentences: how often it is right, here and on other recordings."""
    if not (config := _config(checkpoint)):
        return ""
    right = said(config.provenance, "test", "metrics", "accuracy")
    if right is None:
        return f"{NOT_RECORDED}: take its model score for no more than a hint."
    calibrated = "are" if config.temperature != 1.0 else "are not"
    return (
        f"This model is right in {percent(right, 0)} of the test clips of {_corpora(config)}{_speakers(config)}, and "
        f"its scores {calibrated} calibrated for such clips. {elsewhere(checkpoint)}."
    )


def worth_briefly(checkpoint: str) -> str:
    """The same in a sentence that is one line on a phone, to stand beside an answer."""
    if not (config := _config(checkpoint)):
        return ""
    right = said(config.provenance, "test", "metrics", "accuracy")
    if right is None:
        return f"{NOT_RECORDED}."
    others = sorted(percent(one.metrics.accuracy, 0) for one in heard_elsewhere(checkpoint))
    there = f", in {listed(others)} elsewhere" if others else ""
    return f"Right in {percent(right, 0)} on {_corpora(config)}{there}."


def _config(checkpoint: str) -> CheckpointConfig | None:
    from ser_core.records.checkpoints import checkpoints_dir, load_config

    try:
        return load_config(checkpoints_dir() / checkpoint)
    except SERError:
        return None


def _corpora(config: CheckpointConfig) -> str:
    """What a checkpoint was trained on, and tested on."""
    from ser_core.evaluation.summary import title_of
    from ser_core.evaluation.unheard import trained_on

    return listed([literal(title_of(part)) for part in trained_on(config)], "and")


def _speakers(config: CheckpointConfig) -> str:
    """Who speaks in the test clips of a checkpoint, as far as its split's name says it."""
    from ser_core.corpus.registry import CREMAD
    from ser_core.evaluation.unheard import trained_on

    train = config.provenance.get("train")
    split = train.get("split") if isinstance(train, dict) else None
    if trained_on(config) != (CREMAD,) or split not in SPLITS:
        return ""
    return ", of speakers it learned from" if split == SPLITS[0] else ", of speakers it never heard"


def choose_min_confidence(place: DeltaGenerator) -> float:
    """Draw the slider; 0..1."""
    percent = place.slider(
        "Answer only from",
        0,
        95,
        round(100 * MIN_CONFIDENCE),
        5,
        format="%d %%",
        help="Where no emotion is as likely as this, the answer is “Unsure”. The higher it is, the fewer answers there "
        "are, and the more of them are right: Runs shows how many.",
    )
    return percent / 100
