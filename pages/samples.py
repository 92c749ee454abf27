"""Samples: find a CREMA-D clip, hear it, see it, and compare what people and a model heard."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ser_app.answers import verdict, worth
from ser_app.charts import CHART
from ser_app.clip_view import describe, rater_bars, show_clip_sound
from ser_app.loaders import (
    HOW_TO_GET_CLIPS,
    about_checkpoint,
    checkpoints,
    clip_prediction,
    clip_table,
    predictor,
    was_trained_on,
)
from ser_app.messages import sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.six_view import show_six
from ser_app.why_view import show_why
from ser_core.analysis.figures import probability_figure
from ser_core.corpus.clips import Clip, find_clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import INTENSITIES, SENTENCES
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import SERError
from ser_core.serving.prediction import UNSURE, Prediction

COLUMNS = {
    "voice agreement": st.column_config.ProgressColumn(
        "voice agreement", format="%d%%", min_value=0, max_value=100, help="Share of voice-only raters who agreed"
    ),
    "seconds": st.column_config.NumberColumn(format="%.2f"),
    "actor": st.column_config.NumberColumn(format="%d"),
}
SHOWN = [
    "clip",
    "emotion",
    "heard as",
    "voice agreement",
    "text",
    "intensity",
    "actor",
    "sex",
    "age",
    "race",
    "seconds",
    "split",
    "defect",
]


def filters(table: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    """Draw the filters and return the rows that pass them."""
    with st.expander("Filter", icon=":material/filter_list:"):
        first, second = st.columns(4), st.columns(4)
        chosen = {
            "emotion": first[0].multiselect("Emotion", EMOTIONS, format_func=EMOTION_NAMES.__getitem__),
            "intensity": first[1].multiselect("Intensity", list(INTENSITIES), format_func=INTENSITIES.__getitem__),
            "sentence": first[2].multiselect("Sentence", list(SENTENCES), format_func=SENTENCES.__getitem__),
            "split": first[3].multiselect("Split of the report", ["train", "val", "test"]),
            "sex": second[0].multiselect("Sex", sorted(table["sex"].unique())),
            "race": second[1].multiselect("Race", sorted(table["race"].unique())),
        }
        youngest, oldest = int(table["age"].min()), int(table["age"].max())
        low, high = second[2].slider("Age", youngest, oldest, (youngest, oldest))
        agreement = second[3].slider(
            "Voice-only raters agreed, at least", 0, 100, 0, format="%d%%", help="Share of the most chosen emotion"
        )
        some = 0 < len(corpus.present) < len(table)
        here = some and st.toggle(f"Only the {len(corpus.present):,} clips whose sound is on this machine")
    keep = table["age"].between(low, high) & (table["voice agreement"] >= agreement)
    if here:
        keep &= table["clip"].isin(corpus.present)
    for column, values in chosen.items():
        if values:
            keep &= table[column].isin(values)
    return table[keep]


def choose_clip(table: pd.DataFrame) -> Clip | None:
    """Draw the table; the clip is the row that was clicked, or the one in the address."""
    st.caption(f"{len(table):,} of {len(load_index()):,} clips. Select a row to hear it.")
    # The key holds the rows: when a filter changes them, an old selection would mean another clip.
    key = f"clips-{hash(tuple(table['clip']))}"
    event = st.dataframe(
        table[SHOWN],
        hide_index=True,
        height=280,
        column_config=COLUMNS,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
    )
    if rows := event.selection.rows:
        st.query_params["clip"] = table.iloc[rows[0]]["clip"]
    name = st.query_params.get("clip")
    if name is None:
        return None
    try:
        return find_clip(name)
    except SERError as error:
        st.error(sentence(error))
        return None


def show_clip(clip: Clip, corpus: Corpus) -> None:
    """Everything about one clip."""
    st.header(f"{EMOTION_NAMES[clip.emotion].capitalize()}: “{clip.text}”")
    describe(clip)
    sound, opinions = st.columns([3, 2], gap="large")
    with sound, st.container(border=True):
        show_clip_sound(clip, corpus, "clip", explain=bool(corpus.present))
    with opinions, st.container(border=True):
        prediction = show_opinions(clip, corpus)
    if prediction:
        show_why(predictor(prediction.checkpoint), prediction, "clip")


def show_opinions(clip: Clip, corpus: Corpus) -> Prediction | None:
    """What raters heard and saw beside what a model says, which is returned, if it says something."""
    st.caption(f"What people heard and what the model says; the actor meant {EMOTION_NAMES[clip.emotion]}")
    bars = rater_bars(clip)
    names, unreadable = checkpoints()
    prediction = None
    if names:
        checkpoint = st.selectbox("Model", names)
        st.caption(about_checkpoint(checkpoint))
        prediction = clip_prediction(clip, corpus, checkpoint)
        if isinstance(prediction, str):
            st.warning(sentence(prediction))
        elif prediction is not None:
            bars[f"model {checkpoint}"] = prediction.probabilities
            headline, detail = verdict(prediction.probabilities, prediction.min_confidence)
            meant = "as meant" if prediction.answer == clip.emotion else f"meant was {EMOTION_NAMES[clip.emotion]}"
            says = "is" if prediction.answer == UNSURE else "says"
            st.markdown(f"The model {says} **{headline.lower()}** ({detail}), {meant}.")
            st.caption(worth(checkpoint))
            if was_trained_on(checkpoint, clip):
                st.caption("The model was trained on this clip.")
    st.plotly_chart(probability_figure(bars, height=460), config=CHART, key="opinions")
    show_unreadable(unreadable, "checkpoint")
    return None if isinstance(prediction, str) else prediction


start_page("Samples")
st.title("Samples")
st.markdown("The 7,442 clips of CREMA-D: 91 actors, twelve sentences, six acted emotions.")
corpus = Corpus.open()
if not corpus.present:
    st.info(f"No clips are on this machine yet; everything but their sound is here. {HOW_TO_GET_CLIPS}")
if clip := choose_clip(filters(clip_table(), corpus)):
    show_clip(clip, corpus)
    show_six(clip, corpus)
