"""Predictions as plain rows, for tables, CSV and JSON: the same from the command line and the app."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TextIO

from ser_core.emotions import EMOTIONS
from ser_core.errors import SERError
from ser_core.serving.prediction import UNSURE, answer_from, likeliest

if TYPE_CHECKING:
    from ser_core.serving.prediction import Prediction, TimedPrediction
    from ser_core.serving.stream import StreamPrediction
    from ser_core.serving.utterances import Utterance


SCORES = ("answer", "emotion", "confidence", *EMOTIONS)
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # what spreadsheets calculate, at the beginning of a cell
NUMBER = re.compile(r"[+-](\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # which is no formula, though it begins as one
COLUMNS = ("file", "checkpoint", "adapted_to", *SCORES, "speech_seconds", "warnings", "error")
TIMELINE_COLUMNS = ("start", "end", *SCORES, "adapted_to")
"""`adapted_to` is the number of recordings that the network was tuned to, 0 for none."""
UTTERANCE_COLUMNS = ("start", "end", "seconds", *SCORES, "changes", "adapted_to")
"""`start`, `end` and `seconds` are those of the voice; `changes` is how often the label changed until it was this."""


def result_row(name: str, result: Prediction | SERError) -> dict[str, Any]:
    """One file's result, keys as in `COLUMNS`; what doesn't apply is None."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"file": name, "warnings": []}
    if isinstance(result, SERError):
        return row | {"error": str(result)}
    extra = {"checkpoint": result.checkpoint, "speech_seconds": round(result.speech_seconds, 2)}
    return row | _scores(result, result.probabilities) | extra | {"warnings": list(result.warnings)}


def window_row(name: str, checkpoint: str, window: TimedPrediction) -> dict[str, Any]:
    """A window of a file: keys as in `COLUMNS`, and `start` and `end` in seconds; None where nobody speaks."""
    heard = window.prediction
    row = result_row(name, heard) if heard else dict.fromkeys(COLUMNS) | {"file": name, "warnings": []}
    return row | {"checkpoint": checkpoint, "start": round(window.start, 3), "end": round(window.end, 3)}


def timeline_rows(timeline: Sequence[TimedPrediction]) -> list[dict[str, Any]]:
    """A timeline's windows, keys as in `TIMELINE_COLUMNS`; seconds, and None where nobody speaks."""
    return [
        dict.fromkeys(TIMELINE_COLUMNS)
        | {"start": round(window.start, 3), "end": round(window.end, 3)}
        | (_scores(window.prediction, window.prediction.probabilities) if window.prediction else {})
        for window in timeline
    ]


def stream_row(heard: StreamPrediction) -> dict[str, Any]:
    """One moment of a live signal, keys as in `TIMELINE_COLUMNS`, with the smoothed probabilities."""
    row = dict.fromkeys(TIMELINE_COLUMNS) | {"start": round(heard.start, 3), "end": round(heard.end, 3)}
    if heard.smoothed is None or heard.prediction is None:
        return row
    return row | _scores(heard.prediction, heard.smoothed)


def utterance_row(utterance: Utterance, min_confidence: float) -> dict[str, Any]:
    """An utterance as it is shown at last, keys as in `UTTERANCE_COLUMNS`, with the probabilities of all of it."""
    labels = [label for label in utterance.labels(min_confidence) if label]
    answer = labels[-1] if labels else answer_from(utterance.shares, min_confidence)
    emotion = likeliest(utterance.shares) if answer == UNSURE else answer
    times = {name: round(getattr(utterance, name), 3) for name in ("start", "end", "seconds")}
    rounded = {name: round(p, 4) for name, p in utterance.shares.items()}
    changes = sum(before != after for before, after in pairwise(labels))
    said = {"answer": answer, "emotion": emotion, "confidence": rounded[emotion]}
    return times | said | rounded | {"changes": changes, "adapted_to": utterance.adapted_to}


def answered(rows: Iterable[dict[str, Any]], min_confidence: float) -> list[dict[str, Any]]:
    """The same rows of a timeline, with the answers that another `min_confidence` gives."""
    return [
        row | {"answer": answer_from(probabilities_of(row), min_confidence)} if row["emotion"] else row for row in rows
    ]


def probabilities_of(row: Mapping[str, Any]) -> dict[str, float]:
    """By emotion, of a row in which somebody speaks."""
    return {emotion: row[emotion] for emotion in EMOTIONS}


def to_json(rows: Iterable[dict[str, Any]]) -> str:
    """Rows as a JSON array."""
    return json.dumps(list(rows), indent=2, ensure_ascii=False)


def to_csv(rows: Iterable[dict[str, Any]], columns: Sequence[str] = COLUMNS) -> str:
    """Rows as CSV with a header; several warnings are joined.

    Text that a spreadsheet would take for a formula, as a file's name may be, gets an apostrophe before it (OWASP,
    "CSV injection").
    """
    text = io.StringIO()
    write_csv(text, rows, columns)
    return text.getvalue()


def write_csv(file: TextIO, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """The same to an open file, row by row."""
    writer = csv.DictWriter(_LineFeeds(file), columns, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _no_formula(value) for key, value in flat(row).items()})


class _LineFeeds:
    """Ends lines with a line feed alone: before Python 3.13, carriage returns in cells are only quoted if lines end so.

    One that isn't quoted begins a line, and so a cell.
    """

    def __init__(self, file: TextIO):
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def _no_formula(value: Any) -> Any:
    if not isinstance(value, str) or not FORMULA.match(value) or NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of values without lists: several warnings are joined."""
    return {key: " ".join(value) if isinstance(value, list) else value for key, value in row.items()}


def _scores(prediction: Prediction, probabilities: Mapping[str, float]) -> dict[str, Any]:
    """A prediction's, with its own probabilities or those that they were smoothed to."""
    emotion, rounded = likeliest(probabilities), {name: round(p, 4) for name, p in probabilities.items()}
    answer = answer_from(probabilities, prediction.min_confidence)
    extra = {"confidence": rounded[emotion], "adapted_to": prediction.adapted_to}
    return {"answer": answer, "emotion": emotion, **rounded, **extra}
