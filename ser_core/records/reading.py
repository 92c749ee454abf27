"""How the files of records and checkpoints are read: each against its schema, which is a dataclass.

Whatever a file holds, reading it ends in a value of that type, or in a sentence that says where it is wrong. Types and
places are pydantic's business; ranges, and what has to agree, are checked by the dataclasses themselves.
"""

from __future__ import annotations

import csv
import json
import math
from functools import cache
from pathlib import Path
from reprlib import repr as brief  # a damaged file may hold anything: however long and deep, it stays short
from typing import TYPE_CHECKING, Any, TypeVar

from ser_core.errors import ConfigError
from ser_core.json_file import EXACT_DIGITS, check_size

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Value = TypeVar("Value")
MAX_TEXT = 5000  # characters of a text: more than any path has

EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_too_long": f"a text of at most {MAX_TEXT} characters",
    "bool_type": "true or false",
    "dict_type": "an object",
    "dataclass_type": "an object",
    "tuple_type": "a list",
    "float_parsing": "a number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}
"""What to say of pydantic's kinds of errors."""


def read_value(kind: type[Value], value: object, where: str = "") -> Value:
    """A dataclass from plain values as JSON has them: of exactly these types, finite, and with no other entry.

    Args:
        where: the value is in its file, if it is a part of that.

    Raises:
        ValueError: the first that is wrong, its place and what it should be.
    """
    from pydantic import ValidationError

    try:
        # As text, since pydantic makes dataclasses of objects, and tuples of lists, if these are JSON and not Python's.
        read: Value = _file_of(kind).model_validate_json(json.dumps({"it": value})).it  # type: ignore[arg-type]
        return read
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValidationError as error:
        raise ValueError(_said(first := error.errors(include_url=False)[0], where, first["loc"][1:])) from None


@cache
def _file_of(kind: Any) -> Any:
    """The schema of a file that holds one value; dataclasses inside it, too, are read as its configuration says."""
    from pydantic import ConfigDict, create_model

    exact = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, str_max_length=MAX_TEXT)
    return create_model("File", __config__=exact, it=(kind, ...))


def read_table(path: Path, kind: type[Value]) -> list[Value]:
    """The rows of a CSV file with a header, each as a dataclass of its columns; columns of other names are left out.

    Raises:
        OSError: it can't be read.
        ValueError: it is too large, no text, or has no row of this kind: the first that is wrong, and its line.
    """
    from pydantic import ValidationError

    check_size(path)
    with path.open(encoding="utf-8", newline="") as table:
        reader = csv.DictReader(table, restkey="")  # what stands beyond the header is left out, too
        try:
            rows = list(reader)
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num + 1}: {error}") from None
    try:
        read: list[Value] = _rows_of(kind).validate_python(rows)  # type: ignore[arg-type]
        return read
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        line, *place = first["loc"]
        raise ValueError(f"line {int(line) + 2}: {_said(first, '', tuple(place))}") from None


@cache
def _rows_of(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(list[kind])


def _said(error: ErrorDetails, where: str, place: tuple[int | str, ...]) -> str:
    name, kind, context = _place_name(where, place), error["type"], error.get("ctx", {})
    within, _, entry = name.rpartition(".")
    match kind:
        case "json_invalid":
            deep = "recursion" in context["error"]
            return "it is nested too deeply" if deep else "it holds half of a character"
        case "missing":
            return f"{name} is missing"
        case "unexpected_keyword_argument":
            return f"{within or 'it'} has no entry {brief(entry)}"
        case "value_error" if isinstance(reason := context["error"], ConfigError):
            return f"{name}: {str(reason).rstrip('.')}".removeprefix("it: ")
        case "value_error":  # a sentence that begins with a field of it
            return f"{name}.{context['error']}".removeprefix("it.")
        case "literal_error":
            expected = f"one of {context['expected']}".replace("'", "").replace(" or ", ", ")
        case "int_type" if isinstance(error["input"], float) and math.isinf(error["input"]):
            return f"{name} should be a whole number of at most {EXACT_DIGITS} digits"
        case _:
            expected = EXPECTED.get(kind, error["msg"])
    return f"{name} should be {expected}, not {brief(error['input'])}"


def _place_name(where: str, place: tuple[int | str, ...]) -> str:
    """As `metrics.confusion[0][1]`; `it` for the whole."""
    name = where + "".join(f"[{part}]" if isinstance(part, int) else f".{brief(part)[1:-1]}" for part in place)
    return name.removeprefix(".") or "it"
