"""What test-time augmentation and an ensemble give the small network, from evaluations."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_core.analysis.comparison import compare_together
from ser_core.analysis.gains import gain_over_clips
from ser_core.analysis.ingredient_table import ingredient_rows
from ser_core.analysis.ingredients import ingredient_results
from ser_core.analysis.untrained import untrained_results
from ser_core.errors import RunError
from ser_core.records.evaluations import Evaluation
from ser_core.records.runs import load_runs
from ser_core.training.future import SEEDS, future_steps
from ser_core.training.study import with_epochs
from tests.made_records import NAMES, TARGETS, answering, evaluated, write_run

WHOLE = next(step.config for step in future_steps() if step.label == "whole")
VALIDATION = "CREMA-D, validation clips"


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    """Three seeds of the whole."""
    for seed in SEEDS:
        (config,) = with_epochs([replace(WHOLE, seed=seed)], 12)
        write_run(tmp_path / "runs" / f"seed{seed}", config, val_accuracy=0.9)  # nobody's evaluation
    return [f"seed{seed}" for seed in SEEDS]


def said(root: Path, name: str, right: float, *members: str, tta: bool = False, corpus: str = VALIDATION) -> Evaluation:
    one = evaluated(root / "evaluations", name, corpus, right=right)
    checkpoint = replace(one.checkpoint, members=members, speeds=(0.9, 1.0, 1.1) if tta else (1.0,))
    return replace(one, corpus=replace(one.corpus, validation=corpus == VALIDATION), checkpoint=checkpoint)


def rows(root: Path, evaluations: list[Evaluation]) -> dict[str, dict]:
    results = ingredient_results(load_runs(root / "runs")[0], evaluations)
    untrained = untrained_results(results, evaluations, root / "evaluations")
    return {row["network"]: row for row in ingredient_rows(results, untrained)}


def test_what_is_heard_at_several_speeds_is_compared_with_the_same_network_as_it_is(tmp_path: Path, names: list[str]):
    known = [said(tmp_path, name, right) for name, right in zip(names, (0.5, 0.6, 0.7), strict=True)]
    known += [
        said(tmp_path, f"{name}+tta", right, name, tta=True) for name, right in zip(names, (0.55, 0.7), strict=False)
    ]
    row = rows(tmp_path, known)["whole + test-time augmentation"]
    assert (row["compared with"], row["seeds"]) == ("whole", 2)
    assert row["validation"] == pytest.approx(62.5)
    assert row["validation, gained"] == 7.5
    low, high = (float(end) for end in row["validation, gained, 95 % interval"].split(" to "))
    assert (low, high) == pytest.approx((7.5 - 31.8, 7.5 + 31.8), abs=0.06)  # t = 12.706, deviation 3.536 of two seeds
    assert row["unseen speakers"] is None
    assert not any(name.startswith("UAR") for name in row)


def test_an_ensemble_is_compared_with_its_members_by_themselves(tmp_path: Path, names: list[str]):
    known = [said(tmp_path, name, right) for name, right in zip(names, (0.4, 0.5, 0.6), strict=True)]
    known += [said(tmp_path, "together", 0.6, *reversed(names))]
    known += [said(tmp_path, name, 0.3, corpus="RAVDESS") for name in names]
    known += [said(tmp_path, "together", 0.35, *names, corpus="RAVDESS")]
    found = rows(tmp_path, known)
    assert list(found) == ["whole", "whole + ensemble of 3 seeds"]
    row = found["whole + ensemble of 3 seeds"]
    assert (row["seeds"], row["validation"], row["validation, gained"]) == (3, pytest.approx(60), 10.0)
    for name in ("validation, gained", "UAR, RAVDESS, gained"):
        low, high = (float(end) for end in row[f"{name}, 95 % interval"].split(" to "))
        assert 0 < low < row[name] < high
    assert found["whole"]["UAR, RAVDESS"] == pytest.approx(30)
    assert found["whole"]["validation"] == pytest.approx(90)  # of its records, as of all that is trained


def test_two_of_three_are_no_ensemble_of_the_study_and_nothing_is_said_of_what_has_no_pair(
    tmp_path: Path, names: list[str]
):
    known = [said(tmp_path, name, 0.5) for name in names[:2]]
    assert list(rows(tmp_path, [*known, said(tmp_path, "two", 0.6, *names[:2])])) == ["whole"]
    row = rows(tmp_path, [*known, said(tmp_path, "three", 0.6, *names)])["whole + ensemble of 3 seeds"]
    assert (row["validation"], row["validation, gained"]) == (pytest.approx(60), None)


def test_the_interval_is_over_speakers_and_clips():
    rng = np.random.default_rng(0)
    first, *others = (answering(np.where(rng.random(len(TARGETS)) < share, TARGETS, 0)) for share in (0.6, 0.5, 0.4))
    pairs = [(first, other) for other in others]
    # That one draws the same clips in another order.
    assert gain_over_clips(first, others, balanced=False) == pytest.approx(compare_together(pairs).interval, abs=0.004)
    assert gain_over_clips(first, [first], balanced=True) == (0, 0)
    # Right in the rarest emotion alone: less than a sixth of the clips, and a sixth of the recalls.
    rare = np.bincount(TARGETS).argmin()
    one = answering(np.where(rare == TARGETS, TARGETS, (TARGETS + 1) % 6))
    none = answering((TARGETS + 1) % 6)
    assert gain_over_clips(one, [none], balanced=True) == pytest.approx((1 / 6, 1 / 6))
    low, high = gain_over_clips(one, [none], balanced=False)
    assert low < (rare == TARGETS).mean() < high
    with pytest.raises(RunError, match="the same clips"):
        gain_over_clips(one, [answering(TARGETS[:9], NAMES[:9], TARGETS[:9])], balanced=True)
