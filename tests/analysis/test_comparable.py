from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ser_core.analysis.comparable import by_split, candidates, differences, listed, split_title
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.splits import FOLD_IDS, REPORT_SPLIT_ID, report_split
from ser_core.features.config import FeatureConfig
from ser_core.models.registry import MODELS
from ser_core.records.runs import Run, load_run, load_runs
from ser_core.training.config import TrainConfig
from ser_core.training.study import with_epochs
from tests.made_records import older, write_run

TWO_D, ONE_D = TrainConfig(), TrainConfig(model="1d")


def run(folder: Path, config: TrainConfig = TWO_D, **environment: Any) -> Run:
    write_run(folder, config, environment=environment)
    return load_run(folder)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"epochs": 30}, "epochs (150, 30)"),
        ({"seed": 1}, "seed (42, 1)"),
        ({"batch_size": 32}, "batch size (64, 32)"),
        ({"weight_decay": 0.0}, "weight decay (0.0001, 0.0)"),
        ({"warmup_epochs": 2}, "warmup epochs (5, 2)"),
        ({"select": "accuracy"}, "what picks the epoch (loss, accuracy)"),
        ({"split": "fold1"}, f"split ({REPORT_SPLIT_ID}, id of fold1)"),
        ({"audio": AudioConfig(vad="none")}, "voice activity detection (silero, none)"),
        ({"audio": AudioConfig(normalize=False)}, "audio normalize (True, False)"),
        ({"features": FeatureConfig(n_mels=80)}, "features n mels (64, 80)"),
    ],
)
def test_settings_that_are_not_asked_about_have_to_be_equal(tmp_path: Path, change: dict, found: str):
    usual = run(tmp_path / "usual", replace(TWO_D, audio=AudioConfig(vad="silero")))
    config = replace(TWO_D, audio=AudioConfig(vad="silero"))
    other = run(tmp_path / "other", replace(config, **change, activation="relu"))
    assert listed(differences([usual, other])) == found
    assert differences([usual, other], ()).keys() > differences([usual, other]).keys()
    assert not differences([usual, run(tmp_path / "equal", replace(config, activation="relu"))])


@pytest.mark.parametrize(
    ("name", "value"),
    [("precision", "fp32"), ("numerics", "winograd"), ("data_checksum", "0"), ("split_id", "0")],
)
def test_what_runs_were_computed_with_has_to_be_equal(tmp_path: Path, name: str, value: str):
    usual, other = run(tmp_path / "usual"), run(tmp_path / "other", TWO_D, **{name: value})
    assert list(differences([usual, other])) == [name.replace("_id", "").replace("_", " ")]


@pytest.mark.parametrize("name", ["precision", "numerics"])
def test_unknown_is_comparable_with_nothing(tmp_path: Path, name: str):
    first, second = (run(tmp_path / folder, config=TWO_D, device="CPU", **{name: "unknown"}) for folder in "ab")
    assert listed(differences([first, second])) == f"{name} (unknown)"
    assert not differences([first])


def test_numerics_of_networks_without_2d_convolutions_are_equal(tmp_path: Path):
    one, other = (run(tmp_path / name, ONE_D, numerics=name) for name in ("unknown", "winograd"))
    assert not differences([one, other])
    assert not differences([one, other, run(tmp_path / "2d", numerics="winograd")])
    assert differences([one, run(tmp_path / "2d?", numerics="unknown")]) == {"numerics": ["unknown"]}


def test_which_networks_have_2d_convolutions_is_the_registrys_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, like, asked in (("sound", "1d", set()), ("picture", "2d", {"numerics"})):
        monkeypatch.setitem(MODELS, name, replace(MODELS[like], name=name))
        runs = [run(tmp_path / name / way, TrainConfig(model=name), numerics=way) for way in ("pytorch", "winograd")]
        assert differences(runs).keys() == asked


