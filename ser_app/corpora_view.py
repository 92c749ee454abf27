"""Models beside corpora: what each hears in clips that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ser_app.charts import show_figure
from ser_app.titles import titles
from ser_core.analysis.corpora import CHANCE, corpus_matrices, evaluation_rows
from ser_core.records.evaluations import Evaluation
from ser_core.words import percent

COLUMNS = {
    "model": st.column_config.TextColumn(width=300),
    "in the training set": st.column_config.TextColumn(width=130, help="What of the corpus is in the training set"),
    "UAR": st.column_config.NumberColumn(format="%.1f %%", help="Unweighted average recall"),
    "interval": st.column_config.TextColumn("95\u00a0% interval", width=110, help="Of the UAR"),
    "over": st.column_config.TextColumn(width=140, help="What the interval is over"),
    "calibration error": st.column_config.NumberColumn(
        format="%.1f %%", help="How far a stated probability is from how often it is right, on average"
    ),
    **{name: st.column_config.NumberColumn(format="%.1f %%") for name in ("accuracy", "UAR, female", "UAR, male")},
    "no answer": st.column_config.NumberColumn(help="Clips in which no speech was found, or that can't be read"),
    "left out": st.column_config.NumberColumn(help="Clips of other emotions, or that are in the training set"),
}


def show_corpora(evaluations: Sequence[Evaluation]) -> None:
    """Models beside corpora."""
    st.caption(
        "How well each model hears each corpus: the unweighted average recall, which is the mean of the emotions' "
        f"recalls (chance is {percent(CHANCE, 0)}), and its 95\u00a0% interval. **New corpus**: nothing of it is "
        "in the training set. "
        "**New speakers**: it is the model's own corpus, but none of these speakers is in the training set. "
        "**Same speakers**: other clips of speakers who are in the training set, which is the easiest."
    )
    figures = corpus_matrices(evaluations, titles())
    cells = [cell for _ in figures[::2] for cell in st.columns(min(2, len(figures)))]
    for i, (cell, figure) in enumerate(zip(cells, figures, strict=False)):
        with cell, st.container(border=True):
            show_figure(
                figure,
                f"corpora-{i}",
                file="average recall by model and corpus",
                alt="Average recall of each model on each corpus",
            )
    st.dataframe(
        pd.DataFrame(evaluation_rows(evaluations)),
        hide_index=True,
        column_config=COLUMNS,
        placeholder="–",
        key="evaluations",
    )
