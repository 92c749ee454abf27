"""`python -m ser_core.predict`: classify files from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ser_core.command import friendly_errors
from ser_core.emotions import EMOTIONS
from ser_core.errors import AudioError
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import AUDIO_SUFFIXES, result_row, to_csv, to_json


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ser_core.predict",
        description="Say which emotion is heard in audio files. A file that can't be used doesn't stop the others; "
        "the exit status is then 2.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="audio files, or folders of them")
    parser.add_argument("--checkpoint", metavar="NAME", help="default: the one with the best validation accuracy")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    return parser.parse_args(arguments)


def expand(paths: Iterable[Path]) -> list[Path]:
    """Files as given, and the audio files in folders, by name.

    Raises:
        AudioError: a folder without audio files.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
        elif inside := sorted(p for p in path.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES):
            files.extend(inside)
        else:
            raise AudioError(f"{path} is a folder without audio files.")
    return files


@friendly_errors(less_memory="Give it shorter recordings, or close other programs.")
def main(arguments: list[str] | None = None) -> None:
    """Classify the files the command line names."""
    args = parse_arguments(arguments)
    files = expand(args.files)
    results = Predictor.load(args.checkpoint).classify_many(files)
    rows = [result_row(str(file), result) for file, result in zip(files, results, strict=True)]
    match args.format:
        case "json":
            print(to_json(rows))
        case "csv":
            print(to_csv(rows), end="")
        case _:
            _print_table(rows)
    for row in rows:
        for warning in row["warnings"]:
            print(f"warning: {row['file']}: {warning}", file=sys.stderr)
        if row["error"]:
            named = Path(row["file"]).name in row["error"]
            print(f"error: {row['error']}" if named else f"error: {row['file']}: {row['error']}", file=sys.stderr)
    if any(row["error"] for row in rows):
        sys.exit(2)


def _print_table(rows: list[dict[str, Any]]) -> None:
    print(f"emotion   conf.  {'  '.join(f'{e:>4}' for e in EMOTIONS)}  file")
    for row in rows:
        if not row["error"]:
            probabilities = "  ".join(f"{row[e]:4.2f}" for e in EMOTIONS)
            print(f"{row['emotion']:8} {row['confidence']:6.1%}  {probabilities}  {row['file']}")
