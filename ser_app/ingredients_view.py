"""What each ingredient gives the small network of our own."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ser_core.analysis.ingredients import IngredientResult, ingredient_rows
from ser_core.analysis.steps import INTERVAL
from ser_core.models.registry import model_label


def show_ingredients(results: Sequence[IngredientResult]) -> None:
    """A row a network of the study."""
    run = next(iter(results[0].runs.values()))
    st.caption(
        f"What the {model_label(run.train.model)} network is made of, one thing at a time: added to a base that has "
        "none of it, and taken from the whole. **Gained**: points of validation accuracy more than the network it is "
        f"compared with, from the same seeds and for {run.train.epochs} epochs. Intervals are over seeds alone, on the "
        "same validation clips."
    )
    columns = {
        "network": st.column_config.TextColumn(width=330),
        "validation": st.column_config.NumberColumn(
            format="%.1f %%", help="Accuracy on the validation clips, in the epoch that was chosen, mean over seeds"
        ),
        "gained": st.column_config.NumberColumn(format="%+.1f", help="Of validation accuracy, in points"),
        "gained" + INTERVAL: st.column_config.TextColumn("95\u00a0% interval", width=120),
    }
    st.dataframe(
        pd.DataFrame(ingredient_rows(results)),
        hide_index=True,
        column_config=columns,
        placeholder="–",
        height="content",
        alt="Ingredients",
    )
