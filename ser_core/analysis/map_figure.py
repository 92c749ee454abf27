"""The drawing of a map of embeddings: a point a clip, coloured by what is asked."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from ser_core.analysis.colors import ACCENT, EMOTION_COLORS, GUIDE, SERIES_COLORS
from ser_core.analysis.figures import finish
from ser_core.corpus.clips import Clip, by_name
from ser_core.corpus.names import SENTENCES
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.records.embedding_map import EmbeddingMap
from ser_core.words import percent

SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
"""So that who can't tell colours apart can tell points apart."""
TWO_COLORS = SERIES_COLORS[:2]
LEGEND_LETTERS = 22  # of a sentence
OTHERS_COLOR = GUIDE
MOST_ACTORS = len(SERIES_COLORS) - 2  # that can be told apart
RING = {"size": 17, "symbol": "circle-open", "color": ACCENT, "line": {"width": 3}}
HOVER = (
    "<b>%{customdata[0]}</b><br>intended: %{customdata[1]}<br>predicted: %{customdata[2]}, model score %{customdata[3]}"
    "<br>actor %{customdata[4]}, %{customdata[5]}<br>“%{customdata[6]}”<extra></extra>"
)


class Group(NamedTuple):
    """Points that look alike: their name, which clips they are (bools `[clips]`), their colour and symbol."""

    name: str
    members: np.ndarray
    color: str
    symbol: str
    faint: bool = False


def _by_emotion(emotions: Sequence[str]) -> list[Group]:
    said = np.array(emotions)
    return [
        Group(EMOTION_NAMES[emotion], said == emotion, EMOTION_COLORS[emotion], symbol)
        for emotion, symbol in zip(EMOTIONS, SYMBOLS, strict=True)
    ]


def _by_two(names: tuple[str, str], first: np.ndarray) -> list[Group]:
    one, other = (
        Group(name, members, color, symbol)
        for name, members, color, symbol in zip(names, (first, ~first), TWO_COLORS, SYMBOLS[::2], strict=False)
    )
    return [one, other]


def _by_actor(clips: Sequence[Clip], actors: Sequence[int]) -> list[Group]:
    who = np.array([clip.actor.id for clip in clips])
    looks = zip(actors, SERIES_COLORS, (*SYMBOLS[1:], "star"), strict=False)
    chosen = [Group(f"actor {actor}", who == actor, color, symbol) for actor, color, symbol in looks]
    return [Group("others", ~np.isin(who, actors[:MOST_ACTORS]), OTHERS_COLOR, "circle", faint=True), *chosen]


def _by_sentence(clips: Sequence[Clip]) -> list[Group]:
    """Twelve: six colours, each of two symbols."""
    said = np.array([clip.text for clip in clips])
    looks = [(color, symbol) for symbol in SYMBOLS[::2][:2] for color in SERIES_COLORS[:6]]
    return [
        Group(textwrap.shorten(text, LEGEND_LETTERS, placeholder="…"), said == text, *look)
        for text, look in zip(SENTENCES.values(), looks, strict=True)
    ]


Grouper = Callable[[EmbeddingMap, Sequence[Clip], Sequence[int]], list[Group]]
COLOURINGS: Mapping[str, Grouper] = {
    "emotion": lambda drawn, clips, actors: _by_emotion([clip.emotion for clip in clips]),
    "answer": lambda drawn, clips, actors: _by_emotion([EMOTIONS[i] for i in drawn.answers]),
    "right or wrong": lambda drawn, clips, actors: _by_two(("right", "wrong"), is_right(drawn, clips)),
    "actor": lambda drawn, clips, actors: _by_actor(clips, actors),
    "sentence": lambda drawn, clips, actors: _by_sentence(clips),
    "sex": lambda drawn, clips, actors: _by_two(
        ("female", "male"), np.array([clip.actor.sex == "female" for clip in clips])
    ),
}
"""What points are coloured by: the intended emotion, the model's answer, and so on."""


def is_right(drawn: EmbeddingMap, clips: Sequence[Clip]) -> np.ndarray:
    """Whether each clip's likeliest emotion is the intended one, bools `[clips]`."""
    return np.array([EMOTIONS[i] == clip.emotion for i, clip in zip(drawn.answers, clips, strict=True)])


def map_figure(
    drawn: EmbeddingMap,
    colouring: str,
    *,
    actors: Sequence[int] = (),
    ringed: Sequence[str] = (),
    height: int = 560,
) -> go.Figure:
    """A map, whose points say on being touched which clip they are.

    Args:
        colouring: one of `COLOURINGS`.
        actors: that are picked out where points are coloured by actor, `MOST_ACTORS` at most.
        ringed: names of clips of the map that have a ring around them.
    """
    clips = by_name(drawn.names)
    about = np.array([_about(clip, drawn, i) for i, clip in enumerate(clips)], dtype=object)
    figure = go.Figure()
    for group in COLOURINGS[colouring](drawn, clips, actors):
        if not group.members.any():
            continue
        places = drawn.places[group.members]
        marker: dict[str, Any] = {"color": group.color, "symbol": group.symbol, "size": 6}
        figure.add_scattergl(
            x=np.round(places[:, 0], 3),
            y=np.round(places[:, 1], 3),
            mode="markers",
            name=group.name,
            marker=marker | {"opacity": 0.35 if group.faint else 0.85},
            customdata=about[group.members],
            hovertemplate=HOVER,
            unselected={"marker": {"opacity": 0.15}},
        )
    rows = [drawn.rows[name] for name in ringed if name in drawn.rows]
    if rows:
        x, y = drawn.places[rows].T
        figure.add_scatter(x=x, y=y, mode="markers", marker=RING, name="this clip", hoverinfo="skip")
    figure.update_layout(showlegend=True)
    finish(figure, height, "", "")
    figure.update_layout(legend={"y": 0, "yanchor": "top"})  # above, the menu would hide it
    figure.update_xaxes(showticklabels=False, showgrid=False, ticks="")
    figure.update_yaxes(showticklabels=False, showgrid=False, ticks="")
    return figure


def _about(clip: Clip, drawn: EmbeddingMap, row: int) -> list[str]:
    answer = EMOTION_NAMES[EMOTIONS[drawn.answers[row]]]
    score = percent(drawn.scores[row], 0)
    return [clip.name, EMOTION_NAMES[clip.emotion], answer, score, str(clip.actor.id), clip.actor.sex, clip.text]
