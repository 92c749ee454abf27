"""Mistakes: hear what a run gets wrong, and see on whom and on what it fails."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ser_app.charts import show_figure
from ser_app.clip_view import describe, rater_bars, show_clip_sound, show_steps
from ser_app.messages import sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.records import HOW_TO_TRAIN, choose_run, of_cremad, records
from ser_core.analysis.figures import probability_figure
from ser_core.analysis.groups import GROUPINGS, accuracy_by
from ser_core.analysis.run_figures import groups_figure
from ser_core.corpus.clips import by_name
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import INTENSITIES
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import RunError
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run

COLUMNS = {
    "confidence": st.column_config.ProgressColumn(
        "model score", format="%.0f %%", min_value=0, max_value=100, help="Its probability of what it says"
    ),
    "raters agree": st.column_config.ProgressColumn(
        format="%d %%", min_value=0, max_value=100, help="Share of voice-only raters who chose the most chosen emotion"
    ),
}
ANY = "any"


def mistakes(predictions: Predictions) -> pd.DataFrame:
    """The clips that were not classified as meant, the most confident first."""
    said, meant = predictions.predicted, predictions.targets
    rows = [
        {
            "clip": clip.name,
            "meant": EMOTION_NAMES[EMOTIONS[meant[i]]],
            "said": EMOTION_NAMES[EMOTIONS[said[i]]],
            "confidence": 100 * float(predictions.probabilities[i, said[i]]),
            "raters heard": " / ".join(EMOTION_NAMES[emotion] for emotion in clip.voice.majority),
            "raters agree": round(100 * clip.voice.agreement),
            "text": clip.text,
            "intensity": INTENSITIES[clip.intensity],
            "sex": clip.actor.sex,
            "age": clip.actor.age,
            "actor": str(clip.actor.id),
        }
        for i, clip in enumerate(by_name(predictions.names))
        if said[i] != meant[i]
    ]
    table = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["clip", "meant", "said", "confidence"])
    return table.sort_values("confidence", ascending=False, ignore_index=True)


def choose_mistake(table: pd.DataFrame, run: Run, n_clips: int, corpus: Corpus) -> str | None:
    """Draw the filters and the table; the name of the clip that was selected."""
    meant_cell, said_cell, people_cell = st.columns(3)
    names = [ANY, *(EMOTION_NAMES[emotion] for emotion in EMOTIONS)]
    meant = meant_cell.selectbox("Meant", names, key="meant", bind="query-params")
    said = said_cell.selectbox("Said", names, key="said", bind="query-params")
    people = people_cell.selectbox("Raters' majority", ["either", "heard what was meant", "heard what the model said"])
    for column, value in (("meant", meant), ("said", said)):
        if value != ANY:
            table = table[table[column] == value]
    if people != "either":
        table = table[table["raters heard"] == table["meant" if people.endswith("meant") else "said"]]
    here = int(table["clip"].isin(corpus.present).sum())
    label = f"Only the {here:,} whose sound is on this machine"
    if 0 < here < len(table) and st.toggle(label, value=True, key="here", persist_state="page"):
        table = table[table["clip"].isin(corpus.present)]
    if not len(table):
        st.caption("No mistake is like that.")
        return None
    st.caption(
        f"{len(table):,} mistakes among {n_clips:,} test clips, the highest model score first. Select one to hear it."
    )
    # The key holds the rows: when a filter changes them, an old selection would mean another clip.
    key = f"mistakes-{run.name}-{hash(tuple(table['clip']))}"
    event = st.dataframe(
        table,
        hide_index=True,
        height=300,
        column_config=COLUMNS,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        key=key,
    )
    rows = event.selection.rows
    name = table.iloc[rows[0]]["clip"] if rows else None
    show_steps(key, list(table["clip"]), name)
    return name


def show_mistake(name: str, predictions: Predictions, run: Run, corpus: Corpus) -> None:
    """One clip: its sound beside what the model and the raters said."""
    (clip,) = by_name([name])
    probabilities = predictions.probabilities[predictions.names.index(name)].tolist()
    shares = dict(zip(EMOTIONS, probabilities, strict=True))
    said = max(EMOTIONS, key=shares.__getitem__)
    st.header(f"{EMOTION_NAMES[clip.emotion].capitalize()}, taken for {EMOTION_NAMES[said]}: “{clip.text}”")
    describe(clip)
    sound, opinions = st.columns([3, 2], gap="large")
    with sound, st.container(border=True):
        show_clip_sound(clip, corpus, "mistake", explain=bool(corpus.present))
    with opinions, st.container(border=True):
        st.caption(f"What the model says and what people heard and saw; the actor meant {EMOTION_NAMES[clip.emotion]}")
        bars = {run.name: shares} | rater_bars(clip)
        show_figure(probability_figure(bars, height=460), "opinions")
    query = {"clip": clip.name}
    st.page_link("pages/samples.py", label="See it in Samples", icon=":material/library_music:", query_params=query)


def show_groups(predictions: Predictions, run: Run) -> None:
    """Accuracy by who speaks, what is said, and how much people agree."""
    st.header("On whom and on what it fails")
    st.caption(
        "Accuracy with 95 % intervals over speakers and clips; the dotted line is the accuracy over all test clips."
    )
    cells = st.columns(2) + st.columns(2) + st.columns(2)
    for cell, grouping in zip(cells, GROUPINGS, strict=True):
        with cell, st.container(border=True):
            st.markdown(f"**{grouping}**")
            figure = groups_figure(accuracy_by(predictions, grouping), run.accuracy)
            show_figure(figure, f"group-{grouping}")


start_page("Mistakes")
st.title("Mistakes")
st.markdown("The test clips that a run gets wrong: listen, and compare with what people heard.")
recorded, unreadable = records()
if runs := of_cremad(recorded):
    run = choose_run(runs)
    try:
        predictions = run.predictions()
    except RunError as error:
        st.error(sentence(error))
    else:
        table = mistakes(predictions)
        corpus = Corpus.open()
        if clip := choose_mistake(table, run, len(predictions.names), corpus):
            show_mistake(clip, predictions, run, corpus)
        show_groups(predictions, run)
else:
    st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
show_unreadable(unreadable)
