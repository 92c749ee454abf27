"""A database in audformat: a folder with tables `db.NAME.csv` beside the header `db.yaml` (audeering).

Read are the tables alone, those of whole files: `file` and `emotion`, in as many tables as there are, and `speaker` and
`gender`, there or in others; a table of speakers without files gives their genders, too. The header isn't read, so what
stands in it alone isn't known. Tables of segments, with `start` and `end`, aren't supported, nor are those in Parquet.
"""

from __future__ import annotations

from pathlib import Path

from ser_core.corpus.kinds.table import Row, has_columns, labelled, read_table
from ser_core.corpus.recordings import Labelled
from ser_core.errors import CorpusError

HEADER, TABLES = "db.yaml", "db.*.csv"
AMBIGUOUS = "several emotions in the tables"


def is_database(folder: Path) -> bool:
    """Whether a folder holds one."""
    return (folder / HEADER).is_file()


def read_rows(folder: Path) -> list[tuple[Path, Labelled]]:
    """The files that the tables name, and what they say of them.

    Raises:
        CorpusError: a table can't be read, or none says which emotion is whose.
    """
    tables = [read_table(path) for path in sorted(folder.glob(TABLES))]
    of_files = [rows for rows in tables if has_columns(rows, "file") and not has_columns(rows, "start")]
    if not any(has_columns(rows, "file", "emotion") for rows in of_files):
        others = "it has tables of segments, which aren't" if any(has_columns(t, "start") for t in tables) else ""
        others = others or ("its tables are in Parquet, which isn't" if list(folder.glob("db.*.parquet")) else "")
        raise CorpusError(
            f"{folder} is a database in audformat, and no table {TABLES} of it has the columns file and emotion"
            f"{f': {others} supported' if others else ''}. Export a table with file and emotion, and give that."
        )
    genders = {row["speaker"]: row["sex"] for rows in tables for row in rows if {"speaker", "sex"} <= row.keys()}
    merged: dict[str, Row] = {}
    emotions: dict[str, set[str]] = {}
    for rows in of_files:
        for row in rows:
            if "file" in row:
                merged.setdefault(row["file"], {}).update(row)
                emotions.setdefault(row["file"], set()).update({row["emotion"]} if "emotion" in row else ())
    found = []
    for file, row in merged.items():
        path, said = labelled({"sex": genders.get(row.get("speaker", ""), ""), **row}, folder)
        if len(emotions[file]) > 1:
            said = said._replace(refused=AMBIGUOUS)
        found.append((path, said))
    return found
