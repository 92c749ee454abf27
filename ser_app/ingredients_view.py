"""What each ingredient gives the small network of our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from ser_app.tables import filled, interval_column
from ser_core.analysis.ingredient_table import GAINED, ingredient_rows
from ser_core.analysis.ingredients import IngredientResult
from ser_core.analysis.steps import INTERVAL
from ser_core.analysis.untrained import UntrainedResult
from ser_core.audio.changes.registry import CHANGES
from ser_core.errors import RunError
from ser_core.models.registry import model_label
from ser_core.records.evaluations import EvaluatedCorpus
from ser_core.records.runs import Run
from ser_core.words import code, counted, listed

GAIN = "Δ"
TABLES = {
    "whole": "The whole, and what was taken from it or changed in it",
    "base": "The base, and what was added to it",
}
"""Titles of the tables, by how the names of their networks begin."""
ROWS, TALL = 14, 546  # with more rows, the table moves under its header, and ends within one, as if to say so: px
NAME_WIDTH, FIRST, WIDTH = 192, 78, 84  # a phone has room for a name and the first two gains
FIGURES = {
    "validation": "Accuracy on the validation clips, whose speakers are in training, too; in the epoch that was "
    "chosen, mean over seeds",
    "unseen speakers": "Accuracy on validation clips of speakers who are not in training; mean over seeds and folds",
}
COUNTED = {
    "seeds": "From how many seeds it was trained, on speakers who are shared",
    "folds": "On how many of the five folds it was trained, whose speakers are apart",
}
RECALL = "Unweighted average recall on clips that were not trained on, mean over seeds"


def show_ingredients(
    results: Sequence[IngredientResult], untrained: Sequence[UntrainedResult] = (), others: Sequence[Run] = ()
) -> None:
    """A table of what was changed in the whole, one of what was added to the base, and a row a network in each.

    Args:
        others: runs of the study that can't stand beside these.
    """
    run = next(run for result in results for runs in (result.runs, *result.unseen.values()) for run in runs.values())
    st.caption(
        f"What the {model_label(run.train.model)} network is made of, one thing at a time: taken from the whole, and "
        f"added to a base that has none of it, for {run.train.epochs} epochs each. Figures are means over a network's "
        f"seeds. **{GAIN}**: points more than the whole or the base has, from the seeds that both have, so that it "
        "needn't be the difference of two means. Intervals are over seeds alone, on the same clips; those of unseen "
        "speakers are over folds. Of one seed, and of an ensemble, they are over speakers and clips, which says "
        "nothing of how much another seed would differ."
    )
    try:
        table = pd.DataFrame(ingredient_rows(results, untrained))
    except RunError as error:
        st.warning(str(error))
        table = pd.DataFrame(ingredient_rows([replace(result, root=None) for result in results]))
    corpora = {one.title: one for one in _corpora(results, untrained) if f"UAR, {one.title}" in table}
    names = _names(corpora)
    for first, title in TABLES.items():
        # A name is short on a phone: what all of them have in common is above the table.
        rows = table[table["network"].str.split().str[0] == first]
        if rows.empty:
            continue
        rows = rows.assign(network=rows["network"].str.removeprefix(f"{first} "))
        st.markdown(f"**{title}**")
        st.dataframe(
            rows,
            hide_index=True,
            column_config={column: _column(column, names) for column in table.columns},
            column_order=_order(filled(rows), names),
            placeholder="–",
            height="content" if len(rows) <= ROWS else TALL,
            alt=title,
        )
        for network, other in zip(rows["network"], rows["compared with"], strict=True):
            if isinstance(other, str) and other != first:
                beside = other.removeprefix(f"{first} ")
                st.caption(f"{GAIN} of {code(network)} is against {code(beside)}, which it has, too.")
    if others:
        hows = sorted({f"{one.train.epochs} epochs in {one.environment.precision}" for one in others})
        st.caption(
            f"Not in these tables: {counted(len(others), 'run')} of {listed(hows, 'and')}. Only runs of as many epochs "
            f"and one precision are compared, here those of {run.train.epochs} epochs in {run.environment.precision}, "
            f"which are the most. `python grid.py future --precision {run.environment.precision}` trains more of them."
        )


def _corpora(results: Sequence[IngredientResult], untrained: Sequence[UntrainedResult]) -> Iterator[EvaluatedCorpus]:
    """All that the networks heard."""
    heard = [*(result.elsewhere for result in results), *(result.heard for result in untrained)]
    return (one.corpus for titles in heard for seeds in titles.values() for one in seeds.values())


def _names(corpora: Mapping[str, EvaluatedCorpus]) -> dict[str, str]:
    """What a header calls a figure's clips, by the figure's column, in the order of columns.

    Of validation clips that were changed, only how: in a word or two, unless another change has the same.
    """
    ordered = sorted(corpora.values(), key=lambda corpus: (bool(corpus.change), corpus.title))
    ways = {one.title: CHANGES[one.change].label for one in ordered if one.validation and one.change in CHANGES}
    brief = Counter(way.partition(",")[0] for way in ways.values())
    names = {"validation": "validation"}
    for title in (corpus.title for corpus in ordered):
        way = ways.get(title, title)
        short = way.partition(",")[0]
        names[f"UAR, {title}"] = short if brief[short] == 1 else way
    return names | {"unseen speakers": "unseen"}


def _order(columns: Collection[str], names: Collection[str]) -> list[str]:
    """Columns as they are shown: gains first, which a phone shows then; no folds where there are none.

    Of unseen speakers only few are known: they stand behind the intervals of the others.
    """
    *shared, unseen = names
    gains = [name + end for group in (shared, [unseen]) for end in (GAINED, GAINED + INTERVAL) for name in group]
    order = ["network", *gains, *names, "seeds", *(["folds"] if unseen in columns else [])]
    return [name for name in order if name in columns]


def _column(column: str, names: Mapping[str, str]) -> Any:
    """How a column of the table is shown."""
    figure = column.removesuffix(INTERVAL).removesuffix(GAINED)
    name, meaning = names.get(figure, figure), FIGURES.get(figure) or f"{RECALL}: {figure.removeprefix('UAR, ')}"
    width = FIRST if figure in list(names)[:2] else WIDTH
    if column.endswith(INTERVAL):
        return interval_column(name, f"{GAIN}\u00a0{name}", width=108)
    if column.endswith(GAINED):
        return st.column_config.NumberColumn(
            f"{GAIN}\u00a0{name}",
            format="%+.1f",
            width=width,
            help=f"In points, more than the base or the whole has. {meaning}",
        )
    if figure in names:
        return st.column_config.NumberColumn(name, format="%.1f %%", width=width, help=meaning)
    if column in COUNTED:
        return st.column_config.NumberColumn(width=60, help=COUNTED[column])
    return st.column_config.TextColumn(width=NAME_WIDTH, pinned=True) if column == "network" else None  # hides it
