"""The table of ingredients: those that are trained, and those that need no training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ser_core.analysis.gains import Gain
from ser_core.analysis.ingredients import IngredientResult
from ser_core.analysis.steps import INTERVAL
from ser_core.analysis.untrained import UntrainedResult
from ser_core.words import points_between


def ingredient_rows(
    results: Sequence[IngredientResult], untrained: Sequence[UntrainedResult] = ()
) -> list[dict[str, Any]]:
    """Rows of a table, figures in percent and differences in points; None where something isn't known.

    Raises:
        RunError: predictions of an ensemble, or of a single seed's evaluation, are missing or damaged.
    """
    heard = [*(result.elsewhere for result in results), *(result.heard for result in untrained)]
    corpora = {one.corpus.title: one.corpus for titles in heard for seeds in titles.values() for one in seeds.values()}
    # Validation clips as they are have a column already.
    titles = sorted(title for title, corpus in corpora.items() if corpus.change or not corpus.validation)
    rows = [
        {
            "network": result.step.label,
            "compared with": result.step.to,
            "seeds": len(result.runs),
            **_columns("validation", result.accuracies, result.gain),
            "folds": len(result.unseen),
            **_columns("unseen speakers", result.unseen_accuracies, result.unseen_gain),
            **_recalls(result, titles),
        }
        for result in results
    ]
    rows += [
        {
            "network": result.step.label,
            "compared with": result.step.to,
            "seeds": result.seeds,
            **_columns("validation", result.accuracies, result.gain),
            "folds": 0,
            **_columns("unseen speakers", {}, Gain(())),
            **_recalls(result, titles),
        }
        for result in untrained
    ]
    return rows


def _recalls(result: IngredientResult | UntrainedResult, corpora: Sequence[str]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for title in corpora:
        columns |= _columns(f"UAR, {title}", result.recalls(title), result.gain_in(title))
    return columns


GAINED = ", gained"
"""What the column of a figure's gain is called after the figure's own."""


def _columns(name: str, values: Mapping[Any, float], gain: Gain) -> dict[str, Any]:
    """A figure, and what it gained."""
    return {
        name: 100 * float(np.mean(list(values.values()))) if values else None,
        name + GAINED: None if gain.mean is None else round(100 * gain.mean, 1) + 0.0,
        name + GAINED + INTERVAL: points_between(*gain.interval) if gain.interval else None,
    }
