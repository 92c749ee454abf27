"""Humans and models: what raters heard in the test clips beside what a model says."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from ser_app.charts import show_figure, spoken
from ser_app.clip_list import answers, cells, in_cell, link_to_cell, pick, pick_cell, show_clips
from ser_app.messages import sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.records import HOW_TO_TRAIN, choose_run, of_cremad, records
from ser_core.analysis.comparison import probability
from ser_core.analysis.configurations import run_label
from ser_core.analysis.confusion import recalls
from ser_core.analysis.group_figures import bin_label, uncertainty_figure
from ser_core.analysis.groups import GroupAccuracy
from ser_core.analysis.raters import agreement, in_bin, rater_confusion, uncertainty, uncertainty_bins
from ser_core.analysis.run_figures import emotion_bars
from ser_core.corpus.clips import by_name
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import RunError
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run
from ser_core.words import between, code, counted, percent


def show_agreement(predictions: Predictions) -> None:
    """How often people, the model and the intended emotion agree."""
    found = agreement(predictions)
    st.header("Who agrees with whom")
    st.caption(
        "The crowd is the majority of the raters who only heard a clip; clips on which they tie have none. "
        "Intervals are 95\u00a0%, over speakers and clips."
    )
    columns = st.columns(3)
    for column, label, share, explanation in (
        (columns[0], "Model and intended", found.model_label, "The model predicts the emotion that the actor intended"),
        (columns[1], "Crowd and intended", found.crowd_label, "The raters' majority heard what the actor intended"),
        (columns[2], "Model and crowd", found.model_crowd, "The model predicts what the raters' majority heard"),
    ):
        show_share(column, label, share, explanation)
    st.markdown(
        f"A single rater chose the intended emotion in {percent(found.rater_label)} of ratings, and what the model "
        f"predicts in {percent(found.model_rater)}. The model was trained to find what actors intend, from other clips "
        "of the same corpus; raters were not told what was intended."
    )


def show_share(column: st.delta_generator.DeltaGenerator, label: str, share: GroupAccuracy, explanation: str) -> None:
    """One share with its interval."""
    column.metric(
        label,
        percent(share.accuracy),
        between(share.low, share.high),
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=f"{explanation} ({counted(share.clips, 'clip')})",
    )


def show_confusions(predictions: Predictions, run: Run) -> None:
    """The raters' confusion matrix beside the model's, what both recognise, and the clips of a cell."""
    st.header("Confusion matrices")
    people = rater_confusion(by_name(predictions.names))
    model, label = np.array(run.metrics.confusion), run_label(run)
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown(f"Raters who only heard it, {people.sum():,} ratings")
        heard = pick_cell(
            people, f"people-{run.name}", who="heard", file=f"confusion matrix raters {run.split_name} split"
        )
    with right, st.container(border=True):
        st.markdown(f"{code(label)}, {model.sum():,} clips")
        cell = pick_cell(model, f"model-{run.name}", file=f"confusion matrix {label}")
    table = answers(predictions)
    if heard:
        show_heard(table, heard, f"heard-{run.name}")
    if cell:
        show_clips(f"{cell}, by {label}", in_cell(table, cell), f"cell-{run.name}", link_to_cell(label, cell))
    by_source = {"raters who only heard it": recalls(people), label: recalls(model)}
    with st.container(border=True):
        st.markdown("How often each emotion is recognised")
        alt = f"Recall of each emotion, {spoken(by_source)}"
        show_figure(emotion_bars(by_source, "recall"), "recall", alt=alt, file=f"recall raters and {label}")


def show_heard(table: pd.DataFrame, cell: str, key: str) -> None:
    """The clips of an intended emotion in which raters heard another, those of most raters first."""
    intended, other = cells("heard")[cell]
    code = next(code for code, name in EMOTION_NAMES.items() if name == other)
    clips = by_name(table["clip"])
    shares = [100 * float(clip.voice.shares[EMOTIONS.index(code)]) for clip in clips]
    table = table.assign(**{"heard by": shares})[(table["intended"] == intended) & (np.array(shares) > 0)]
    table.insert(2, "heard by", table.pop("heard by"))
    show_clips(f"{cell} by some raters", table.sort_values("heard by", ascending=False, ignore_index=True), key)


def show_uncertainty(predictions: Predictions, run: Run) -> None:
    """Whether the model is unsure where people are."""
    st.header("Is the model unsure where people are?")
    found = uncertainty(predictions)
    if math.isnan(found.correlation):
        st.caption("All clips are equally uncertain, for people or for the model: there is nothing to correlate.")
        return
    strength = next(word for limit, word in STRENGTHS if abs(found.correlation) >= limit)
    st.markdown(
        f"On {len(found.people):,} test clips, the entropy of the votes and that of the model's probabilities have a "
        f"rank correlation of {found.correlation:.2f} (p {probability(found.p_value)}): {strength}."
    )
    bins = uncertainty_bins(found)
    labels = [bin_label(b) for b in bins]
    key = f"uncertainty-{run.name}"
    alt = "Mean entropy of the model's probabilities over that of the raters' votes"
    picked = pick(uncertainty_figure(bins), key, labels, alt=alt, file=f"uncertainty raters and {run_label(run)}")
    st.caption(
        "Spearman's correlation. Entropy is how unsure somebody is: 0 bits where all votes, or all probability, go to "
        "one emotion, and 2.58 where all six are equally likely. Bars are 95\u00a0% intervals of the mean, over clips."
    )
    if picked:
        inside = in_bin(found, bins[labels.index(picked)])
        table = answers(predictions).assign(**{"people's bits": found.people, "model's bits": found.model})[inside]
        title = f"people's entropy {picked}"
        show_clips(title, table.sort_values("model's bits", ascending=False, ignore_index=True), f"{key}-clips")


STRENGTHS = ((0.5, "strong"), (0.3, "moderate"), (0.1, "weak"), (0.0, "hardly any"))

start_page("Humans")
st.title("Humans and models")
st.markdown(
    "CREMA-D asked people which emotion they heard, about ten for each clip, by voice alone. Here are their answers on "
    "the test clips, beside a model's."
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
        show_uncertainty(predictions, run)
else:
    st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
show_unreadable(unreadable)
