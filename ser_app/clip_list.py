"""The clips behind a number: a figure whose marks open them, and a list of them with a player."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ser_app.address import choose
from ser_app.charts import show_figure
from ser_app.clip_view import play, sound_of
from ser_app.messages import literal
from ser_app.tables import choose_row
from ser_core.analysis.confusion import cell_label, confused_pairs
from ser_core.analysis.run_figures import confusion_figure
from ser_core.corpus.clips import by_name, find_clip
from ser_core.corpus.folder import Corpus
from ser_core.corpus.names import INTENSITIES
from ser_core.emotions import EMOTION_NAMES, EMOTIONS, in_words
from ser_core.records.predictions import Predictions
from ser_core.words import counted

COLUMNS = {
    "clip": st.column_config.TextColumn(width=150),
    "intended": st.column_config.TextColumn(help="The emotion that the actor was asked for", width=85),
    "predicted": st.column_config.TextColumn(help="The emotion that the model finds likeliest", width=85),
    "model score": st.column_config.ProgressColumn(
        format="%.0f %%", min_value=0, max_value=100, help="The model's probability of what it predicts"
    ),
    "raters heard": st.column_config.TextColumn(help="What most raters chose who only heard the clip", width=110),
    "raters agree": st.column_config.ProgressColumn(
        format="%d %%", min_value=0, max_value=100, help="Share of these raters who chose it"
    ),
    "heard by": st.column_config.ProgressColumn(
        format="%d %%", min_value=0, max_value=100, help="Share of the raters who heard this"
    ),
    **{name: st.column_config.NumberColumn(format="%.2f") for name in ("people's bits", "model's bits")},
    "sentence": st.column_config.TextColumn(width=230),
}
LIST_HEIGHT = 300


def cells(who: str = "predicted") -> dict[str, tuple[str, str]]:
    """Cells of a confusion matrix by what they are called: the intended emotion and the answer, in words."""
    return {
        cell_label(intended, answer, who): (EMOTION_NAMES[intended], EMOTION_NAMES[answer])
        for intended in EMOTIONS
        for answer in EMOTIONS
    }


def answers(predictions: Predictions) -> pd.DataFrame:
    """A row a test clip of CREMA-D, in their order: what was intended and predicted, and what is known of it."""
    predicted = predictions.predicted
    scores = 100 * predictions.probabilities.max(axis=1).astype(float)
    return pd.DataFrame(
        [
            {
                "clip": clip.name,
                "intended": EMOTION_NAMES[clip.emotion],
                "predicted": EMOTION_NAMES[EMOTIONS[predicted[i]]],
                "model score": scores[i],
                "raters heard": in_words(clip.voice.majority),
                "raters agree": round(100 * clip.voice.agreement),
                "sentence": clip.text,
                "intensity": INTENSITIES[clip.intensity],
                "sex": clip.actor.sex,
                "age": clip.actor.age,
                "race": clip.actor.race,
                "actor": str(clip.actor.id),
            }
            for i, clip in enumerate(by_name(predictions.names))
        ]
    )


def pick(figure: go.Figure, key: str, labels: Sequence[str], *, alt: str, file: str | None = None) -> str | None:
    """A figure of whose labels one may be picked: with a click on its mark, or from the box below; None to begin with.

    The address has it, too.

    Args:
        labels: which there are; a mark's `customdata` begins with one.
        file: what its data are called.
    """
    box = picked_in(key)

    def select() -> None:
        points = st.session_state[key].selection.points
        if points and (label := points[0].get("customdata", [None])[0]) in labels:
            st.session_state[box] = label

    if st.session_state.get(box) not in labels:
        st.session_state.pop(box, None)
    show_figure(figure, key, file=file, alt=alt, on_select=select, selection_mode="points")
    picked: str | None = choose(
        st.selectbox,
        "Hear the clips of",
        labels,
        key=box,
        index=None,
        placeholder="Click in the figure, or choose here",
    )
    return picked


def picked_in(key: str) -> str:
    """Where the session state, and the address, hold what is picked in the figure of that `key`."""
    return f"hear-{key}"


def pick_cell(
    confusion: Sequence[Sequence[int]] | np.ndarray,
    key: str,
    *,
    normalised: bool = True,
    who: str = "predicted",
    file: str,
) -> str | None:
    """A confusion matrix `[6, 6]` of counts, of whose `cells` one may be picked; in the box, mistakes stand first."""
    pairs = confused_pairs(confusion, len(EMOTIONS) ** 2, right=True)
    ranked = sorted(pairs, key=lambda pair: (pair.true == pair.predicted, -pair.clips))
    labels = [cell_label(pair.true, pair.predicted, who) for pair in ranked]
    figure = confusion_figure(confusion, normalised=normalised, who=who)
    return pick(figure, key, labels, file=file, alt="Confusion matrix")


def in_cell(table: pd.DataFrame, cell: str) -> pd.DataFrame:
    """The rows of `answers` in one of `cells`, the surest first."""
    intended, predicted = cells()[cell]
    rows = table[(table["intended"] == intended) & (table["predicted"] == predicted)]
    return rows.sort_values("model score", ascending=False, ignore_index=True)


def link_to_cell(run: str, cell: str) -> dict[str, str]:
    """Where Mistakes shows the clips of one of `cells`; `run` is the label of the run."""
    intended, predicted = cells()[cell]
    right = {"answers": "Right"} if intended == predicted else {}
    return {"run": run, "intended": intended, "predicted": predicted, "here": "false", **right}


def show_clips(title: str, table: pd.DataFrame, key: str, link: Mapping[str, str] | None = None) -> None:
    """A list of clips, of which the chosen one can be heard.

    Args:
        title: what they have in common.
        table: rows with their `clip`, and what else is known of them.
        link: the address of the same clips on Mistakes, if there is one.
    """
    with st.container(border=True, key=f"clips-{key}"):
        st.markdown(f"**{literal(title[:1].upper() + title[1:])}** · {counted(len(table), 'clip')}")
        if not len(table):
            return
        corpus = Corpus.open()
        here = table["clip"].isin(corpus.present)
        if 0 < here.sum() < len(table):
            table = pd.concat([table[here], table[~here]])
            st.caption(f"The {here.sum():,} whose sound is on this machine stand first.")
        row = choose_row(
            table,
            f"{key}-{hash(tuple(table['clip']))}",
            height="auto" if len(table) < 8 else LIST_HEIGHT,
            column_config=COLUMNS,
            alt=title,
        )
        assert row is not None
        chosen = table.iloc[row]
        clip = find_clip(chosen["clip"])
        said = ", ".join(
            f"{literal(name)} **{literal(str(chosen[name]))}**"
            for name in table.columns
            if name.startswith(("intended", "pred"))
        )
        st.markdown(f"“{clip.text}” {said[:1].upper()}{said[1:]}; most raters heard **{raters(chosen['clip'])}**.")
        if (audio := sound_of(clip, corpus, f"get-{key}", explain=bool(corpus.present))) is not None:
            play(audio)
        cells = st.columns([1, 1, 2])
        cells[0].page_link(
            "pages/samples.py",
            label="This one in Samples",
            icon=":material/library_music:",
            query_params={"clip": clip.name},
        )
        if link:
            cells[1].page_link(
                "pages/mistakes.py", label="All of them in Mistakes", icon=":material/hearing:", query_params=dict(link)
            )


def raters(name: str) -> str:
    """What most of those heard who only heard a clip, in words."""
    return in_words(find_clip(name).voice.majority, " or ")
