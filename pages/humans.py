"""Humans and models: what raters heard in the test clips beside what a model says."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from ser_app.charts import show_figure
from ser_app.messages import sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.records import HOW_TO_TRAIN, choose_run, of_cremad, records
from ser_core.analysis.comparison import probability
from ser_core.analysis.confusion import recalls
from ser_core.analysis.groups import GroupAccuracy
from ser_core.analysis.raters import agreement, rater_confusion, uncertainty, uncertainty_bins
from ser_core.analysis.run_figures import confusion_figure, emotion_bars, uncertainty_figure
from ser_core.corpus.clips import by_name
from ser_core.errors import RunError
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run


def show_agreement(predictions: Predictions) -> None:
    """How often people, the model and the intended emotion agree."""
    found = agreement(predictions)
    st.header("Who agrees with whom")
    st.caption(
        "The crowd is the majority of voice-only raters; clips on which they tie have none. "
        "Intervals are 95 %, over speakers and clips."
    )
    columns = st.columns(3)
    for column, label, share, explanation in (
        (columns[0], "Model and label", found.model_label, "The model says what the actor meant"),
        (columns[1], "Crowd and label", found.crowd_label, "The raters' majority heard what the actor meant"),
        (columns[2], "Model and crowd", found.model_crowd, "The model says what the raters' majority heard"),
    ):
        show_share(column, label, share, explanation)
    st.markdown(
        f"A single rater chose the intended emotion in {found.rater_label:.1%} of ratings, and what the model says in "
        f"{found.model_rater:.1%}. The model was trained to find what actors meant, from other clips of the same "
        "actors; raters had never heard them before and were not told what was meant."
    )


def show_share(column: st.delta_generator.DeltaGenerator, label: str, share: GroupAccuracy, explanation: str) -> None:
    """One share with its interval."""
    column.metric(
        label,
        f"{share.accuracy:.1%}",
        f"{share.low:.1%} to {share.high:.1%}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=f"{explanation} ({share.clips:,} clips)",
    )


def show_confusions(predictions: Predictions, run: Run) -> None:
    """The raters' confusion matrix beside the model's, and what both recognise."""
    st.header("What is taken for what")
    people = rater_confusion(by_name(predictions.names))
    model = np.array(run.metrics.confusion)
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown(f"Voice-only raters, {people.sum():,} ratings")
        show_figure(confusion_figure(people), "people")
    with right, st.container(border=True):
        st.markdown(f"`{run.name}`, {model.sum():,} clips")
        show_figure(confusion_figure(model), "model")
    by_source = {"voice-only raters": recalls(people), run.name: recalls(model)}
    with st.container(border=True):
        st.markdown("How often each emotion is recognised")
        show_figure(emotion_bars(by_source, "recall"), "recall")


def show_uncertainty(predictions: Predictions) -> None:
    """Whether the model is unsure where people are."""
    st.header("Is the model unsure where people are?")
    found = uncertainty(predictions)
    if math.isnan(found.correlation):
        st.caption("All clips are equally uncertain, for people or for the model: there is nothing to correlate.")
        return
    strength = next(word for limit, word in STRENGTHS if abs(found.correlation) >= limit)
    st.markdown(
        f"Over {len(found.people):,} test clips, the entropy of the votes and that of the model's probabilities have a "
        f"rank correlation of {found.correlation:.2f} (p {probability(found.p_value)}): {strength}."
    )
    show_figure(uncertainty_figure(uncertainty_bins(found)), "uncertainty")
    st.caption(
        "Spearman's correlation. Entropy is 0 bits where all votes, or all probability, go to one emotion, and 2.58 "
        "where all six are equally likely. Bars are 95 % intervals of the mean, over clips."
    )


STRENGTHS = ((0.5, "strong"), (0.3, "moderate"), (0.1, "weak"), (0.0, "hardly any"))

start_page("Humans")
st.title("Humans and models")
st.markdown(
    "CREMA-D asked people which emotion they heard, about ten for each clip, by voice alone. Here are their answers on "
    "the test clips beside a model's."
)
recorded, unreadable = records()
if runs := of_cremad(recorded):
    run = choose_run(runs)
    try:
        predictions = run.predictions()
    except RunError as error:
        st.error(sentence(error))
    else:
        show_agreement(predictions)
        show_confusions(predictions, run)
        show_uncertainty(predictions)
else:
    st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
show_unreadable(unreadable)
