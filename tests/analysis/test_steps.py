"""What each step gives towards hearing the voice and not the recording, from records."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_core.analysis.steps import step_results, step_rows
from ser_core.records.evaluations import Evaluation, load_evaluations
from ser_core.records.runs import load_runs
from ser_core.training.study import recording_steps, with_epochs
from tests.helpers import ROOT
from tests.made_records import TARGETS, answering, evaluated, write_run

STEPS = {step.label: step for step in recording_steps()}
LABELS = list(STEPS)


def trained(root: Path, label: str, errors: int, *, epochs: int = 12, name: str = "", **environment: str) -> str:
    """Record a step that is wrong on so many clips, those of fewer among those of more; its run's name."""
    (config,) = with_epochs([STEPS[label].config], epochs)
    wrong = np.random.default_rng(0).permutation(len(TARGETS))[:errors]
    said = TARGETS.copy()
    said[wrong] = (said[wrong] + 1) % 6
    write_run(root / (name or config.name), config, predictions=answering(said), environment=environment)
    return name or config.name


def results(root: Path, evaluations: list[Evaluation] | None = None):
    return step_results(load_runs(root)[0], evaluations or [])


def test_each_step_is_one_of_the_study_and_adds_to_one_before_it():
    assert len(STEPS) == len(recording_steps())
    for i, step in enumerate(recording_steps()):
        assert step.to in (LABELS[:i] if i else [None])


def test_all_steps_are_recorded_and_what_they_hear_elsewhere():
    found = step_results(load_runs(ROOT / "runs")[0], load_evaluations(ROOT / "evaluations")[0])
    assert [result.step.label for result in found] == LABELS
    assert all(set(result.elsewhere) == {"RAVDESS"} for result in found)


def test_a_step_gives_what_it_is_better_than_what_it_adds_to(tmp_path: Path):
    trained(tmp_path, LABELS[0], 200)
    second = trained(tmp_path, LABELS[1], 160)
    trained(tmp_path, LABELS[3], 100)  # what it adds to isn't recorded
    evaluation = evaluated(tmp_path / "evaluations", second, right=0.5)
    first, level, everything = step_rows(results(tmp_path, [evaluation]))
    assert [row["step"] for row in (first, level, everything)] == [LABELS[0], LABELS[1], LABELS[3]]
    assert first["gained"] is None
    assert level["gained"] == pytest.approx(10)
    low, high = (float(end) for end in level["gained, 95 % interval"].split(" to "))
    assert 0 < low < 10 < high
    assert everything["gained"] is None
    assert (first["test"], level["test"]) == (pytest.approx(50), pytest.approx(60))
    assert (first["UAR, RAVDESS"], level["UAR, RAVDESS"]) == (None, pytest.approx(100 * evaluation.uar))


def test_only_steps_that_were_trained_alike_stand_together(tmp_path: Path):
    for label in LABELS[:3]:
        trained(tmp_path, label, 200)
    trained(tmp_path, LABELS[3], 100, precision="fp32")
    trained(tmp_path, LABELS[4], 100, epochs=30)
    assert [result.step.label for result in results(tmp_path)] == LABELS[:3]


def test_of_as_many_steps_the_longer_trained_are_shown(tmp_path: Path):
    for label in LABELS[:2]:
        trained(tmp_path, label, 200, epochs=150)
        trained(tmp_path, label, 200, epochs=12, name=f"short{LABELS.index(label)}")
    assert {result.run.train.epochs for result in results(tmp_path)} == {150}


def test_a_step_is_its_settings_and_not_its_name(tmp_path: Path):
    (config,) = with_epochs([STEPS[LABELS[1]].config], 12)
    write_run(tmp_path / config.name, replace(config, seed=1))
    assert results(tmp_path) == []
    assert step_rows([]) == []
    write_run(tmp_path / "mine", config)
    assert [result.run.name for result in results(tmp_path)] == ["mine"]


@pytest.mark.parametrize("best_first", [True, False])
def test_of_several_runs_of_the_same_settings_the_one_that_bears_their_name_is_shown(tmp_path: Path, best_first: bool):
    usual = trained(tmp_path, LABELS[0], 100)
    trained(tmp_path, LABELS[0], 10, name=f"{usual}-run2")
    trained(tmp_path, LABELS[0], 10, name="a-better-one")
    runs = sorted(load_runs(tmp_path)[0], key=lambda run: run.accuracy, reverse=best_first)
    assert [result.run.name for result in step_results(runs, [])] == [usual]
