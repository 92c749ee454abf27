"""What each step gives towards hearing the voice and not the recording."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ser_app.run_view import show_disagreement
from ser_app.tables import choose_row, filled, interval_column
from ser_core.analysis.comparable import over
from ser_core.analysis.steps import INTERVAL, StepResult, step_rows
from ser_core.errors import RunError
from ser_core.models.registry import model_label

PERCENT = {
    "validation": "Accuracy on the validation clips, in the epoch that was chosen",
    "test": "Accuracy on the test clips",
}
RECALL = "Unweighted average recall on a corpus of which nothing is in the training set"


def show_steps(results: Sequence[StepResult]) -> None:
    """A row a step."""
    run = results[0].run
    st.caption(
        "A network that hears the recording and not the voice fails on other microphones. Each row trains the "
        f"{model_label(run.train.model)} network with one thing more, from the same seed and for {run.train.epochs} "
        "epochs. **Gained**: points of test accuracy more than the step that it is added to. Intervals are over "
        f"{over([result.run for result in results])}. Choose a row to hear the clips on which both differ."
    )
    try:
        table = pd.DataFrame(step_rows(results))
    except RunError as error:
        st.warning(str(error))
        return
    columns = {name: st.column_config.NumberColumn(format="%.1f %%", help=text) for name, text in PERCENT.items()}
    columns["gained"] = st.column_config.NumberColumn(
        format="%+.1f", help="Of test accuracy, in points; beyond chance if the interval excludes 0"
    )
    for name in table.columns:
        if name.startswith("UAR, ") and not name.endswith(INTERVAL):
            columns[name] = st.column_config.NumberColumn(format="%.1f %%", help=RECALL)
    columns["step"] = st.column_config.TextColumn(width=185)
    columns["added to"] = st.column_config.TextColumn(width=110)
    for name in table.columns:
        if name.endswith(INTERVAL):
            columns[name] = interval_column(name.removesuffix(INTERVAL).removeprefix("UAR, "))
    row = choose_row(
        table,
        "steps",
        required=False,
        column_config=columns,
        column_order=filled(table),
        placeholder="–",
        height="content",
        alt="Steps",
    )
    result = results[row] if row is not None else None
    if result and result.before:
        show_disagreement(result.run, result.before, f"step-{result.run.name}")
    elif result:
        st.caption("Nothing was trained with less: there is nothing to compare this step with.")