def test_a_record_of_before_the_epoch_could_be_picked_by_accuracy_picked_it_by_loss(tmp_path: Path):
    usual, old = run(tmp_path / "usual"), run(tmp_path / "old")
    older(old.folder / "config.json", "train", "select")
    assert not differences([usual, load_run(old.folder)])


def test_several_differences_are_listed_as_in_a_sentence():
    assert listed({"a": ["1", "2"]}) == "a (1, 2)"
    assert listed({"a": ["1", "2"], "b": ["x"]}) == "a (1, 2) and b (x)"
    assert listed({"a": ["1"], "b": ["x"], "c": ["y", "z"]}) == "a (1), b (x) and c (y, z)"


def test_a_fold_is_called_by_what_it_keeps_apart():
    runs = [run for run in load_runs()[0] if run.split_name == "fold1"]
    assert split_title(runs) == "Speakers apart, fold 1 of 5"


def test_a_repeat_with_another_seed_is_no_candidate(tmp_path: Path):
    runs = [
        run(tmp_path / name, replace(TWO_D, seed=seed, lr=lr))
        for name, seed, lr in (("a", 42, 0.001), ("b", 7, 0.001), ("c", 7, 0.01))
    ]
    assert [r.name for r in candidates(runs)] == ["a", "c"]


def test_a_short_run_stands_for_the_reports_settings_only_while_there_is_no_longer_one(tmp_path: Path):
    (short,) = with_epochs([TWO_D], 30)
    runs = [run(tmp_path / "short", short)]
    assert candidates(runs) == runs
    runs.append(run(tmp_path / "long", TWO_D))
    (own,) = with_epochs([replace(TWO_D, batch_size=32)], 30)  # which nobody says how long to train
    runs += [run(tmp_path / "own", own), run(tmp_path / "longer", replace(TWO_D, batch_size=32))]
    assert [r.name for r in candidates(runs)] == ["long", "own", "longer"]


def test_splits_do_not_mix_and_the_reports_comes_first(tmp_path: Path):
    runs = [
        run(tmp_path / name, replace(TWO_D, split=split))
        for name, split in (("a", "fold1"), ("b", "mine.json"), ("c", "mine.json"), ("d", "report"))
    ]
    assert [[r.name for r in of_split] for of_split in by_split(runs).values()] == [["d"], ["b", "c"], ["a"]]
    assert [split_title(of_split) for of_split in by_split(runs).values()] == [
        "The report's split",
        "Split mine.json (id of mine.json)",
        "Split fold1 (id of fold1)",
    ]


def test_splits_whose_ids_are_unknown_do_not_mix_either(tmp_path: Path):
    runs = [
        run(tmp_path / name, replace(TWO_D, split=split), split_id=split_id)
        for name, split, split_id in (
            ("a", "report", REPORT_SPLIT_ID),
            ("b", "fold1", "unknown"),
            ("c", "report", "unknown"),
            ("d", "/mine/report.json", "unknown"),
            ("e", "/mine/report.json", "mine"),
            ("f", "fold1", "unknown"),
        )
    ]
    assert [[r.name for r in of_split] for of_split in by_split(runs).values()] == [
        ["a"],
        ["b", "f"],
        ["c"],
        ["d"],
        ["e"],
    ]
    assert [split_title(of_split) for of_split in by_split(runs).values()] == [
        "The report's split",
        "Split fold1 (id unknown)",
        "Split report (id unknown)",
        "Split report.json (id unknown)",
        "Split report.json (mine)",
    ]


def test_the_reports_split_is_known_by_its_id():
    assert report_split().id == REPORT_SPLIT_ID


def test_folds_of_as_many_runs_stand_in_their_order(tmp_path: Path):
    ids = {"a": FOLD_IDS[2], "b": REPORT_SPLIT_ID, "c": FOLD_IDS[0], "d": FOLD_IDS[1]}
    runs = [run(tmp_path / name, split_id=split_id) for name, split_id in ids.items()]
    assert [each.name for (each,) in by_split(runs).values()] == ["b", "c", "d", "a"]
