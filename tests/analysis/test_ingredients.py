"""What each ingredient gives the small network, from records of several seeds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ser_core.analysis.ingredient_table import ingredient_rows
from ser_core.analysis.ingredients import ingredient_results
from ser_core.errors import RunError
from ser_core.records.evaluations import Evaluation
from ser_core.records.runs import load_runs
from ser_core.training import grid_command
from ser_core.training.future import SEEDS, future_steps
from ser_core.training.study import with_epochs
from tests.made_records import evaluated, write_run

STEPS = {step.label: step for step in future_steps()}
LESS = "whole - SpecAugment"


def trained(root: Path, label: str, seed: int, accuracy: float, epochs: int = 12, split: str = "report") -> str:
    """Record a network of the study; its name."""
    (config,) = with_epochs([replace(STEPS[label].config, seed=seed, split=split)], epochs)
    write_run(root / f"{config.name}-{epochs}", config, val_accuracy=accuracy)
    return f"{config.name}-{epochs}"


def rows(root: Path, evaluations: Sequence[Evaluation] = ()) -> dict[str, dict]:
    return {row["network"]: row for row in ingredient_rows(ingredient_results(load_runs(root)[0], evaluations))}


def test_a_gain_is_between_runs_of_the_same_seed(tmp_path: Path):
    for seed, whole, less in zip(SEEDS, (0.60, 0.70, 0.65), (0.58, 0.68, 0.64), strict=True):
        trained(tmp_path, "whole", seed, whole)
        trained(tmp_path, LESS, seed, less)
    found = rows(tmp_path)
    assert list(found) == ["whole", LESS]
    assert found["whole"]["validation"] == pytest.approx(65)
    assert found["whole"]["validation, gained"] is None
    assert (found[LESS]["seeds"], found[LESS]["validation, gained"]) == (3, -1.7)
    low, high = (float(end) for end in found[LESS]["validation, gained, 95 % interval"].split(" to "))
    assert (low, high) == pytest.approx((-1.667 - 1.434, -1.667 + 1.434), abs=0.06)  # t = 4.303, deviation 0.577


def test_a_seed_that_only_one_of_both_has_says_nothing_of_the_gain(tmp_path: Path):
    trained(tmp_path, "whole", SEEDS[0], 0.60)
    trained(tmp_path, LESS, SEEDS[0], 0.61)
    trained(tmp_path, LESS, SEEDS[1], 0.90)
    found = rows(tmp_path)[LESS]
    assert (found["seeds"], found["validation, gained"], found["validation, gained, 95 % interval"]) == (2, 1.0, None)


def test_only_what_was_trained_alike_stands_together(tmp_path: Path):
    for label in ("whole", LESS):
        trained(tmp_path, label, SEEDS[0], 0.6)
    trained(tmp_path, "base", SEEDS[0], 0.5, epochs=30)
    assert list(rows(tmp_path)) == ["whole", LESS]
    assert ingredient_results([]) == []


def test_unseen_speakers_are_those_of_folds_each_against_its_own(tmp_path: Path):
    for fold, whole, less in (("fold1", 0.50, 0.48), ("fold2", 0.70, 0.66)):
        trained(tmp_path, "whole", SEEDS[0], whole, split=fold)
        trained(tmp_path, LESS, SEEDS[0], less, split=fold)
    trained(tmp_path, "whole", SEEDS[1], 0.52, split="fold1")
    trained(tmp_path, LESS, SEEDS[1], 0.54, split="fold1")  # in fold 1, nothing on average
    trained(tmp_path, LESS, SEEDS[0], 0.10, split="fold3")  # with nothing to compare it with
    found = rows(tmp_path)
    assert (found["whole"]["seeds"], found["whole"]["validation"]) == (0, None)
    assert (found["whole"]["folds"], found[LESS]["folds"]) == (2, 3)
    assert found["whole"]["unseen speakers"] == pytest.approx((51 + 70) / 2)
    assert found[LESS]["unseen speakers, gained"] == -2.0
    low, high = (float(end) for end in found[LESS]["unseen speakers, gained, 95 % interval"].split(" to "))
    assert (low, high) == pytest.approx((-2 - 25.4, -2 + 25.4), abs=0.06)  # t = 12.706 of two folds, deviation 2.828
    trained(tmp_path, "whole", SEEDS[0], 0.60)
    assert (rows(tmp_path)["whole"]["validation"], rows(tmp_path)["whole"]["folds"]) == (pytest.approx(60), 2)


def test_a_fold_is_what_the_grid_trains_on_it():
    asked = grid_command.configurations(grid_command.parse_arguments(["future", "--split", "fold2"]))
    assert len(asked) == len(SEEDS) * len(STEPS)
    assert asked[0] == replace(STEPS["base"].config, seed=SEEDS[0], split="fold2")


@pytest.mark.parametrize("seeds", [SEEDS[:1], SEEDS[:2]])
def test_of_one_seed_the_interval_is_over_speakers_and_clips(tmp_path: Path, seeds: tuple[int, ...]):
    root, recalls = tmp_path / "e", []
    for seed in seeds:
        for label, right in (("whole", 0.5), (LESS, 0.4)):
            name = trained(tmp_path / "runs", label, seed, right)
            recalls.append(evaluated(root, name, right=right))
            one = evaluated(root, name, "CREMA-D, validation clips", right=right)
            recalls.append(replace(one, corpus=replace(one.corpus, validation=True)))
    runs = load_runs(tmp_path / "runs")[0]
    found, without = (
        {row["network"]: row for row in ingredient_rows(ingredient_results(runs, recalls, where))}
        for where in (root, None)
    )
    for figure in ("validation, gained", "UAR, RAVDESS, gained"):
        said = found[LESS][f"{figure}, 95 % interval"]
        if len(seeds) > 1:  # each of which has the same difference
            assert said == without[LESS][f"{figure}, 95 % interval"]
            continue
        low, high = (float(end) for end in said.split(" to "))
        assert low < found[LESS][figure] < high < 0
        assert without[LESS][f"{figure}, 95 % interval"] is None
    (root / "ravdess" / name / "predictions.csv").unlink()
    if len(seeds) == 1:
        with pytest.raises(RunError, match=r"predictions\.csv"):
            ingredient_rows(ingredient_results(runs, recalls, root))


def test_the_interval_is_of_accuracy_or_of_recall_as_the_figure_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, recalls = tmp_path / "e", []
    for label, right in (("whole", 0.5), (LESS, 0.4)):
        name = trained(tmp_path / "runs", label, SEEDS[0], right)
        one = evaluated(root, name, "CREMA-D, validation clips", right=right)
        recalls += [evaluated(root, name, right=right), replace(one, corpus=replace(one.corpus, validation=True))]
    asked = "ser_core.analysis.ingredients.gain_over_clips"
    monkeypatch.setattr(asked, lambda one, others, balanced: (-1.0, 1.0 if balanced else 0.0))
    less = ingredient_results(load_runs(tmp_path / "runs")[0], recalls, root)[-1]
    assert (less.gain.over_clips, less.gain_in("RAVDESS").over_clips) == ((-1.0, 0.0), (-1.0, 1.0))


def test_test_clips_of_the_own_corpus_are_no_column(tmp_path: Path):
    root, name = tmp_path / "evaluations", trained(tmp_path / "runs", "whole", SEEDS[0], 0.6)
    heard = [evaluated(root, name), evaluated(root, name, "CREMA-D", heard="same speakers")]
    (result,) = ingredient_results(load_runs(tmp_path / "runs")[0], heard)
    assert list(result.elsewhere) == ["RAVDESS"]


def test_other_corpora_have_columns_where_something_was_evaluated(tmp_path: Path):
    recalls = []
    for seed, whole, less in zip(SEEDS[:2], (0.5, 0.6), (0.45, 0.575), strict=True):
        names = trained(tmp_path, "whole", seed, 0.6), trained(tmp_path, LESS, seed, 0.6)
        recalls += [
            evaluated(tmp_path / "e", name, right=right) for name, right in zip(names, (whole, less), strict=True)
        ]
    trained(tmp_path, "base", SEEDS[0], 0.4)
    found = rows(tmp_path, recalls)
    gains = [after.uar - before.uar for before, after in zip(recalls[::2], recalls[1::2], strict=True)]
    assert found["whole"]["UAR, RAVDESS"] == pytest.approx(50 * (recalls[0].uar + recalls[2].uar))
    assert found[LESS]["UAR, RAVDESS, gained"] == pytest.approx(100 * sum(gains) / 2, abs=0.06)
    assert found[LESS]["UAR, RAVDESS, gained, 95 % interval"].count(" to ") == 1
    assert found["base"]["UAR, RAVDESS"] is None
    other = replace(recalls[0], corpus=replace(recalls[0].corpus, checksum="another"))
    assert rows(tmp_path, [other, recalls[1]])[LESS]["UAR, RAVDESS, gained"] is None  # of other clips
    assert not any(name.startswith("UAR") for name in rows(tmp_path)["whole"])
