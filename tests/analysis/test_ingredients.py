"""What each ingredient gives the small network, from records of several seeds."""

from dataclasses import replace
from pathlib import Path

import pytest

from ser_core.analysis.ingredients import ingredient_results, ingredient_rows
from ser_core.records.runs import load_runs
from ser_core.training.future import SEEDS, future_steps
from ser_core.training.study import with_epochs
from tests.made_records import write_run

STEPS = {step.label: step for step in future_steps()}
LESS = "whole - SpecAugment"


def trained(root: Path, label: str, seed: int, accuracy: float, epochs: int = 12) -> None:
    (config,) = with_epochs([replace(STEPS[label].config, seed=seed)], epochs)
    write_run(root / f"{config.name}-{epochs}", config, val_accuracy=accuracy)


def rows(root: Path) -> dict[str, dict]:
    return {row["network"]: row for row in ingredient_rows(ingredient_results(load_runs(root)[0]))}


def test_a_gain_is_between_runs_of_the_same_seed(tmp_path: Path):
    for seed, whole, less in zip(SEEDS, (0.60, 0.70, 0.65), (0.58, 0.68, 0.64), strict=True):
        trained(tmp_path, "whole", seed, whole)
        trained(tmp_path, LESS, seed, less)
    found = rows(tmp_path)
    assert list(found) == ["whole", LESS]
    assert found["whole"]["validation"] == pytest.approx(65)
    assert found["whole"]["gained"] is None
    assert (found[LESS]["seeds"], found[LESS]["gained"]) == (3, -1.7)
    low, high = (float(end) for end in found[LESS]["gained, 95 % interval"].split(" to "))
    assert (low, high) == pytest.approx((-1.667 - 1.434, -1.667 + 1.434), abs=0.06)  # t = 4.303, deviation 0.577


def test_a_seed_that_only_one_of_both_has_says_nothing_of_the_gain(tmp_path: Path):
    trained(tmp_path, "whole", SEEDS[0], 0.60)
    trained(tmp_path, LESS, SEEDS[0], 0.61)
    trained(tmp_path, LESS, SEEDS[1], 0.90)
    found = rows(tmp_path)[LESS]
    assert (found["seeds"], found["gained"], found["gained, 95 % interval"]) == (2, 1.0, None)


def test_only_what_was_trained_alike_stands_together(tmp_path: Path):
    for label in ("whole", LESS):
        trained(tmp_path, label, SEEDS[0], 0.6)
    trained(tmp_path, "base", SEEDS[0], 0.5, epochs=30)
    assert list(rows(tmp_path)) == ["whole", LESS]
    assert ingredient_results([]) == []
