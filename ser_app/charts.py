"""Charts as all pages show them."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ser_core.analysis.figures import figure_rows
from ser_core.serving.rows import to_csv

CHART = {"displaylogo": False}


def show_figure(figure: go.Figure, key: str, **options: Any) -> None:
    """A figure whose own menu saves it as an image, with its data to download; options are `st.plotly_chart`'s."""
    st.plotly_chart(figure, config=CHART, key=key, **options)
    rows = figure_rows(figure)
    st.download_button(
        "Data",
        to_csv(rows, list(rows[0])) if rows else "",
        f"{key}.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        disabled=not rows,
        key=f"{key}-data",
        help="The figure's numbers as CSV",
    )
