"""Utterances, as Live shows them: the one of now, and the list of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ser_app import live_drawing
from ser_app.clip_view import play
from ser_app.tables import choose_row
from ser_core.analysis.colors import EMOTION_COLORS
from ser_core.emotions import EMOTION_NAMES
from ser_core.serving.listener import Listener
from ser_core.serving.prediction import UNSURE, likeliest
from ser_core.serving.utterances import Utterance
from ser_core.words import percent

NEWEST = 8  # utterances that are listed while it listens
LEAD_SECONDS = 0.2  # that are played before and after the voice


def said(utterance: Utterance, min_confidence: float) -> tuple[str, str, str]:
    """Its label, what stands below it, and its colour: "Happiness" and "model score 80%"; or "Unsure" and a guess."""
    label = utterance.label(min_confidence)
    if label is None:
        return "Hearing…", "the label comes with about a second of speech", live_drawing.GRID
    emotion = likeliest(utterance.shares) if label == UNSURE else label
    name, score = EMOTION_NAMES[emotion], f"model score {percent(utterance.shares[emotion], 0)}"
    if label == UNSURE:
        return UNSURE.capitalize(), f"perhaps {name}, {score}", live_drawing.GRID
    return name.capitalize(), score, EMOTION_COLORS[emotion]


def labelled(row: Mapping[str, Any]) -> str:
    """The label of a row of the table: "Happiness", or "Unsure, perhaps happiness"."""
    name = EMOTION_NAMES[row["emotion"]]
    return f"{UNSURE.capitalize()}, perhaps {name}" if row["answer"] == UNSURE else name.capitalize()


def span(utterance: Utterance) -> str:
    """When it was, and how long: "3.1 to 5.4 s (2.3 s)"."""
    return f"{utterance.start:.1f} to {utterance.end:.1f} s ({utterance.seconds:.1f} s)"


def announcement(utterances: Sequence[Utterance], min_confidence: float) -> str:
    """What is read out: the newest label that has settled, and when its utterance began, for no two to be the same."""
    for utterance in reversed(utterances):
        if utterance.settled(min_confidence):
            headline, _, _ = said(utterance, min_confidence)
            return f"{headline}, at {utterance.start:.0f} s"
    return ""


def show_newest(utterances: Sequence[Utterance], min_confidence: float) -> None:
    """The newest of those that have ended, while more come."""
    ended = [utterance for utterance in utterances[-NEWEST - 1 :] if utterance.ended][-NEWEST:]
    if not ended:
        st.caption("What you say is listed here, once you pause.")
        return
    rows = []
    for utterance in reversed(ended):
        headline, detail, color = said(utterance, min_confidence)
        rows.append((color, headline, span(utterance), detail))
    st.html(live_drawing.listed(rows))
    if len(utterances) > len(ended) + 1:
        st.caption(f"The newest {len(ended)}; all of them stand here once you stop.")


def show_all(listener: Listener, rows: list[dict[str, Any]]) -> None:
    """All of them as a table, of which one can be played if its sound was kept.

    Args:
        rows: see `ser_core.serving.rows.utterance_row`.
    """
    if not rows:
        st.caption("Nobody was heard to speak.")
        return
    table = [
        {
            "Label": labelled(row),
            "Model score": 100 * row["confidence"],
            "Start": row["start"],
            "Length": row["seconds"],
        }
        for row in rows
    ]
    seconds = st.column_config.NumberColumn(format="%.1f s")
    columns = {"Model score": st.column_config.NumberColumn(format="%.0f %%"), "Start": seconds, "Length": seconds}
    if not listener.look().kept_seconds:
        st.dataframe(table, hide_index=True, column_config=columns)
        return
    st.caption("Choose a row to hear it.")
    chosen = choose_row(pd.DataFrame(table), "utterances", required=False, column_config=columns, alt="Utterances")
    if chosen is not None:
        show_sound_of(listener, rows[chosen])


def show_sound_of(listener: Listener, row: Mapping[str, Any]) -> None:
    """A player for an utterance, if its sound was kept."""
    audio = listener.audio(row["start"] - LEAD_SECONDS, row["end"] + LEAD_SECONDS)
    if len(audio):
        play(audio)
    else:
        st.caption("The sound of this one was not kept.")
