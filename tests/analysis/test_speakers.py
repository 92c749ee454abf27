"""Speakers whom a network learned from, beside those whom it never heard."""

import math
from pathlib import Path

import pytest

from ser_core.analysis.figures import figure_rows
from ser_core.analysis.speakers import (
    HEARD,
    UNHEARD,
    most_folds,
    not_yet,
    speaker_results,
    speaker_rows,
    speakers_figure,
)
from ser_core.analysis.steps import INTERVAL
from ser_core.records.runs import RUNS_DIR, load_runs
from ser_core.training.study import speakers_study
from tests.made_records import record, set_val_accuracy, write_run

TEST_CLIPS = 400  # of a made record


def made(root: Path) -> None:
    """A network with two folds, one with a fold, one with none, and a fold whose settings nothing else has."""
    record(root, "lr0.001-SiLU-2D", 100)
    for split, errors in (("fold4", 50), ("fold1", 150)):
        record(root, "lr0.001-SiLU-2D", errors, folder=split, settings={"split": split})
    record(root, "lr0.01-SiLU-2D", 40)
    record(root, "lr0.01-SiLU-2D", 80, folder="other", settings={"split": "fold2"})
    set_val_accuracy(root / "lr0.01-SiLU-2D", 0.9)
    record(root, "lr0.01-ELU-1D", 40)
    record(root, "lr0.1-ELU-1D", 40, folder="alone", settings={"split": "fold2"})


def test_trainings_that_differ_in_nothing_but_the_split_are_side_by_side(tmp_path: Path):
    made(tmp_path)
    found = speaker_results(load_runs(tmp_path)[0])
    assert [result.shared.name for result in found] == ["lr0.01-SiLU-2D", "lr0.001-SiLU-2D"]  # by validation
    assert [run.name for run in found[1].folds] == ["fold1", "fold4"]
    first, second = speaker_rows(found)
    assert [row["folds"] for row in (first, second)] == ["fold 2 of 5", "folds 1 and 4 of 5"]
    assert [first[HEARD], first[UNHEARD]] == pytest.approx([0.9, 0.8])
    assert [second[HEARD], second[UNHEARD]] == pytest.approx([0.75, 0.75])
    assert first["difference"] == pytest.approx(-10)
    assert "%" in second[UNHEARD + INTERVAL]


def test_a_fold_that_was_computed_otherwise_is_of_another_training(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 100)
    record(tmp_path, "lr0.001-SiLU-2D", 50, folder="fold1", settings={"split": "fold1"})
    elsewhere = {"numerics": "winograd"}
    record(tmp_path, "lr0.001-SiLU-2D", 50, folder="fold2", settings={"split": "fold2"}, environment=elsewhere)
    (found,) = speaker_results(load_runs(tmp_path)[0])
    assert [run.name for run in found.folds] == ["fold1"]


def test_folds_have_no_speaker_in_common_so_that_their_errors_add_up_in_squares(tmp_path: Path):
    made(tmp_path)
    result = speaker_results(load_runs(tmp_path)[0])[1]
    below = [run.accuracy - run.accuracy_interval[0] for run in result.folds]
    assert result.unheard.clips == 2 * TEST_CLIPS
    assert result.unheard.value - result.unheard.low == pytest.approx(math.hypot(*below) / 2)
    assert (result.heard.low, result.heard.high) == pytest.approx(result.shared.accuracy_interval)


def test_what_the_study_of_speakers_lacks_is_known(tmp_path: Path):
    first, *others = speakers_study()
    assert not_yet([]) == [first, *others]
    write_run(tmp_path / "any name", first)
    assert not_yet(load_runs(tmp_path)[0]) == others


def test_of_each_network_the_one_with_the_most_folds_stands_in_a_short_table(tmp_path: Path):
    made(tmp_path)
    (shown,) = most_folds(speaker_results(load_runs(tmp_path)[0]))
    assert shown.shared.name == "lr0.001-SiLU-2D"


def test_of_a_network_whose_weights_ship_those_stand_in_the_short_table(tmp_path: Path):
    made(tmp_path)
    results = speaker_results(load_runs(tmp_path)[0])
    for one in results:
        assert [shown.shared for shown in most_folds(results, [one.shared.name])] == [one.shared]
    assert len(results) > 1


def test_a_figure_has_both_marks_of_each_run_on_its_line(tmp_path: Path):
    made(tmp_path)
    figure = speakers_figure(speaker_results(load_runs(tmp_path)[0]))
    rows = figure_rows(figure)
    assert [row["series"] for row in rows] == [HEARD, HEARD, UNHEARD, UNHEARD]
    assert [row["x"] for row in rows] == pytest.approx([0.9, 0.75, 0.8, 0.75])
    assert [row["y"] for row in rows[:2]] == [row["y"] for row in rows[2:]]
    assert all(row["low"] <= row["x"] <= row["high"] for row in rows)


def test_the_pretrained_network_ships_with_all_folds():
    found = {result.shared.name: result for result in speaker_results(load_runs(RUNS_DIR)[0])}
    assert len(found["lr6e-05-SiLU-Whisper-base"].folds) == 5
