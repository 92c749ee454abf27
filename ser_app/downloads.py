"""Downloads of the numbers behind what a page shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from ser_core.serving.rows import to_csv


def file_name(said: str) -> str:
    """What a file may be called that says this: lower-case words and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", said.lower().replace("'", "")).strip("-.")


def offer_rows(rows: Callable[[], Sequence[dict[str, Any]]], key: str, file: str, *, disabled: bool = False) -> None:
    """A button for the numbers behind what is shown, which are asked for when it is pressed; all have the same keys."""

    def table() -> str:
        known = rows()
        return to_csv(known, list(known[0])) if known else ""

    st.download_button(
        "Data",
        table,
        f"{file_name(file)}.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        disabled=disabled,
        key=f"{key}-data",
        help="The figure's numbers as CSV",
    )
