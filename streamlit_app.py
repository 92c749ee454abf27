"""Home: try it, what this is, and the way in.

streamlit run streamlit_app.py
"""

from __future__ import annotations

import streamlit as st

from ser_app.downloads import offer_rows
from ser_app.messages import show_unreadable
from ser_app.navigation import PAGES, start_page
from ser_app.overview_view import overview
from ser_app.records import HOW_TO_TRAIN, evaluations, records
from ser_app.try_view import show_try
from ser_core.analysis.overview import Bar, bar_rows, model_bars, people_bar
from ser_core.analysis.report import REPORT_ANCHOR, REPORT_SUMMARY
from ser_core.corpus.clips import load_index
from ser_core.corpus.folder import Corpus
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.words import code, percent

CARDS_IN_A_ROW = 3
# The link of a card covers all of it.
WHOLE_CARDS = """<style>
[class*="st-key-card-"] {position: relative}
[class*="st-key-card-"]:hover {border-color: currentColor}
[class*="st-key-card-"] a::after {content: ""; position: absolute; inset: 0; z-index: 1}
[class*="st-key-card-"] :has(a), [class*="st-key-card-"] a {position: static}
</style>"""


@st.cache_data(show_spinner=False)
def people() -> Bar:
    """How often people are right."""
    return people_bar(list(load_index().values()))


def show_overview() -> None:
    """One picture of people and the best models, which records make."""
    st.header("How often people and models are right")
    finished, unreadable = records()
    evaluated, unreadable_evaluations = evaluations()
    bars = [people(), *model_bars(finished, evaluated, list_checkpoints(checkpoints_dir()))]
    with st.container(border=True):
        st.html(overview(bars))
        st.caption(
            "Share of right answers among six emotions; thin lines are 95 % intervals, the dashed one is guessing. "
            "People heard each actor for the first time, and models have learned how actors mean it: they are not "
            "better listeners. On recordings from elsewhere they get worse."
        )
        offer_rows(lambda: bar_rows(bars), "overview", "how often people and models are right")
    if finished:
        first = {bar.runs[0]: len(bar.runs) > 1 for bar in bars if bar.runs}
        names = " and ".join(f"{code(name)}{' with its other folds' * folds}" for name, folds in first.items())
        st.caption(
            f"The best by validation accuracy, those that can be tried here first: {names}. "
            f"All {len(finished)} runs are on Runs."
        )
    else:
        st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
    show_unreadable(unreadable | unreadable_evaluations)


def show_ways_in() -> None:
    """A card a page, all of which is its link."""
    st.html(WHOLE_CARDS)
    _, *pages = PAGES
    cards = (column for _ in range(0, len(pages), CARDS_IN_A_ROW) for column in st.columns(CARDS_IN_A_ROW))
    for page, card in zip(pages, cards, strict=False):
        with card, st.container(border=True, height="stretch", key=f"card-{page.label.lower()}"):
            st.page_link(page.path, label=f"**{page.label}**", icon=page.icon)
            st.markdown(page.description)


start_page("Home")
st.title("Speech emotion recognition")
st.markdown(
    "Anger, disgust, fear, happiness, sadness or none of them: neural networks that hear emotion in a few "
    "seconds of speech, trained on [CREMA-D](https://github.com/CheyneyComputerScience/CREMA-D)."
)
show_try()
show_overview()
show_ways_in()

st.header("The report", anchor=REPORT_ANCHOR)
st.markdown(REPORT_SUMMARY)

st.header("What it can't do")
st.markdown(
    "The emotions are acted, in English, in twelve sentences. What a network hears in a voice is not what a person "
    "feels: people who only heard these clips named the intended emotion in "
    f"{percent(people().accuracy, 0)} of ratings. Don't judge anybody by it."
)
corpus = Corpus.open()
if not corpus.present:
    from ser_app.loaders import HOW_TO_GET_CLIPS

    st.info(f"No CREMA-D clips are on this machine; all pages work without them. {HOW_TO_GET_CLIPS}")
