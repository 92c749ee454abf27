"""Mistakes: hear what a run gets wrong, and see where it fails."""

from __future__ import annotations

import streamlit as st

from ser_app.address import choose, say_unknown, switch
from ser_app.clip_list import COLUMNS, LIST_HEIGHT, answers
from ser_app.clip_view import describe, rater_bars, show_answered, show_clip_sound, show_shares, show_steps
from ser_app.groups_view import show_groups
from ser_app.messages import sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.records import HOW_TO_TRAIN, choose_run, of_cremad, records
from ser_app.tables import choose_named_row
from ser_core.analysis.configurations import run_label
from ser_core.analysis.groups import GROUPINGS, groups_of
from ser_core.corpus.clips import by_name
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import RunError
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run
from ser_core.serving.prediction import likeliest
from ser_core.words import counted

ANY = "any"
WHICH = {"Wrong": "mistakes", "Right": "right answers", "All": "answers"}
RATERS = {"any": "", "the intended emotion": "intended", "the predicted emotion": "predicted"}


def choose_clip(predictions: Predictions, run: Run, corpus: Corpus) -> str | None:
    """Draw the filters and the table; the name of the clip that was chosen."""
    table = answers(predictions)
    which = choose(st.segmented_control, "Answers", list(WHICH), key="answers", default="Wrong", required=True)
    if which != "All":
        table = table[(table["intended"] == table["predicted"]) == (which == "Right")]
    among = len(table)
    cells = st.columns(4)
    names = [ANY, *(EMOTION_NAMES[emotion] for emotion in EMOTIONS)]
    for cell, column in zip(cells, ("intended", "predicted"), strict=False):
        value = choose(cell.selectbox, column.capitalize(), names, key=column)
        if value != ANY:
            table = table[table[column] == value]
    groups = [ANY, *(f"{grouping}: {group}" for grouping, (_, order) in GROUPINGS.items() for group in order)]
    group = choose(cells[2].selectbox, "Group", groups, key="group")
    if group != ANY:
        grouping, _, name = group.partition(": ")
        inside = dict(zip(predictions.names, groups_of(predictions.names, grouping) == name, strict=True))
        table = table[table["clip"].map(inside)]
    raters = RATERS[choose(cells[3].selectbox, "Most raters heard", list(RATERS), key="raters")]
    if raters:
        table = table[table["raters heard"] == table[raters]]
    here = int(table["clip"].isin(corpus.present).sum())
    label = f"Only the {here:,} whose sound is on this machine"
    if 0 < here < len(table) and switch(label, key="here", value=True):
        table = table[table["clip"].isin(corpus.present)]
    if not len(table):
        st.caption("No clip is like that.")
        return None
    st.caption(
        f"{len(table):,} of {among:,} {WHICH[which]} on {counted(len(predictions.names), 'test clip')}, the highest "
        "model score first, and clips with a known defect last. Click on one to hear it, or go through them with the "
        "arrow keys."
    )
    # A clip without sound, or cut off, teaches nothing about the model: whoever opens the page doesn't begin with it.
    defect = [clip.defect is not None for clip in by_name(table["clip"])]
    table = table.assign(defect=defect).sort_values(["defect", "model score"], ascending=[True, False])
    table = table.drop(columns="defect").reset_index(drop=True)
    key = f"mistakes-{run.name}-{hash(tuple(table['clip']))}"
    say_unknown("clip", known=predictions.names, why="it isn't a test clip of this run")
    chosen = choose_named_row(
        table,
        list(table["clip"]),
        key,
        "clip",
        height="auto" if len(table) < 8 else LIST_HEIGHT,
        column_config=COLUMNS,
        alt=f"{WHICH[which]} of {run_label(run)}",
    )
    show_steps(key, list(table["clip"]), chosen)
    return chosen


def show_clip(name: str, predictions: Predictions, run: Run, corpus: Corpus) -> None:
    """One clip: its sound beside what the model predicts and the raters chose."""
    (clip,) = by_name([name])
    probabilities = predictions.probabilities[predictions.names.index(name)].tolist()
    shares = dict(zip(EMOTIONS, probabilities, strict=True))
    show_answered(clip, likeliest(shares))
    describe(clip)
    sound, opinions = st.columns([3, 2], gap="large")
    with sound, st.container(border=True):
        show_clip_sound(clip, corpus, "mistake", explain=bool(corpus.present))
    with opinions, st.container(border=True):
        st.caption(f"The model's scores, and what people chose. Intended: {EMOTION_NAMES[clip.emotion]}.")
        show_shares(clip, {run_label(run): shares} | rater_bars(clip))
    query = {"clip": clip.name}
    st.page_link("pages/samples.py", label="See it in Samples", icon=":material/library_music:", query_params=query)


start_page("Mistakes")
st.title("Mistakes")
st.markdown("Hear the test clips that a run gets wrong, compare it with what people heard, and see where it fails.")
recorded, unreadable = records()
if runs := of_cremad(recorded):
    run = choose_run(runs)
    try:
        predictions = run.predictions()
    except RunError as error:
        st.error(sentence(error))
    else:
        corpus = Corpus.open()
        if clip := choose_clip(predictions, run, corpus):
            show_clip(clip, predictions, run, corpus)
        show_groups(predictions, run)
else:
    st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
show_unreadable(unreadable)
