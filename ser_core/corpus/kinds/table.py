"""A table of clips: CSV with the columns `file` and `emotion`, and, if you like, `speaker` and `sex`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

from ser_core.corpus.recordings import Labelled
from ser_core.errors import CorpusError

COLUMNS = {
    "file": ("file", "path", "filename"),
    "emotion": ("emotion", "label"),
    "speaker": ("speaker", "speaker_id", "actor"),
    "sex": ("sex", "gender"),
}
"""What a column may be called, in whatever case."""
KNOWN = tuple(chain.from_iterable(COLUMNS.values()))

SEXES = {
    **dict.fromkeys(("female", "f", "w", "woman"), "female"),
    **dict.fromkeys(("male", "m", "man"), "male"),
}
DELIMITERS = ",;\t"
MISSING = "no such file"  # why a row is left out

Row = dict[str, str]
"""By the names of `COLUMNS`, and whatever other columns there are by their own."""


def read_table(path: Path) -> list[Row]:
    """The rows of a CSV file, with commas, semicolons or tabs; empty cells are left out.

    Where several columns may be meant, as `emotion` and `label`, it is the first of `COLUMNS`.

    Raises:
        CorpusError: it can't be read, or two columns have the same of these names.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(DELIMITERS, key=header.count)
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            names = [name.strip().casefold() for name in reader.fieldnames or ()]
            rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8 with one row a line"
        if isinstance(error, UnicodeDecodeError):
            reason = "it is no text in UTF-8; save it as CSV in UTF-8"
        raise CorpusError(f"The table {path} can't be read: {reason}.") from None
    if twice := [name for name in KNOWN if names.count(name) > 1]:
        raise CorpusError(f"The table {path} has two columns {twice[0]}, and one of them is meant: rename the other.")
    return [_named(row) for row in rows]


def _named(row: Mapping[str, object]) -> Row:
    cells = {
        key.strip(): value.strip()
        for key, value in row.items()
        if isinstance(key, str) and isinstance(value, str) and value.strip()
    }
    known = {key.casefold(): value for key, value in cells.items()}
    for name, others in COLUMNS.items():
        if meant := next((known[other] for other in others if other in known), None):
            cells[name] = meant
    return cells


def has_columns(rows: Iterable[Row], *columns: str) -> bool:
    """Whether any row says all of that."""
    return any(all(column in row for column in columns) for row in rows)


def read_rows(path: Path) -> list[tuple[Path, Labelled]]:
    """The files that a table names, and what it says of them.

    Raises:
        CorpusError: it can't be read, or lacks a column.
    """
    rows = read_table(path)
    if not has_columns(rows, "file", "emotion"):
        raise CorpusError(
            f"The table {path} has no row with a file and an emotion: it needs the columns file and emotion, and may "
            "have speaker and sex."
        )
    return [labelled(row, path.parent) for row in rows if "file" in row]


def labelled(row: Row, folder: Path) -> tuple[Path, Labelled]:
    """The file of a row, and what the row says of it; files are sought from the folder."""
    path = folder / Path(row["file"].replace("\\", "/")).expanduser()
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
    refused = "" if path.is_file() else MISSING
    if "emotion" not in row:
        refused = refused or "no emotion in its row"
    return path, Labelled(name, row.get("emotion", ""), row.get("speaker"), sex_of(row), refused)


def sex_of(row: Row) -> str | None:
    """`female` or `male`, where a row says that."""
    return SEXES.get(row.get("sex", "").casefold())
