from dataclasses import replace
from pathlib import Path

import pytest

from ser_core.runs import load_run, load_runs
from ser_core.study import BEST_2D, by_configuration, configuration_of, report_study, with_epochs
from ser_core.train_config import TrainConfig
from tests.test_runs import write_run


def test_the_report_trained_27_configurations_and_five_variations():
    names = [config.name for config in report_study()]
    assert len(names) == len(set(names)) == 27 + 5
    assert names[:4] == [
        "lr0.001-SiLU-2D",
        "lr0.01-ELU-1D",
        "lr0.001-SiLU-Combined",
        "lr0.001-SiLU-Combined-variable",
    ]


@pytest.mark.parametrize("config", report_study()[:3])
@pytest.mark.parametrize("epochs", [3, 30, 150])
def test_a_record_belongs_to_the_configuration_of_its_settings(tmp_path: Path, config: TrainConfig, epochs: int):
    (shorter,) = with_epochs([config], epochs)
    write_run(tmp_path / "again", shorter)
    assert configuration_of(load_run(tmp_path / "again")) == config.name


@pytest.mark.parametrize("change", [{"seed": 1}, {"batch_size": 32}, {"split": "fold1"}, {"lr": 0.02}])
def test_other_settings_belong_to_none(tmp_path: Path, change: dict):
    write_run(tmp_path / "other", replace(BEST_2D, **change))
    assert configuration_of(load_run(tmp_path / "other")) == "other"


def test_settings_of_another_version_belong_to_none(tmp_path: Path):
    write_run(tmp_path / "old", BEST_2D)
    path = tmp_path / "old" / "config.json"
    path.write_text(path.read_text().replace('"seed"', '"seeds"', 1).replace('"lr"', '"seed": 42, "lr"', 1))
    assert configuration_of(load_run(tmp_path / "old")) == "old"


@pytest.mark.parametrize("other", ["a", "z"])
def test_of_two_records_with_the_same_settings_the_one_with_their_name_counts(tmp_path: Path, other: str):
    (short,) = with_epochs([BEST_2D], 30)
    for name, config in ((BEST_2D.name, BEST_2D), (other, BEST_2D), ("short", short)):
        write_run(tmp_path / name, config)
    recorded = by_configuration(load_runs(tmp_path)[0])
    assert {epochs: run.name for epochs, run in recorded[BEST_2D.name].items()} == {150: BEST_2D.name, 30: "short"}
