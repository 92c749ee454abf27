"""The same networks on speakers whom they learned from, and on speakers whom they never heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from ser_app.charts import show_figure
from ser_app.tables import interval_column
from ser_core.analysis.comparable import over
from ser_core.analysis.speakers import HEARD, UNHEARD, Speakers, speaker_rows, speakers_figure
from ser_core.analysis.steps import INTERVAL
from ser_core.corpus.splits import SPLITS
from ser_core.training.config import TrainConfig
from ser_core.words import code, listed

SPEAKERS = {
    HEARD: "Accuracy on the report's test clips, whose speakers are in training, too",
    UNHEARD: "Accuracy on the test clips of all folds that were trained, whose speakers are in no training clip",
}
SHORT = {HEARD: "learned from", UNHEARD: "never heard"}


def show_speakers(results: Sequence[Speakers], missing: Sequence[TrainConfig]) -> None:
    """A line a run that was trained both ways, and which of the report's networks were not.

    Args:
        missing: see `ser_core.analysis.speakers.not_yet`.
    """
    runs = [run for result in results for run in (result.shared, *result.folds)]
    st.caption(
        "Each network was trained in two ways: on the report's split, which tests it on speakers it learned from, and, "
        "with the same settings, on folds that keep speakers apart. Whoever uses it is somebody it never heard. Five "
        "folds together test it on all speakers, fewer on some of them, and some folds are harder than others: compare "
        f"networks that were tested on the same folds. Intervals are over {over(runs)}."
    )
    alt = "Accuracy on speakers it learned from, and on speakers it never heard"
    show_figure(speakers_figure(results), "speakers", alt=alt, data=False)  # the table has them
    table = pd.DataFrame(speaker_rows(results))
    table[[HEARD, UNHEARD]] *= 100
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            "run": st.column_config.TextColumn(width=270),
            **{name: st.column_config.NumberColumn(format="%.1f %%", help=text) for name, text in SPEAKERS.items()},
            **{name + INTERVAL: interval_column(short) for name, short in SHORT.items()},
            "difference": st.column_config.NumberColumn(format="%+.1f", help="In points"),
        },
        alt="Speakers",
    )
    if missing:
        names = dict.fromkeys(code(replace(config, split=SPLITS[0]).name) for config in missing)
        st.caption(
            f"Not trained on all folds yet: {listed(list(names), 'and')}. `python grid.py speakers` does it; with "
            "`--list` it says how long that takes."
        )
