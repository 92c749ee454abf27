"""The table as a file: Parquet, CSV or JSON lines, written row by row and renamed when it is whole."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError
from ser_core.files import replace_file
from ser_core.serving.many.blocks import Row
from ser_core.serving.many.columns import EMBEDDING
from ser_core.serving.many.journal import DAMAGED
from ser_core.serving.rows import write_csv

GROUP_ROWS = 2000  # of a Parquet file; they are in memory together
NUMBERS = ("start", "end", "confidence", "speech_seconds", *EMOTIONS)


def write_table(path: Path, rows: Iterable[tuple[str, Row]], columns: Sequence[str]) -> None:
    """Write rows with their files' names, in the format that the ending says.

    What had the path is replaced when the table is whole.
    """
    with replace_file(path) as temporary:
        WRITERS[path.suffix.lower()](temporary, rows, columns)


def _values(named: tuple[str, Row], columns: Sequence[str]) -> dict[str, Any]:
    """By column, with an embedding as an array or None.

    Raises:
        ConfigError: it is no row.
    """
    name, row = named
    try:
        known = json.loads(row.text) | {"file": name}
        if row.embedding is not None:
            known[EMBEDDING] = np.frombuffer(row.embedding, np.float32)
    except (ValueError, TypeError):  # the disk changed it after it was checked
        raise ConfigError(DAMAGED.format(name=name)) from None
    return {column: known.get(column) for column in columns}


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    """With the numbers of an embedding in a list, of as many digits as float32 has."""
    embedding = values.get(EMBEDDING)
    return values if embedding is None else values | {EMBEDDING: [float(f"{number:.7g}") for number in embedding]}


def _write_csv(path: Path, rows: Iterable[tuple[str, Row]], columns: Sequence[str]) -> None:
    """An embedding is a JSON list in one column; for the rest, see `ser_core.serving.rows.to_csv`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, (_in_a_cell(_listed(_values(row, columns))) for row in rows), columns)


def _in_a_cell(values: dict[str, Any]) -> dict[str, Any]:
    embedding = values.get(EMBEDDING)
    return values if embedding is None else values | {EMBEDDING: json.dumps(embedding)}


def _write_json_lines(path: Path, rows: Iterable[tuple[str, Row]], columns: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(_listed(_values(row, columns)), ensure_ascii=False) + "\n" for row in rows)


def _write_parquet(path: Path, rows: Iterable[tuple[str, Row]], columns: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    special = {"warnings": pa.list_(pa.string()), EMBEDDING: pa.list_(pa.float32())}
    special |= dict.fromkeys(NUMBERS, pa.float64()) | {"adapted_to": pa.int64()}
    schema = pa.schema([(column, special.get(column, pa.string())) for column in columns])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(_values(row, columns) for row in rows):
            writer.write_table(pa.Table.from_pylist(group, schema))


def _groups(values: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(itertools.islice(values, GROUP_ROWS)):
        yield group


WRITERS: dict[str, Callable[[Path, Iterable[tuple[str, Row]], Sequence[str]], None]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".jsonl": _write_json_lines,
}
"""By ending."""


def check_table(path: Path) -> None:
    """Check that a table can be written there, before any work.

    Raises:
        ConfigError: its ending is none that is known, or it is a folder.
    """
    if path.suffix.lower() not in WRITERS:
        raise ConfigError(f"--out ends with {', '.join([*WRITERS][:-1])} or {[*WRITERS][-1]}, not as {path.name}.")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder. Say a file in it: {path / 'results.csv'}.")
