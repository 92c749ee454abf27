"""The checkpoints beside each other: how good, how large, how fast."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ser_app.charts import show_figure
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, about_checkpoint, checkpoint_files, checkpoints, predictor, said
from ser_app.messages import show_unreadable
from ser_core.analysis.report import REPORT_LINK
from ser_core.analysis.run_figures import cost_figure
from ser_core.errors import SERError
from ser_core.file_state import Fingerprint
from ser_core.models.registry import model_label

MEASURED = "latency-measured"
COLUMNS = {
    "accuracy": st.column_config.NumberColumn(format="%.1f %%", help="Of the test clips of its run"),
    "megabytes": st.column_config.NumberColumn("MB", format="%.1f", help="Of its weights"),
    "parameters": st.column_config.NumberColumn(format="localized"),
    "milliseconds": st.column_config.NumberColumn(
        "ms for 3 s", format="%.0f", help="From 3 s of audio to its answer, on one core of this server"
    ),
}


def show_checkpoints() -> None:
    """A table and a figure."""
    names, unreadable = checkpoints()
    if not names:
        st.error(HOW_TO_MAKE_CHECKPOINTS)
    else:
        st.caption(
            "The networks that Classify, Live and Samples offer. The first is the default: of the checkpoints of the "
            f"{REPORT_LINK}'s split, the one with the best validation accuracy."
        )
        if st.button("Measure their speed on this server", icon=":material/timer:"):
            st.session_state[MEASURED] = True
        rows = [_row(name, measured=MEASURED in st.session_state) for name in names]
        table = pd.DataFrame(rows)
        st.dataframe(table, hide_index=True, column_config=COLUMNS, placeholder="–", key="checkpoints")
        cost = "milliseconds" if table["milliseconds"].notna().any() else "megabytes"
        st.caption(
            f"Accuracy over {'time for 3 s of audio' if cost == 'milliseconds' else 'size'}; the area of a mark is its "
            "number of parameters."
        )
        shown = [row for row in rows if row["accuracy"] is not None and row[cost] is not None]
        show_figure(cost_figure(shown, cost), "checkpoint-cost")
    show_unreadable(unreadable, "checkpoint")


def _row(name: str, *, measured: bool) -> dict:
    from ser_core.records.checkpoints import checkpoints_dir, load_config

    folder = checkpoints_dir() / name
    config = load_config(folder)
    accuracy = said(config.provenance, "test", "metrics", "accuracy")
    return {
        "checkpoint": name,
        "network": model_label(config.model),
        "accuracy": None if accuracy is None else 100 * accuracy,
        "megabytes": (folder / "model.safetensors").stat().st_size / 1e6,
        "parameters": said(config.provenance, "test", "parameters"),
        "milliseconds": _milliseconds(name, checkpoint_files(name)) if measured else None,
        "what it is": about_checkpoint(name),
    }


@st.cache_data(show_spinner="Measuring…")
def _milliseconds(name: str, files: Fingerprint) -> float | None:
    from ser_core.serving.latency import one_core_milliseconds

    try:
        return one_core_milliseconds(predictor(name))
    except SERError:
        return None
