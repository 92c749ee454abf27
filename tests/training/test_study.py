from dataclasses import replace
from pathlib import Path

import pytest

from ser_core.analysis.configurations import by_configuration, configuration_of, reported_result
from ser_core.analysis.report import REPORT_RESULTS
from ser_core.audio.changes.augment import AugmentationConfig
from ser_core.audio.preprocess import AudioConfig
from ser_core.errors import RunError
from ser_core.models.activations import ACTIVATIONS, Activation
from ser_core.models.registry import MODELS, Architecture
from ser_core.records.runs import RUNS_DIR, Run, load_run, load_runs
from ser_core.records.shipped import shipped
from ser_core.training.config import TrainConfig
from ser_core.training.report_grid import REPORT_MODELS
from ser_core.training.study import (
    BEST_2D,
    BEST_HERE,
    recordings_study,
    report_study,
    speakers_study,
    with_epochs,
)
from tests.made_records import write_run


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
    assert configuration_of(load_run(tmp_path / "other")) is None


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(epochs=200, warmup_epochs=0),
        TrainConfig(audio=AudioConfig(pipeline="voice")),
        TrainConfig(audio=AudioConfig(normalize=False)),
        TrainConfig(audio=AudioConfig(vad_pad=0.3)),
        TrainConfig(copies=4),
        TrainConfig(spec_augment=2),
    ],
)
def test_what_the_report_did_otherwise_is_no_record_of_it(tmp_path: Path, config: TrainConfig):
    write_run(tmp_path / "lr0.001-SiLU-2D", config)
    run = load_run(tmp_path / "lr0.001-SiLU-2D")
    assert configuration_of(run) is None
    assert reported_result(run) is None


def test_a_record_is_its_settings_and_not_its_name(tmp_path: Path):
    write_run(tmp_path / BEST_2D.name, replace(BEST_2D, seed=1))
    run = load_run(tmp_path / BEST_2D.name)
    assert configuration_of(run) is None
    assert reported_result(run) is None
    write_run(tmp_path / BEST_2D.name, BEST_2D)
    assert reported_result(load_run(tmp_path / BEST_2D.name)) == REPORT_RESULTS[BEST_2D.name]
    (short,) = with_epochs([BEST_2D], 30)
    write_run(tmp_path / "of-thirty", short)
    assert reported_result(load_run(tmp_path / "of-thirty")) == REPORT_RESULTS[BEST_2D.name]


def test_speakers_are_kept_apart_for_the_best_of_each_network():
    of_the_grid = {config.name for config in report_study() if config.model in REPORT_MODELS and config.form == "fixed"}
    best: dict[str, Run] = {}
    for run in [run for run in load_runs(RUNS_DIR)[0] if run.name in shipped(RUNS_DIR)]:  # not a user's own
        if configuration_of(run) in of_the_grid and run.train.epochs == TrainConfig.epochs:
            best[run.train.model] = max(run, best.get(run.train.model, run), key=lambda run: run.val_rank)
    assert [configuration_of(best[config.model]) for config in BEST_HERE] == [config.name for config in BEST_HERE]
    assert {replace(config, split="report") for config in speakers_study()} == set(BEST_HERE)


def test_preprocessing_which_the_report_leaves_open_does_not_make_another_configuration(tmp_path: Path):
    write_run(tmp_path / "none", replace(BEST_2D, audio=AudioConfig(vad="none")))
    assert configuration_of(load_run(tmp_path / "none")) == BEST_2D.name


def test_an_epoch_picked_by_accuracy_makes_another_configuration(tmp_path: Path):
    config = replace(BEST_2D, select="accuracy")
    write_run(tmp_path / "other", config)
    assert configuration_of(load_run(tmp_path / "other")) == config.name != BEST_2D.name


def test_another_activation_or_model_changes_no_study(monkeypatch: pytest.MonkeyPatch):
    before = report_study()
    monkeypatch.setitem(ACTIVATIONS, "gelu", Activation("gelu", "GELU", "torch.nn", "GELU"))
    monkeypatch.setitem(MODELS, "3d", Architecture("3d", "3D", "a test", "cnn3d", ("mel",), "relu"))
    assert report_study() == before


def test_settings_that_this_version_does_not_know_are_named(tmp_path: Path):
    write_run(tmp_path / "new", BEST_2D)
    path = tmp_path / "new" / "config.json"
    path.write_text(path.read_text().replace('"seed"', '"seeds"', 1).replace('"lr"', '"seed": 42, "lr"', 1))
    with pytest.raises(RunError, match="train has no entry 'seeds'"):
        load_run(tmp_path / "new")


@pytest.mark.parametrize("other", ["a", "z"])
def test_of_two_records_with_the_same_settings_the_one_with_their_name_comes_first(tmp_path: Path, other: str):
    (short,) = with_epochs([BEST_2D], 30)
    for name, config in ((BEST_2D.name, BEST_2D), (other, BEST_2D), ("short", short)):
        write_run(tmp_path / name, config)
    recorded = by_configuration(load_runs(tmp_path)[0])
    names = {epochs: [run.name for run in runs] for epochs, runs in recorded[BEST_2D.name].items()}
    assert names == {150: [BEST_2D.name, other], 30: ["short"]}


def test_each_change_of_recordings_is_trained_with_by_itself():
    shares = {name: value for name, value in vars(AugmentationConfig()).items() if isinstance(value, float) and value}
    on_by_default = shares.keys() - {"band_limit", "max_eq_db"}  # which say how, not whether
    found = []
    for config in recordings_study():
        on = [name for name in on_by_default if getattr(config.augmentation, name)]
        if config.copies and len(on) == 1:
            (name,) = on
            assert getattr(config.augmentation, name) == shares[name]
            assert config.audio.pipeline == "voice"
            found.append(name)
    assert sorted(found) == sorted(on_by_default)
    assert len({config.name for config in recordings_study()}) == len(recordings_study())
