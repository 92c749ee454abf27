"""Many recordings: a table that says first who is odd, to sort, to filter and to download, and one to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ser_app.answers import show_adapted_to
from ser_app.downloads import file_name
from ser_app.tables import choose_row
from ser_app.titles import title
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.serving.prediction import UNSURE
from ser_core.serving.rows import to_csv, to_json

ODD = {
    "failed": ":material/error: failed",
    "unsure": ":material/help: unsure",
    "warned": ":material/warning: warned",
}
"""What may be odd about a recording, the worst first, with what it is called."""


def odd(row: dict[str, Any]) -> str:
    """What is odd about a result, a key of `ODD`; empty where nothing is."""
    if row["error"]:
        return "failed"
    if row["answer"] == UNSURE:
        return "unsure"
    return "warned" if row["warnings"] else ""


def odd_first(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same results, the odd ones first, the others as they come."""
    order = [*ODD, ""]
    return sorted(rows, key=lambda row: order.index(odd(row)))


def show_many(rows: Sequence[dict[str, Any]]) -> str | None:
    """The table with what is above and below it; the name of the recording that is chosen in it, if one is."""
    found = Counter(odd(row) for row in rows)
    kinds = [kind for kind in ODD if found[kind]]
    shown = (
        st.pills(
            "Show only",
            kinds,
            format_func=lambda kind: f"{ODD[kind]} ({found[kind]:,})",
            selection_mode="multi",
            help="Failed: it can't be read, or nobody speaks in it. Unsure: no emotion is likely enough. Warned: "
            "something about it makes the answer less certain.",
        )
        if kinds
        else []
    )
    picked = [row for row in odd_first(rows) if not shown or odd(row) in shown]
    st.caption("Click on a recording to see it, or go through them with the arrow keys.")
    looked_at = choose_result(picked, [odd(row) for row in picked])
    downloads(rows, "Predictions", "predictions")
    return looked_at


SHOWN = EMOTION_NAMES | {
    "checkpoint": "model",
    "confidence": "model score",
    "emotion": "likeliest",
    "speech_seconds": "seconds of speech",
}
"""Columns that are called otherwise in the app than in files."""


def choose_result(
    rows: Sequence[dict[str, Any]], oddities: Sequence[str] | None = None, *, required: bool = False
) -> str | None:
    """Results as a table of which a row may be chosen, or with `required` always is; the name of its recording.

    What is wrong with a file stands beside its name. Of no results, there is no table.
    """
    if not rows:
        return None
    table, options = _table(rows, oddities)
    key = f"results-{hash(tuple((row['file'], row['checkpoint']) for row in rows))}"
    row = choose_row(table, key, required=required, **options)
    return None if row is None else rows[row]["file"]


def show_so_far(rows: Sequence[dict[str, Any]]) -> None:
    """The table alone, in the order in which results come, with the columns that it will have."""
    if rows:
        table, options = _table(rows, [odd(row) for row in rows])
        st.dataframe(table, hide_index=True, **options)


def _table(rows: Sequence[dict[str, Any]], oddities: Sequence[str] | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Results as a table, and how it is drawn."""
    table = pd.DataFrame(rows)
    table["note"] = [row["error"] or " ".join(row["warnings"]) for row in rows]
    for column in ("answer", "emotion"):
        table[column] = [EMOTION_NAMES.get(value, value) for value in table[column]]
    table["checkpoint"] = [name and title(name) for name in table["checkpoint"]]
    percentages = ["confidence", *EMOTIONS]
    table[percentages] = 100 * table[percentages].astype(float)
    columns: dict[str, Any] = {
        column: st.column_config.ProgressColumn(SHOWN.get(column, column), format="%.0f %%", min_value=0, max_value=100)
        for column in percentages
    }
    columns["checkpoint"] = st.column_config.TextColumn(SHOWN["checkpoint"])
    columns["emotion"] = st.column_config.TextColumn(SHOWN["emotion"], help="Also where the answer is unsure")
    columns["speech_seconds"] = st.column_config.NumberColumn(SHOWN["speech_seconds"], format="%.1f")
    adapted_to = max((row["adapted_to"] or 0 for row in rows), default=0)
    show_adapted_to(adapted_to)
    order = ["file", "checkpoint", "answer", "emotion", "confidence", "note", *EMOTIONS, "speech_seconds"]
    if adapted_to:
        order.append("adapted_to")
    if oddities is not None:
        table["status"] = oddities
        columns["note"] = st.column_config.TextColumn(width="medium")
        several = len({row["checkpoint"] for row in rows if row["checkpoint"]}) > 1
        order = [
            "file",
            "status",
            *(["checkpoint"] if several else []),
            "answer",
            "confidence",
            "note",
            "emotion",
            *order[6:],
        ]
    empty = {column for column in ("status", "note") if column in table and not any(table[column])}
    if all(row["answer"] == row["emotion"] for row in rows):
        empty.add("emotion")
    order = [column for column in order if column not in empty]
    return table, {"column_config": columns, "column_order": order, "placeholder": "–"}


def downloads(rows: Sequence[dict[str, Any]], what: str, said: str, columns: Sequence[str] | None = None) -> None:
    """Buttons for the rows as CSV and JSON.

    Args:
        what: they are, as "Timeline".
        said: what the files are called.
    """
    left, right, _ = st.columns([1, 1, 2])
    stem = file_name(said)
    text = to_csv(rows, columns) if columns else to_csv(rows)
    for place, kind, data, mime in (
        (left, "CSV", text, "text/csv"),
        (right, "JSON", to_json(rows), "application/json"),
    ):
        place.download_button(
            f"{what} as {kind}",
            data,
            f"{stem}.{kind.lower()}",
            mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"{stem}-{kind}",
        )
