"""Checkpoints beside corpora: what each hears in each, as a matrix and as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ser_core.analysis.figures import WRITTEN, finish, plain
from ser_core.emotions import EMOTIONS
from ser_core.records.evaluations import Evaluation, Heard
from ser_core.words import between, percent

CHANCE = 1 / len(EMOTIONS)
HIGHEST = 0.85  # of the scale of colours; what is better is as dark
ROW_PIXELS, HEAD_PIXELS = 84, 50
MOST_COLUMNS = 2
LABEL_CHARACTERS = 14  # in a line of a name

SHORT: dict[Heard, str] = {
    "nothing": "new<br>corpus",
    "other speakers": "new<br>speakers",
    "same speakers": "same<br>speakers",
    "unknown": "unknown",
}
"""What a checkpoint heard of the corpus, in a cell that is narrow on a phone."""

Column = tuple[str, int, str]
"""A corpus' title, the number of its clips, and their checksum."""


def corpus_matrices(evaluations: Sequence[Evaluation], called: Mapping[str, str] | None = None) -> list[go.Figure]:
    """Unweighted average recall of each checkpoint on each corpus, with its interval; blank where there is no record.

    A corpus of which other clips were taken, as of other folds, is another column. A figure has no more columns than a
    phone has room for.

    Args:
        called: what to call checkpoints, by their names; by the name where there is nothing.
    """
    columns = sorted({_column(one) for one in evaluations})
    titles, rows = _titles(columns), {name: (called or {}).get(name, name) for name in _best_first(evaluations)}
    return [
        _matrix(evaluations, rows, columns[start : start + MOST_COLUMNS], titles[start : start + MOST_COLUMNS])
        for start in range(0, len(columns), MOST_COLUMNS)
    ]


def _matrix(
    evaluations: Sequence[Evaluation], rows: Mapping[str, str], columns: Sequence[Column], titles: Sequence[str]
) -> go.Figure:
    known = {(one.checkpoint.name, _column(one)): one for one in evaluations}
    cells = [[known.get((row, column)) for column in columns] for row in rows]
    figure = go.Figure(
        go.Heatmap(
            z=[[one.uar if one else None for one in row] for row in cells],
            x=list(titles),
            y=[_in_lines(name) for name in rows.values()],
            text=[[_cell(one) for one in row] for row in cells],
            texttemplate="%{text}",
            customdata=[[_hover(one) for one in row] for row in cells],
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            zmin=CHANCE,
            zmax=HIGHEST,
            **WRITTEN,
            xgap=3,
            ygap=3,
        )
    )
    figure.update_xaxes(side="top", showgrid=False, fixedrange=True, ticks="", type="category", tickangle=0)
    figure.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True, ticks="", type="category")
    return finish(figure, HEAD_PIXELS + ROW_PIXELS * len(rows), "", "")


def evaluation_rows(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """The same and more as rows of a table, figures in percent, in the matrix's order."""
    order = _best_first(evaluations)
    ranked = sorted(evaluations, key=lambda one: (_column(one), order.index(one.checkpoint.name)))
    rows = []
    for one in ranked:
        low, high = one.interval
        rows.append(
            {
                "model": one.checkpoint.name,
                "corpus": one.corpus.title,
                "in the training set": one.checkpoint.heard,
                "UAR": 100 * one.uar,
                "interval": between(low, high),
                "over": one.metrics.intervals_over,
                "accuracy": 100 * one.metrics.accuracy,
                "calibration error": 100 * one.calibration_error,
                **{f"UAR, {sex}": 100 * one.sexes[sex].uar if sex in one.sexes else None for sex in ("female", "male")},
                "clips": one.corpus.clips,
                "speakers": one.corpus.speakers,
                "no answer": sum(one.unanswered.values()),
                "left out": sum(one.corpus.left_out.values()),
            }
        )
    return rows


def _column(one: Evaluation) -> Column:
    return one.corpus.title, one.corpus.clips, one.corpus.checksum


def _titles(columns: Sequence[Column]) -> list[str]:
    """Names of columns, with part of the checksum where title and number of clips are those of another one."""
    texts = [f"{_in_lines(title)}<br>{clips:,} clips" for title, clips, _ in columns]
    return [
        text if texts.count(text) == 1 else f"{text}<br>{checksum[:4]}"
        for text, (_, _, checksum) in zip(texts, columns, strict=True)
    ]


def _best_first(evaluations: Sequence[Evaluation]) -> list[str]:
    """Names of checkpoints by what they have on the corpus that most were tried on, the others by the next one.

    Means over corpora would not be fair: corpora are not equally hard, and not all were tried on all of them.
    """
    of_column: dict[Column, dict[str, float]] = {}
    for one in evaluations:
        of_column.setdefault(_column(one), {})[one.checkpoint.name] = one.uar
    columns = sorted(of_column, key=lambda column: (-len(of_column[column]), column))
    names = sorted({one.checkpoint.name for one in evaluations})
    return sorted(names, key=lambda name: [-of_column[column].get(name, -1.0) for column in columns])


def _in_lines(name: str) -> str:
    """A name in lines that are short enough for a phone."""
    lines = [""]
    for part in re.split("(?<=[ -])", name):
        if lines[-1] and len((lines[-1] + part).strip()) > LABEL_CHARACTERS:
            lines.append("")
        lines[-1] += part
    return "<br>".join(plain(line.strip()) for line in lines)


def _cell(one: Evaluation | None) -> str:
    if one is None:
        return ""
    low, high = one.interval
    return f"<b>{percent(one.uar)}</b><br>{between(low, high, 0)}<br>{SHORT[one.checkpoint.heard]}"


def _hover(one: Evaluation | None) -> str:
    if one is None:
        return ""
    low, high = one.interval
    who = f"{one.corpus.speakers} speakers" if one.corpus.speakers else "unknown speakers"
    return (
        f"{plain(one.checkpoint.name)} on {plain(one.corpus.title)}<br>"
        f"{between(low, high)} over {plain(one.metrics.intervals_over)}"
        f"<br>{one.corpus.clips:,} clips of {who}, {plain(one.corpus.part)}"
    )
