"""`python -m ser_core.predict`: classify files from the command line."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from ser_core.command import friendly_errors
from ser_core.emotions import EMOTIONS
from ser_core.errors import AudioError, SERError
from ser_core.predict import Prediction, Predictor

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".webm", ".m4a", ".mp4", ".aac"}
COLUMNS = ("file", "emotion", "confidence", *EMOTIONS, "speech_seconds", "warnings", "error")


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


def result_row(name: str, result: Prediction | SERError) -> dict:
    """One file's result as plain values, keys as in `COLUMNS`; what doesn't apply is None."""
    row: dict = dict.fromkeys(COLUMNS) | {"file": name, "warnings": []}
    if isinstance(result, SERError):
        return row | {"error": str(result)}
    return (
        row
        | {emotion: round(p, 4) for emotion, p in result.probabilities.items()}
        | {
            "emotion": result.emotion,
            "confidence": round(result.confidence, 4),
            "speech_seconds": round(result.speech.seconds, 2),
            "warnings": list(result.warnings),
        }
    )


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


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Classify the files the command line names."""
    args = parse_arguments(arguments)
    files = expand(args.files)
    results = Predictor.load(args.checkpoint).classify_many(files)
    rows = (result_row(str(file), result) for file, result in zip(files, results, strict=True))
    failed = {"table": _print_table, "json": _print_json, "csv": _print_csv}[args.format](rows)
    if failed:
        sys.exit(2)


def _print_table(rows: Iterable[dict]) -> int:
    failed = 0
    print(f"{'emotion':8} {'conf.':>6}  {'  '.join(f'{e:>4}' for e in EMOTIONS)}  file")
    for row in rows:
        if row["error"]:
            failed += 1
            print(f"error: {row['error']}", file=sys.stderr)
            continue
        probabilities = "  ".join(f"{row[e]:4.2f}" for e in EMOTIONS)
        print(f"{row['emotion']:8} {row['confidence']:6.1%}  {probabilities}  {row['file']}")
        for warning in row["warnings"]:
            print(f"warning: {row['file']}: {warning}", file=sys.stderr)
    return failed


def _print_json(rows: Iterable[dict]) -> int:
    listed = list(rows)
    print(json.dumps(listed, indent=2))
    return sum(row["error"] is not None for row in listed)


def _print_csv(rows: Iterable[dict]) -> int:
    failed = 0
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        failed += row["error"] is not None
        writer.writerow(row | {"warnings": " ".join(row["warnings"])})
    return failed
