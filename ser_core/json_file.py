"""Files from anywhere, read within limits: JSON, and how large a table may be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

MAX_JSON_BYTES = 4_000_000  # hundreds of times what the largest record has
MAX_TABLE_BYTES = 200_000_000  # the predictions of two million clips
EXACT_DIGITS = 15  # whole numbers of so many are exact wherever they are shown


def check_size(path: Path, largest: int = MAX_TABLE_BYTES) -> None:
    """Nothing, if a file may be read whole.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is no file, as a pipe, for which reading would wait; or too large.
    """
    if (size := path.stat().st_size) > largest:
        raise ValueError(f"it has {size:,} bytes, and at most {largest:,} are read")
    if not path.is_file():
        raise ValueError("it is not a file")


def read_json(path: Path, encoding: str = "utf-8") -> Any:
    """What a JSON file holds; a whole number of more than 15 digits, which nothing can count, as infinity.

    Raises:
        OSError: it can't be read.
        ValueError: it is no JSON, or too large or too deep.
    """
    check_size(path, MAX_JSON_BYTES)
    try:
        return json.loads(path.read_text(encoding), parse_int=_whole_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _whole_number(digits: str) -> int | float:
    if len(digits.lstrip("-")) <= EXACT_DIGITS:
        return int(digits)
    return -math.inf if digits.startswith("-") else math.inf
