"""What each ingredient gives the small network of our own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from ser_app.tables import filled, interval_column
from ser_core.analysis.ingredient_table import GAINED, ingredient_rows
from ser_core.analysis.ingredients import IngredientResult
from ser_core.analysis.steps import INTERVAL
from ser_core.analysis.untrained import UntrainedResult
from ser_core.errors import RunError
from ser_core.models.registry import model_label
from ser_core.records.evaluations import EvaluatedCorpus

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


def show_ingredients(results: Sequence[IngredientResult], untrained: Sequence[UntrainedResult] = ()) -> None:
    """A row a network of the study."""
    run = next(run for result in results for runs in (result.runs, *result.unseen.values()) for run in runs.values())
    st.caption(
        f"What the {model_label(run.train.model)} network is made of, one thing at a time: added to a base that has "
        "none of it, and taken from the whole. **Gained**: points more than the network it is compared with, from the "
        f"same seeds and for {run.train.epochs} epochs. Intervals are over seeds alone, on the same clips; those of "
        "unseen speakers are over folds. Of one seed, and of an ensemble, they are over speakers and clips, which says "
        "nothing of how much another seed would differ."
    )
    try:
        table = pd.DataFrame(ingredient_rows(results, untrained))
    except RunError as error:
        st.warning(str(error))
        table = pd.DataFrame(ingredient_rows([replace(result, root=None) for result in results]))
    st.dataframe(
        table,
        hide_index=True,
        column_config={name: _column(name) for name in table.columns},
        column_order=_order(filled(table), {one.title for one in _corpora(results, untrained) if one.change}),
        placeholder="–",
        height="content",
        alt="Ingredients",
    )


def _corpora(results: Sequence[IngredientResult], untrained: Sequence[UntrainedResult]) -> Iterator[EvaluatedCorpus]:
    """All that the networks heard."""
    heard = [*(result.elsewhere for result in results), *(result.heard for result in untrained)]
    return (one.corpus for titles in heard for seeds in titles.values() for one in seeds.values())


def _order(columns: Sequence[str], changed: Collection[str]) -> list[str]:
    """Columns as they are shown: corpora whose sound was changed behind the others, no folds where there are none."""
    titles = tuple(f"UAR, {title}" for title in changed)
    shown = [name for name in columns if name != "folds" or "unseen speakers" in columns]
    return sorted(shown, key=lambda name: name.startswith(titles))


def _column(name: str) -> Any:
    """How a column of the table is shown."""
    if name.endswith(INTERVAL):
        return interval_column("gained")
    if name.endswith(GAINED):
        return st.column_config.NumberColumn("gained", format="%+.1f", help=f"{name.removesuffix(GAINED)}, in points")
    if name in FIGURES:
        return st.column_config.NumberColumn(format="%.1f %%", help=FIGURES[name])
    if name.startswith("UAR, "):
        return st.column_config.NumberColumn(format="%.1f %%", width=110, help=f"{RECALL}: {name[5:]}")
    if name in COUNTED:
        return st.column_config.NumberColumn(width=60, help=COUNTED[name])
    return st.column_config.TextColumn(width=205) if name == "network" else None  # which hides the column
