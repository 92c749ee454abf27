"""Charts as all pages show them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ser_core.analysis.figures import figure_rows
from ser_core.emotions import EMOTION_NAMES
from ser_core.serving.rows import to_csv

CHART = {"displaylogo": False}


def file_name(said: str) -> str:
    """What a file may be called that says this: lower-case words and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", said.lower().replace("'", "")).strip("-.")


def spoken(shares_by_source: Mapping[str, Mapping[str, float]]) -> str:
    """Shares of emotions in words, the greatest three of each source: for those who can't see a figure of them."""
    parts = []
    for source, shares in shares_by_source.items():
        known = [emotion for emotion, share in shares.items() if share is not None and math.isfinite(share)]
        greatest = sorted(known, key=lambda emotion: -shares[emotion])[:3]
        said = ", ".join(f"{EMOTION_NAMES[emotion]} {shares[emotion]:.0%}" for emotion in greatest)
        parts.append(f"{source}: {said}")
    return "; ".join(parts)


def show_figure(
    figure: go.Figure, key: str, *, alt: str, file: str | None = None, data: bool = True, **options: Any
) -> None:
    """A figure whose own menu saves it as an image, with its data to download.

    Args:
        figure: to show.
        key: of its element.
        alt: what it shows, for those who can't see it.
        file: what the downloaded table is called, without `.csv`; the key, unless it says otherwise.
        data: whether its data are offered.
        options: of `st.plotly_chart`.
    """
    st.plotly_chart(figure, config=CHART, key=key, alt=alt, **options)
    if not data:
        return

    def table() -> str:
        rows = figure_rows(figure)
        return to_csv(rows, list(rows[0])) if rows else ""

    st.download_button(
        "Data",
        table,
        f"{file_name(file or key)}.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        disabled=not figure.data,
        key=f"{key}-data",
        help="The figure's numbers as CSV",
    )
