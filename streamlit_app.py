"""Home: what this is, the best result, and the way in.

streamlit run streamlit_app.py
"""

from __future__ import annotations

import streamlit as st

from ser_app.messages import show_unreadable
from ser_app.navigation import PAGES, start_page
from ser_app.records import HOW_TO_TRAIN, records
from ser_core.analysis.comparable import by_split
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTIONS
from ser_core.records.runs import Run

CARDS_IN_A_ROW = 4


def show_best(runs: list[Run]) -> None:
    """The best run's figures; validation accuracy picks it among runs of one split, the test set only reports."""
    of_split = next(iter(by_split(runs).values()))
    best = max(of_split, key=lambda run: run.val_rank)
    metrics, (low, high) = best.metrics, best.accuracy_interval
    clips = best.environment.clips.test
    st.subheader("Best model so far")
    st.markdown(
        f"`{best.name}`, chosen by validation accuracy among {len(of_split)} recorded "
        f"run{'s' if len(of_split) > 1 else ''} of the split `{best.split_name}`."
    )
    accuracy, f1, recall = st.columns(3)
    accuracy.metric(
        "Test accuracy",
        f"{metrics.accuracy:.1%}",
        f"95 % interval {low:.1%} to {high:.1%}",
        delta_color="off",
        delta_arrow="off",
        help=f"On {clips:,} clips it never saw; intervals are bootstrapped over {best.intervals_over}",
        border=True,
    )
    for column, label, key in ((f1, "Weighted F1", "f1_weighted"), (recall, "Unweighted average recall", "uar")):
        low, high = metrics.intervals[key]
        interval = f"95 % interval {low:.3f} to {high:.3f}"
        column.metric(label, f"{metrics.summary[key]:.3f}", interval, delta_color="off", delta_arrow="off", border=True)
    st.caption(f"Guessing would be right for 17 % of the clips. Intervals are over {best.intervals_over}.")


@st.cache_data(show_spinner=False)
def voice_recognition() -> float:
    """Share of voice-only ratings that name the intended emotion, over all clips."""
    clips = load_index().values()
    right = sum(clip.voice.counts[EMOTIONS.index(clip.emotion)] for clip in clips)
    return right / sum(clip.voice.total for clip in clips)


def show_ways_in() -> None:
    """A card a page."""
    _, *pages = PAGES
    cards = (column for _ in range(0, len(pages), CARDS_IN_A_ROW) for column in st.columns(CARDS_IN_A_ROW))
    for page, card in zip(pages, cards, strict=False):
        with card, st.container(border=True, height="stretch"):
            st.page_link(page.path, label=f"**{page.label}**", icon=page.icon)
            st.markdown(page.description)


start_page("Home")
st.title("Speech emotion recognition")
st.markdown(
    "Anger, disgust, fear, happiness, sadness or none of them: neural networks that hear emotion in a few "
    "seconds of speech, trained on [CREMA-D](https://github.com/CheyneyComputerScience/CREMA-D)."
)
show_ways_in()
finished, unreadable = records()
if finished:
    show_best(finished)
else:
    st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
show_unreadable(unreadable)

st.subheader("What it can't do")
st.markdown(
    "The emotions are acted, in English, in twelve sentences. What a network hears in a voice is not what a person "
    f"feels: people who only heard these clips named the intended emotion in {voice_recognition():.0%} of ratings. "
    "Don't judge anybody by it."
)
corpus = Corpus.open()
if not corpus.present:
    from ser_app.loaders import HOW_TO_GET_CLIPS

    st.info(f"No CREMA-D clips are on this machine; all pages work without them. {HOW_TO_GET_CLIPS}")
