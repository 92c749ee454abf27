"""Charts as all pages show them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ser_app.downloads import offer_rows
from ser_app.nearby import is_near
from ser_core.analysis.figures import figure_rows, in_dark
from ser_core.emotions import EMOTION_NAMES
from ser_core.words import percent

CHART = {"displaylogo": False}
USUAL_HEIGHT = 450  # pixels, of a figure that says none: Plotly's


def spoken(shares_by_source: Mapping[str, Mapping[str, float]]) -> str:
    """Shares of emotions in words, the greatest three of each source: for those who can't see a figure of them."""
    parts = []
    for source, shares in shares_by_source.items():
        known = [emotion for emotion, share in shares.items() if share is not None and math.isfinite(share)]
        greatest = sorted(known, key=lambda emotion: -shares[emotion])[:3]
        said = ", ".join(f"{EMOTION_NAMES[emotion]} {percent(shares[emotion], 0)}" for emotion in greatest)
        parts.append(f"{source}: {said}")
    return "; ".join(parts)


def show_figure(
    figure: go.Figure,
    key: str,
    *,
    alt: str,
    file: str | None = None,
    data: bool = True,
    at_once: bool = False,
    **options: Any,
) -> None:
    """A figure whose own menu saves it as an image, with its data to download; drawn when the visitor gets there.

    Args:
        figure: to show.
        key: of its element.
        alt: what it shows, for those who can't see it.
        file: what the downloaded table is called, without `.csv`; the key, unless it says otherwise.
        data: whether its data are offered.
        at_once: whether it is drawn wherever it stands: what stands at the top of a page, or grows while it is shown.
        options: of `st.plotly_chart`.
    """
    height = int(figure.layout.height or USUAL_HEIGHT)
    if st.context.theme.type == "dark":
        figure = in_dark(figure)

    def draw() -> None:
        st.plotly_chart(figure, config=CHART, key=key, alt=alt, **options)
        if data:
            offer_data(figure, key, file or key)

    if at_once:
        draw()
    elif "on_select" in options:  # a selection is for the whole page to follow, which no fragment could
        if is_near(key, height):
            draw()
    else:
        _when_near(key, height, draw)


@st.fragment
def _when_near(key: str, height: int, draw: Callable[[], None]) -> None:
    if is_near(key, height):
        draw()


def offer_data(figure: go.Figure, key: str, file: str) -> None:
    """A button for a figure's numbers, which are written when it is pressed."""

    offer_rows(lambda: figure_rows(figure), key, file, disabled=not figure.data)
