"""Charts as all pages show them."""

from __future__ import annotations

import re
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ser_core.analysis.figures import figure_rows
from ser_core.serving.rows import to_csv

CHART = {"displaylogo": False}


def file_name(said: str) -> str:
    """What a file may be called that says this: lower-case words and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", said.lower().replace("'", "")).strip("-.")


def show_figure(figure: go.Figure, key: str, *, file: str | None = None, **options: Any) -> None:
    """A figure whose own menu saves it as an image, with its data to download.

    Args:
        file: what the downloaded table is called, without `.csv`; the key, unless it says otherwise.
        options: of `st.plotly_chart`.
    """
    st.plotly_chart(figure, config=CHART, key=key, **options)
    rows = figure_rows(figure)
    st.download_button(
        "Data",
        to_csv(rows, list(rows[0])) if rows else "",
        f"{file_name(file or key)}.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        disabled=not rows,
        key=f"{key}-data",
        help="The figure's numbers as CSV",
    )
