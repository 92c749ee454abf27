"""Accuracy of checkpoints over what they cost."""

import numpy as np
import pytest

from ser_core.analysis.cost_figure import cost_figure


def row(name: str, milliseconds: float, accuracy: float, parameters: int = 500_000) -> dict:
    return {
        "checkpoint": name,
        "network": name,
        "milliseconds": milliseconds,
        "accuracy": accuracy,
        "megabytes": 1.0,
        "parameters": parameters,
    }


def test_names_of_marks_that_are_close_stand_on_different_sides():
    rows = [row("2D CNN", 35.7, 63.5), row("Combined CNN", 37.9, 62.7), row("Conformer", 32.7, 64.5)]
    (marks,) = cost_figure(rows, "milliseconds").data
    assert len(set(marks.textposition)) == 3


def test_a_name_that_nothing_is_near_stands_above_its_mark():
    (marks,) = cost_figure([row("a", 10, 60), row("b", 100, 75)], "milliseconds").data
    assert list(marks.textposition) == ["top center"] * 2


@pytest.mark.parametrize("rows", [[], [row("a", 10, 60)]])
def test_few_rows_make_a_figure(rows: list[dict]):
    figure = cost_figure(rows, "milliseconds")
    assert len(figure.data[0].x) == len(rows)
    assert np.isfinite(figure.layout.xaxis.range).all()
