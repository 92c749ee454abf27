"""Columns of the table."""

from __future__ import annotations

import json
from typing import Any

from ser_core.serving.many.blocks import Row
from ser_core.serving.rows import COLUMNS

EMBEDDING = "embedding"


def columns(windows: bool, embeddings: bool) -> tuple[str, ...]:
    """Names of all columns, in order.

    Args:
        windows: whether a row is a window, with `start` and `end` in seconds, and not a file.
        embeddings: whether there are embeddings.
    """
    times = ("start", "end") if windows else ()
    first, *rest = COLUMNS
    return (first, *times, *rest, *((EMBEDDING,) if embeddings else ()))


def error_row(error: str) -> Row:
    """The one row of a file that can't be used."""
    return as_row({"warnings": [], "error": error})


def as_row(values: dict[str, Any], embedding: bytes | None = None) -> Row:
    """A row of values by column; what is missing is None, and the file's name is known already."""
    return Row(json.dumps({key: value for key, value in values.items() if key != "file"}), embedding)
