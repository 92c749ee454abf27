"""The four bars that say what this project is."""

import math
from pathlib import Path

import pytest

from ser_core.analysis.overview import model_bars, people_bar
from ser_core.corpus.clips import find_clip
from ser_core.records.evaluations import Heard, load_evaluations
from ser_core.records.runs import load_runs
from ser_core.training.config import TrainConfig
from tests.made_records import evaluated, record, set_val_accuracy, write_run


def test_the_best_in_validation_stands_for_its_split_and_for_another_corpus(tmp_path: Path):
    runs, evaluations = tmp_path / "runs", tmp_path / "evaluations"
    record(runs, "lr0.001-SiLU-2D", 100)
    record(runs, "lr0.01-ELU-1D", 180)
    set_val_accuracy(runs / "lr0.01-ELU-1D", 0.6)
    fold = TrainConfig(split="fold2")
    write_run(runs / fold.name, fold)
    set_val_accuracy(runs / fold.name, 0.9)
    tried: tuple[tuple[str, float, Heard], ...] = (
        ("lr0.001-SiLU-2D", 0.7, "nothing"),
        ("lr0.01-ELU-1D", 0.5, "nothing"),
        (fold.name, 0.9, "other speakers"),
        ("no run", 0.95, "nothing"),
    )
    for name, right, heard in tried:
        evaluated(evaluations, name, right=right, heard=heard)
    shared, unheard, other = model_bars(load_runs(runs)[0], load_evaluations(evaluations)[0])
    assert (shared.runs, shared.accuracy) == (("lr0.01-ELU-1D",), pytest.approx(0.55))
    assert (unheard.runs, unheard.what) == ((fold.name,), "Best model, speakers it never heard")
    assert unheard.detail.endswith(" clips of CREMA-D, fold 2 of 5")
    assert shared.detail.endswith(" clips of CREMA-D")
    assert (other.runs, other.accuracy, other.detail) == (
        ("lr0.01-ELU-1D",),
        pytest.approx(0.5),
        "120 clips of RAVDESS",
    )
    assert all(bar.interval and bar.interval[0] <= bar.accuracy <= bar.interval[1] for bar in (shared, unheard, other))


def test_a_model_that_can_be_tried_stands_before_one_that_can_not(tmp_path: Path):
    runs, evaluations = tmp_path / "runs", tmp_path / "evaluations"
    record(runs, "lr0.001-SiLU-2D", 100)
    better = TrainConfig(seed=42, batch_size=32)
    write_run(runs / better.name, better)
    set_val_accuracy(runs / better.name, 0.8)
    for config, accuracy in ((TrainConfig(split="fold1"), 0.5), (TrainConfig(split="fold1", batch_size=32), 0.9)):
        write_run(runs / config.name, config)
        set_val_accuracy(runs / config.name, accuracy)
    for name in ("lr0.001-SiLU-2D", better.name):
        evaluated(evaluations, name, right=0.5, heard="nothing")
    known, tried = load_runs(runs)[0], load_evaluations(evaluations)[0]
    names = [bar.runs for bar in model_bars(known, tried, ["lr0.001-SiLU-2D"])]
    assert names == [("lr0.001-SiLU-2D",), ("lr0.001-SiLU-2D-fold1",), ("lr0.001-SiLU-2D",)]
    of_all = [bar.runs for bar in model_bars(known, tried)]
    assert of_all == [(better.name,), (TrainConfig(split="fold1", batch_size=32).name,), (better.name,)]


def test_folds_of_the_same_settings_count_together(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 100)
    for split, errors in (("fold1", 150), ("fold4", 50)):
        record(tmp_path, "lr0.001-SiLU-2D", errors, folder=split, settings={"split": split})
    record(tmp_path, "lr0.01-SiLU-2D", 10, folder="other", settings={"split": "fold2"})
    set_val_accuracy(tmp_path / "other", 0.99)
    known = load_runs(tmp_path)[0]
    unheard = model_bars(known, [])[1]
    assert unheard.runs == ("fold1", "fold4")
    assert unheard.detail == "800 clips of CREMA-D, folds 1 and 4 of 5"
    assert unheard.accuracy == pytest.approx(600 / 800)
    below, above = zip(
        *(
            (run.accuracy - run.accuracy_interval[0], run.accuracy_interval[1] - run.accuracy)
            for run in known
            if run.name in unheard.runs
        ),
        strict=True,
    )
    assert unheard.interval
    assert unheard.accuracy - unheard.interval[0] == pytest.approx(math.hypot(*below) / 2)
    assert unheard.interval[1] - unheard.accuracy == pytest.approx(math.hypot(*above) / 2)
    for split in ("fold2", "fold3", "fold5"):
        record(tmp_path, "lr0.001-SiLU-2D", 100, folder=split, settings={"split": split})
    unheard = model_bars(load_runs(tmp_path)[0], [])[1]
    assert (unheard.detail, unheard.accuracy) == ("2,000 clips of CREMA-D, all 5 folds", pytest.approx(1500 / 2000))


def test_without_records_there_are_only_people():
    assert model_bars([], []) == []
    clip = find_clip("1087_WSI_ANG_XX")
    assert people_bar([clip]).accuracy == 1.0
    assert people_bar([clip]).detail == f"{clip.voice.total} ratings"
