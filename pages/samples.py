"""Samples: find a CREMA-D clip, hear it, see it, and compare what people and a model heard."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ser_app.address import asked_for, choose, choose_number, say_unknown, switch
from ser_app.answers import verdict, worth
from ser_app.clip_list import COLUMNS as LISTED
from ser_app.clip_view import describe, rater_bars, show_clip_sound, show_shares, show_steps
from ser_app.loaders import (
    HOW_TO_GET_CLIPS,
    checkpoints,
    clip_prediction,
    clip_table,
    predictor,
    was_trained_on,
)
from ser_app.messages import literal, sentence, show_unreadable
from ser_app.navigation import start_page
from ser_app.similar_view import show_similar
from ser_app.six_view import show_six
from ser_app.tables import choose_named_row
from ser_app.titles import about_checkpoint, choose_model, title
from ser_app.why_view import show_why
from ser_core.corpus.clips import Clip, find_clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import INTENSITIES, SENTENCES
from ser_core.emotions import EMOTION_NAMES
from ser_core.errors import SERError
from ser_core.serving.prediction import UNSURE, Prediction

COLUMNS = {
    **{name: LISTED[name] for name in ("clip", "intended", "raters heard", "raters agree", "sentence")},
    "seconds": st.column_config.NumberColumn(format="%.2f"),
    "actor": st.column_config.NumberColumn(format="%d"),
}
SHOWN = [
    "clip",
    "intended",
    "raters heard",
    "raters agree",
    "sentence",
    "intensity",
    "actor",
    "sex",
    "age",
    "race",
    "seconds",
    "split",
    "defect",
]

FILTERS = ("emotion", "intensity", "sentence", "split", "sex", "race", "age", "agreed", "only-here")


def filters(table: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    """Draw the filters and return the rows that pass them."""
    with st.expander("Filter", asked_for(FILTERS), icon=":material/filter_list:"):
        first, second = st.columns(4), st.columns(4)
        emotions, races = list(EMOTION_NAMES.values()), sorted(table["race"].unique())
        chosen = {
            "intended": choose(first[0].multiselect, "Emotion", emotions, key="emotion"),
            "intensity": choose(first[1].multiselect, "Intensity", list(INTENSITIES.values()), key="intensity"),
            "sentence": choose(first[2].multiselect, "Sentence", list(SENTENCES.values()), key="sentence"),
            "split": choose(first[3].multiselect, "Split of the report", ["train", "val", "test"], key="split"),
            "sex": choose(second[0].multiselect, "Sex", sorted(table["sex"].unique()), key="sex"),
            "race": choose(second[1].multiselect, "Race", races, key="race"),
        }
        youngest, oldest = int(table["age"].min()), int(table["age"].max())
        low, high = choose_number(second[2].slider, "Age", youngest, oldest, (youngest, oldest), key="age")
        agreement = choose_number(
            second[3].slider,
            "Voice-only raters agreed, at least",
            0,
            100,
            0,
            key="agreed",
            format="%d %%",
            help="Share of the most chosen emotion",
        )
        some = 0 < len(corpus.present) < len(table)
        label = f"Only the {len(corpus.present):,} clips whose sound is on this machine"
        here = some and switch(label, key="only-here")
    keep = table["age"].between(low, high) & (table["raters agree"] >= agreement)
    if here:
        keep &= table["clip"].isin(corpus.present)
    for column, values in chosen.items():
        if values:
            keep &= table[column].isin(values)
    return table[keep]


def why_no_clip(name: str) -> str:
    """What is wrong with a name, as the end of a sentence; nothing if it is a clip's."""
    try:
        find_clip(name)
    except SERError as error:
        return sentence(error).removesuffix(".")
    return ""


def choose_clip(table: pd.DataFrame) -> Clip | None:
    """Draw the table; the clip is the row that was chosen, or the one in the address, or the one shown before."""
    st.caption(f"{len(table):,} of {len(load_index()):,} clips. Click on one to hear it.")
    say_unknown("clip", known=load_index(), why=why_no_clip(st.query_params.get("clip", "")))
    names = list(table["clip"])
    # The key holds the rows: when a filter changes them, an old selection would mean another clip.
    key = f"clips-{hash(tuple(names))}"
    name = choose_named_row(
        table[SHOWN], names, key, "clip", required=False, height=280, column_config=COLUMNS, alt="Clips of CREMA-D"
    )
    show_steps(key, names, name)
    clip = load_index().get(name or "")
    if clip and clip.name not in names:
        st.info(f"{literal(clip.name)} is not among these clips: change the filter.", icon=":material/filter_list:")
        return None
    return clip


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
        show_similar(prediction, clip.name, "clip")


def show_opinions(clip: Clip, corpus: Corpus) -> Prediction | None:
    """What raters heard and saw beside what a model says, which is returned, if it says something."""
    st.caption(f"What people heard and what the model predicts; intended: {EMOTION_NAMES[clip.emotion]}")
    bars = rater_bars(clip)
    names, unreadable = checkpoints()
    prediction = None
    if names:
        checkpoint = choose_model(st.selectbox, names)
        st.caption(about_checkpoint(checkpoint))
        prediction = clip_prediction(clip, corpus, checkpoint)
        if isinstance(prediction, str):
            st.warning(sentence(prediction))
        elif prediction is None:
            st.caption("The model can't answer: the sound of this clip is not on this machine.")
        else:
            bars[f"model {title(checkpoint)}"] = prediction.probabilities
            headline, detail = verdict(prediction.probabilities, prediction.min_confidence)
            intended = "as" if prediction.answer == clip.emotion else EMOTION_NAMES[clip.emotion]
            says = "is" if prediction.answer == UNSURE else "predicts"
            st.markdown(f"The model {says} **{headline.lower()}** ({detail}), {intended} intended.")
            st.caption(worth(checkpoint))
            if was_trained_on(checkpoint, clip):
                st.caption("The model was trained on this clip.")
    show_shares(clip, bars)
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
