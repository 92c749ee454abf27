"""Tables whose rows are chosen: by a click on any of their cells, by their boxes, or with the arrow keys.

Streamlit selects a row by its box only. So cells can be selected, too, and the row of a selected cell is the one that
is chosen: as the arrow keys move the cell, they move the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ser_app.address import gone_back
from ser_app.navigation import OPEN_PAGE


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


def choose_named_row(
    table: pd.DataFrame, names: Sequence[str], key: str, parameter: str, *, required: bool = True, **options: Any
) -> str | None:
    """Draw a table of which one row is chosen, whose name lives in the address; the name.

    An address whose name isn't in the table is followed as soon as it is: until then it is the name that is returned.

    Args:
        names: of the rows, of which each is another one.
        key: holds what the rows are, see `choose_row`.
        parameter: of the address. With `required`, it doesn't have the first row, which needs no choice.
        required, options: see `choose_row`.
    """
    first = names[0] if required and names else None
    remembered = f"{parameter}-shown-on-{st.session_state.get(OPEN_PAGE)}"
    asked, shown = st.query_params.get(parameter), st.session_state.get(remembered)
    if shown in names and gone_back(parameter, shown) and is_chosen(key, names.index(shown)):
        shown = None
        keep(key, [0] if required else [])
    wanted = asked or shown
    if wanted in names and (key not in st.session_state or wanted != shown):
        keep(key, [names.index(wanted)])
    row = choose_row(table, key, required=required, **options)
    unlisted: str | None = None if wanted in names else wanted  # if it is listed, its box was cleared
    name = unlisted if row is None else names[row]
    st.session_state[remembered] = None if name == first else name
    if name is None or name == first:
        st.query_params.pop(parameter, None)
    else:
        st.query_params[parameter] = name
    return name


def filled(table: pd.DataFrame) -> list[str]:
    """The columns of a table in which any row has something."""
    return [name for name in table.columns if table[name].notna().any()]


def interval_column(of: str, meaning: str | None = None, width: int = 100) -> Any:
    """A column of 95 % intervals, narrow, and named by the figure that they are of, which help may call otherwise."""
    return st.column_config.TextColumn(f"{of}, 95\u00a0%", width=width, help=f"95\u00a0% interval: {meaning or of}")


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
