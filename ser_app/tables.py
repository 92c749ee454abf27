"""Tables whose rows are chosen: by a click on any of their cells, by their boxes, or with the arrow keys.

Streamlit selects a row by its box only. So cells can be selected, too, and the row of a selected cell is the one that
is chosen: as the arrow keys move the cell, they move the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st


def choose_row(table: pd.DataFrame, key: str, *, required: bool = True, **options: Any) -> int | None:
    """Draw a table of which one row is chosen; None if none is.

    Args:
        key: holds what the rows are: where they change, an old choice would mean another row.
        required: one always is, the first to begin with, unless there are no rows.
        options: of `st.dataframe`.
    """
    if not len(table):
        st.dataframe(table, hide_index=True, key=key, **options)
        return None

    def follow() -> None:
        rows, cell = _chosen(key)
        keep(key, rows[:1], cell)

    if key not in st.session_state:
        keep(key, [0] if required else [])
    st.dataframe(
        table,
        hide_index=True,
        on_select=follow,
        selection_mode=["single-row-required" if required else "single-row", "single-cell"],
        key=key,
        **options,
    )
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(table):
        return rows[0]
    return 0 if required else None


def choose_rows(
    table: pd.DataFrame, chosen: Sequence[int], key: str, then: Callable[[list[int], bool], None], **options: Any
) -> None:
    """Draw a table of which several rows may be chosen: their boxes add and remove rows, a cell chooses its row alone.

    Args:
        chosen: rows that are chosen now, whatever the visitor did to this table before.
        then: is called with the rows when that changes, and whether it is one alone, by its cell.
        options: of `st.dataframe`.
    """

    def follow() -> None:
        rows, cell = _chosen(key)
        keep(key, rows, cell)
        then(rows, cell is not None)

    known = st.session_state.get(key)
    if known is None or sorted(known["selection"]["rows"]) != sorted(chosen):
        keep(key, chosen, st.session_state.get(f"{key}-cell"))
    st.dataframe(
        table, hide_index=True, on_select=follow, selection_mode=["multi-row", "single-cell"], key=key, **options
    )


def keep(key: str, rows: Sequence[int], cell: tuple[int, str] | None = None) -> None:
    """Let a table that is drawn after this have these rows chosen."""
    st.session_state[f"{key}-cell"] = cell
    st.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": [cell] if cell else []}}


def is_chosen(key: str, row: int) -> bool:
    """Whether a table that was drawn before has this row chosen, and no other."""
    return key in st.session_state and list(st.session_state[key]["selection"]["rows"]) == [row]


def _chosen(key: str) -> tuple[list[int], tuple[int, str] | None]:
    """The rows that a visitor has chosen, and the cell if it is by that: what changed last counts."""
    selection = st.session_state[key]["selection"]
    cell = tuple(selection["cells"][0]) if selection["cells"] else None
    if cell and cell != st.session_state.get(f"{key}-cell"):
        return [cell[0]], cell
    return list(selection["rows"]), None
