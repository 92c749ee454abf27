"""Emotion over a recording: the model scores as lines, and below them the answers as a ribbon."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ser_core.analysis.colors import EMOTION_COLORS
from ser_core.analysis.figures import finish, ticks_of_shares
from ser_core.emotions import EMOTION_NAMES, EMOTIONS

Rows = Sequence[tuple[float, float, Mapping[str, float] | None]]
"""Windows of a recording: start and end in seconds, and probabilities by emotion, or None where nobody speaks."""

RIBBON_SHARE = 0.18  # of the height
UNSURE_OPACITY = 0.35
SMALLEST_LETTERS = 10  # pixels: an answer that has no room for its name goes without
HOUR = 3600.0


def points(rows: Iterable[Mapping[str, Any]]) -> list[tuple[float, float, Mapping[str, float] | None]]:
    """Windows for a timeline, of rows of `ser_core.serving.rows`, with their shares where somebody speaks."""
    return [(row["start"], row["end"], row if row["emotion"] else None) for row in rows]


def timeline_figure(
    rows: Rows, *, live: bool = False, height: int = 240, min_confidence: float | None = None
) -> go.Figure:
    """Probabilities over time in minutes and seconds, and a ribbon of the likeliest emotion.

    Its axis is a date that begins with the recording: so it counts in minutes and seconds however far it is zoomed.

    Args:
        rows: windows in order.
        live: whether each stands at its end, when it was known, rather than at its centre.
        height: in pixels.
        min_confidence: below this probability the ribbon is pale, 0..1; None for no ribbon.
    """
    ribbon = min_confidence is not None
    figure = make_subplots(
        1 + ribbon,
        1,
        shared_xaxes=True,
        vertical_spacing=0.04,
        row_heights=[1 - RIBBON_SHARE, RIBBON_SHARE] if ribbon else [1],
    )
    clock = "%H:%M:%S" if rows and rows[-1][1] >= HOUR else "%M:%S"
    times = [_date(end if live else (start + end) / 2) for start, end, _ in rows]
    for emotion in EMOTIONS:
        lines = go.Scatter(
            x=times,
            y=[shares[emotion] if shares else None for _, _, shares in rows],
            name=EMOTION_NAMES[emotion],
            mode="lines+markers",
            line={"color": EMOTION_COLORS[emotion], "width": 2},
            marker={"size": 6},
            cliponaxis=False,  # those at 0 and 100 % are whole
            hovertemplate=f"%{{x|{clock}}}: %{{y:.0%}}",
        )
        figure.add_trace(lines, 1, 1)
    if min_confidence is not None:
        figure.add_trace(_ribbon(rows, live, min_confidence, clock), 2, 1)
        figure.update_yaxes(visible=False, fixedrange=True, range=[0, 1], row=2, col=1)
    figure.update_yaxes(range=[0, 1], **ticks_of_shares(0.25), row=1, col=1)
    figure.update_layout(showlegend=True, uniformtext={"minsize": SMALLEST_LETTERS, "mode": "hide"})
    finish(figure, height, "", "model score")
    figure.update_xaxes(
        type="date",
        range=[_date(rows[0][0] if live and rows else 0), _date(rows[-1][1] if rows else 1)],
        tickformatstops=[
            {"dtickrange": [None, 999], "value": f"{clock}.%1f"},
            {"dtickrange": [1000, None], "value": clock},
        ],
    )
    unit = "h:min:s" if clock.startswith("%H") else "min:s"
    figure.update_xaxes(title=f"time ({unit})" if live else f"time ({unit}), centre of the window", row=1 + ribbon)
    return figure


def answers(rows: Rows, min_confidence: float, *, live: bool = False) -> list[tuple[float, float, str, bool]]:
    """Stretches of one answer: start and end in seconds, the likeliest emotion, and whether it is as likely as needed.

    A window stands for the time around its centre up to halfway to the next one's; `live`, for that from the end of
    the one before to its own.
    """
    points = [end if live else (start + end) / 2 for start, end, _ in rows]
    if live:
        edges = [rows[0][0], *points] if rows else []
    else:
        halfway = [(one + other) / 2 for one, other in itertools.pairwise(points)]
        edges = [rows[0][0], *halfway, rows[-1][1]] if rows else []
    found: list[tuple[float, float, str, bool]] = []
    for (start, end), (_, _, shares) in zip(itertools.pairwise(edges), rows, strict=True):
        if not shares:
            continue
        emotion = max(EMOTIONS, key=shares.__getitem__)
        sure = shares[emotion] >= min_confidence
        if found and found[-1][1:] == (start, emotion, sure):
            start = found.pop()[0]
        found.append((start, end, emotion, sure))
    return found


def sure_answers(rows: Rows, min_confidence: float) -> list[str]:
    """The emotions that are as likely as needed, one after another: none twice in a row, whatever lies between."""
    sure = [emotion for _, _, emotion, is_sure in answers(rows, min_confidence) if is_sure]
    return [emotion for emotion, _ in itertools.groupby(sure)]


def _ribbon(rows: Rows, live: bool, min_confidence: float, clock: str) -> go.Bar:
    found = answers(rows, min_confidence, live=live)
    names = [EMOTION_NAMES[emotion] for _, _, emotion, _ in found]
    said = [name if sure else f"unsure, perhaps {name}" for name, (_, _, _, sure) in zip(names, found, strict=True)]
    return go.Bar(
        x=[_date((start + end) / 2) for start, end, _, _ in found],
        y=[1] * len(found),
        width=[1000 * (end - start) for start, end, _, _ in found],  # a date's unit is a millisecond
        marker={
            "color": [EMOTION_COLORS[emotion] for _, _, emotion, _ in found],
            "opacity": [1 if sure else UNSURE_OPACITY for _, _, _, sure in found],
            "line": {"width": 0},
        },
        text=[name if sure else "" for name, (_, _, _, sure) in zip(names, found, strict=True)],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        customdata=[[_date(start), _date(end), words] for (start, end, _, _), words in zip(found, said, strict=True)],
        hovertemplate=f"%{{customdata[0]|{clock}}} to %{{customdata[1]|{clock}}}: %{{customdata[2]}}<extra></extra>",
        name="answer",
        showlegend=False,
    )


def _date(seconds: float) -> str:
    """So long after the beginning of 1970, in whole milliseconds. Numbers below 10,000 would be taken for years."""
    return (datetime(1970, 1, 1) + timedelta(milliseconds=round(1000 * seconds))).isoformat(timespec="milliseconds")
