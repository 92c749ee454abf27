"""What each step gives towards hearing the voice and not the recording."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ser_core.analysis.comparable import over
from ser_core.analysis.steps import INTERVAL, StepResult, step_rows
from ser_core.errors import RunError
from ser_core.models.registry import model_label

PERCENT = {
    "validation": "Accuracy on the validation clips, in the epoch that was chosen",
    "test": "Accuracy on the test clips",
}
RECALL = "Unweighted average recall in a corpus of which nothing was trained on"


def show_steps(results: Sequence[StepResult]) -> None:
    """A row a step."""
    run = results[0].run
    st.caption(
        "A network that hears the recording and not the voice fails on other microphones. Each row trains the "
        f"{model_label(run.train.model)} network with one thing more, from the same seed and for {run.train.epochs} "
        "epochs. **Gained**: points of test accuracy more than the step that it is added to. Intervals are over "
        f"{over([result.run for result in results])}."
    )
    try:
        table = pd.DataFrame(step_rows(results))
    except RunError as error:
        st.warning(str(error))
        return
    columns = {name: st.column_config.NumberColumn(format="%.1f %%", help=text) for name, text in PERCENT.items()}
    columns["gained"] = st.column_config.NumberColumn(
        format="%+.1f", help="Of test accuracy, in points; a step is beyond chance if the interval excludes 0"
    )
    for name in table.columns:
        if name.startswith("UAR, ") and not name.endswith(INTERVAL):
            columns[name] = st.column_config.NumberColumn(format="%.1f %%", help=RECALL)
    st.dataframe(table, hide_index=True, column_config=columns, placeholder="–", height="content", key="steps")
