"""A run is its settings: what its name says, what two runs differ in, and the command line that describes them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.splits import Split, load_split
from ser_core.errors import ConfigError, RunError
from ser_core.features.config import FeatureConfig
from ser_core.models.config import NetworkConfig
from ser_core.models.registry import MODELS
from ser_core.records.runs import RUNS_DIR, load_runs
from ser_core.training.command import main, parse_arguments
from ser_core.training.compute import Compute
from ser_core.training.config import PARTS, PRETRAINED_ONLY, TrainConfig, usual_config
from ser_core.training.flags import command_line, idle_flags
from ser_core.training.settings import Settings, difference_from, read_settings, settings_of
from ser_core.training.study import STUDIES
from tests.made_records import write_run

UNUSUAL: dict[str, TrainConfig] = {
    "seed7": TrainConfig(seed=7),
    "batch32": TrainConfig(batch_size=32),
    "energy": TrainConfig(audio=AudioConfig(vad="energy")),
    "mean": TrainConfig(form="mean"),
    "by-accuracy": TrainConfig(select="accuracy"),
    "fold2": TrainConfig(split="fold2"),
    "tiny": TrainConfig(split="/some/where/tiny.json"),
    "report": TrainConfig(split="/some/where/report.json"),
    "split-base": TrainConfig(split="/some/where/base.json"),
    "warmup7": TrainConfig(warmup_epochs=7),
    "weight-decay0.01": TrainConfig(weight_decay=0.01),
    "min-lr-factor0.1": TrainConfig(min_lr_factor=0.1),
    "vad-threshold0.4": TrainConfig(audio=AudioConfig(vad_threshold=0.4)),
    "normalizeFalse": TrainConfig(audio=AudioConfig(normalize=False)),
    "taught-by-lr6e-05-SiLU-Whisper-base": TrainConfig(teacher="lr6e-05-SiLU-Whisper-base"),
    "taught-by-some-teacher-share0.7-teacher-temperature3": TrainConfig(
        teacher="some", teacher_share=0.7, teacher_temperature=3
    ),
    "n-mels80": TrainConfig(features=FeatureConfig(n_mels=80)),
    "mean-fold1-batch32-seed7-energy": TrainConfig(
        form="mean", split="fold1", batch_size=32, seed=7, audio=AudioConfig(vad="energy")
    ),
}


@pytest.mark.parametrize("says", UNUSUAL)
def test_a_name_says_what_is_unusual(says: str):
    assert UNUSUAL[says].name == f"lr0.001-SiLU-2D-{says}"


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (usual_config("whisper-base"), "lr6e-05-SiLU-Whisper-base"),
        (usual_config("whisper-tiny", seed=7, epochs=3), "lr6e-05-SiLU-Whisper-tiny-seed7"),
        (usual_config("whisper-base", copies=0, pipeline="report"), "lr6e-05-SiLU-Whisper-base-copies0-report"),
        (usual_config("conformer"), "lr0.001-SiLU-Conformer"),
        (
            usual_config("conformer", head="none", blocks=7, squeeze=False),
            "lr0.001-SiLU-Conformer-none-head-no-squeeze",
        ),
        (
            usual_config("conformer", contours=(), mel_hop_length=320),
            "lr0.001-SiLU-Conformer-mel-hop-length320-no-contours",
        ),
        (usual_config("conformer", contours=("pitch",), pooling="plain"), "lr0.001-SiLU-Conformer-plain-pooling-pitch"),
        (usual_config("conformer", mel_windows=(1024, 2048)), "lr0.001-SiLU-Conformer-mel-windows1024+2048"),
        (usual_config("conformer", pitch_path=True), "lr0.001-SiLU-Conformer-pitch-path"),
        (usual_config("conformer", pitch_path=True, contours=("loudness",)), "lr0.001-SiLU-Conformer-loudness"),
        (usual_config("2d", pipeline="voice", copies=4), "lr0.001-SiLU-2D-copies4-voice"),
        (usual_config("2d", copies=4, snr_db=(0.0, 35.0)), "lr0.001-SiLU-2D-copies4-snr-db0to35"),
        (usual_config("2d", snr_db=(0.0, 35.0)), "lr0.001-SiLU-2D"),
        (usual_config("2d", copies=4, noise=0), "lr0.001-SiLU-2D-copies4-noise0"),
        (usual_config("2d", copies=4, noise=0.0), "lr0.001-SiLU-2D-copies4-noise0"),
    ],
)
def test_a_name_says_what_is_unusual_for_the_network(config: TrainConfig, name: str):
    assert config.name == name


def test_what_is_usual_for_a_network_can_be_changed_by_flags():
    def parsed(*flags: str) -> TrainConfig:
        return parse_arguments(flags).config

    assert parsed() == usual_config() == TrainConfig()
    assert parsed("--model", "whisper-base") == usual_config("whisper-base")
    assert parsed("--model", "whisper-base").audio.pipeline == "voice"
    changed = parsed(
        "--model", "whisper-base", "--lr", "1e-4", "--pipeline", "report", "--epochs", "3", "--copies", "0"
    )
    assert changed == usual_config("whisper-base", lr=1e-4, pipeline="report", epochs=3, copies=0)
    assert (changed.warmup_epochs, changed.batch_size) == (1, 32)
    assert parsed("--model", "2d", "--epochs", "3").warmup_epochs == 3


@pytest.mark.parametrize("name", MODELS)
def test_flags_that_are_not_given_are_what_is_usual_for_the_network(name: str, monkeypatch: pytest.MonkeyPatch):
    assert parse_arguments(["--model", name]).config == usual_config(name)
    switched = {"pitch_path": True, "squeeze": False}
    monkeypatch.setitem(MODELS, name, replace(MODELS[name], usual={**MODELS[name].usual, **switched}))
    config = parse_arguments(["--model", name]).config
    assert config.features.pitch_path
    assert not config.network.squeeze
    config = parse_arguments(["--model", name, "--no-pitch-path", "--squeeze"]).config
    assert config.network.squeeze
    assert not config.features.pitch_path


@pytest.mark.parametrize("epochs", [1, 3, 30, 150])
def test_a_name_does_not_say_how_long(epochs: int):
    assert TrainConfig(epochs=epochs, warmup_epochs=min(5, epochs)).name == "lr0.001-SiLU-2D"


def alone(key: str) -> TrainConfig:
    """The report's best network, or one of our own where no other takes a setting."""
    return usual_config("conformer") if key == "mel_windows" else TrainConfig()


def changed(config: TrainConfig, key: str) -> TrainConfig:
    """The configuration with another value of one setting."""
    for part in PARTS:
        if hasattr(getattr(config, part), key):
            inner = getattr(config, part)
            return replace(config, **{part: replace(inner, **{key: other_value(key, getattr(inner, key))})})
    return replace(config, **{key: other_value(key, getattr(config, key))})


def other_value(key: str, value: Any) -> Any:
    words = {"model": "1d", "activation": "elu", "form": "mean", "split": "fold1", "select": "accuracy"}
    words |= {"teacher": "another", "vad": "none", "pipeline": "voice", "head": "transformer", "pooling": "plain"}
    match value:
        case str():
            return words[key]
        case bool():
            return not value
        case ():
            return (2048,)
        case str(), *_:
            return value[1:]
        case low, high:
            return low, (low + high) / 2
        case int() if value == 0:
            return 1
        case float() if value == 0:
            return 0.5
        case _ if key in ("head_lr", "max_eq_db", "noise_db") or value >= 1 or value < 0.01 or value < 0:
            return value * 2
        case _:
            return value / 2


@pytest.mark.parametrize("key", TrainConfig().flat)
def test_every_setting_is_in_the_name_or_the_difference(key: str):
    # Beside which no setting is idle.
    pipeline = "report" if key == "pipeline" else "voice"
    of_our_own = (*vars(NetworkConfig()), "pitch_path", "mel_windows")
    model = "whisper-base" if key in PRETRAINED_ONLY else "conformer" if key in of_our_own else "combined"
    usual = usual_config(model, epochs=30, copies=2, pipeline=pipeline, teacher="some", refit=0.1, refit_crop=0.4)
    other = changed(usual, key)
    assert other.flat[key] != usual.flat[key]
    assert (other.name != usual.name) == (key != "epochs")
    if key != "split":
        says = f"{key.replace('_', ' ')} {other.flat[key]} instead of {usual.flat[key]}"
        assert Settings(usual, "id").difference(Settings(other, "id")) == says
    assert Settings(usual, "id").difference(Settings(usual, "id")) == ""


@pytest.mark.parametrize(
    "idle",
    [
        {"noise": 0.9, "rt60": (0.2, 0.3)},
        {"head_lr": 0.5, "layer_decay": 0.1, "frozen_epochs": 1},
        {"noise_db": 20},
        {"teacher_share": 0.9, "teacher_temperature": 4},
        {"head": "none", "blocks": 9, "contours": (), "squeeze": False, "width": 64, "pooling": "plain", "dropout": 0},
        {"n_mels": 32, "mel_fmax": 8_000, "image_size": 32, "mel_hop_length": 512, "mel_n_fft": 512},
        {"vad": "energy", "vad_threshold": 0.9},
        {"vad": "none", "vad_top_db": 50, "vad_floor_dbfs": -30, "vad_threshold": 0.9, "vad_pad": 1},
    ],
)
def test_what_changes_nothing_makes_no_other_run(idle: dict[str, Any]):
    usual = usual_config("1d", **{key: value for key, value in idle.items() if key == "vad"})
    other = usual_config("1d", **idle)
    assert other != usual
    assert other.effective == usual
    assert other.name == usual.name
    assert Settings(usual, "id").difference(Settings(other, "id")) == ""


def test_epochs_apart_a_warm_up_counts_only_if_it_is_unusual():
    three, five = TrainConfig(epochs=3, warmup_epochs=3), TrainConfig(epochs=30)
    assert "epochs 30 instead of 3" in Settings(three, None).difference(Settings(five, None))
    assert Settings(three, None).difference(Settings(five, None), epochs=False) == ""
    slow = replace(five, warmup_epochs=10)
    assert Settings(three, None).difference(Settings(slow, None), epochs=False) == "warmup epochs 10 instead of 3"


def test_a_split_is_its_clips_wherever_its_file_lies(clips, tmp_path: Path):
    parts = {part: [clip.name for clip in clips if clip.report_split == part] for part in ("train", "val", "test")}
    here, there = tmp_path / "tiny.json", tmp_path / "there" / "tiny.json"
    there.parent.mkdir()
    for path in (here, there):
        path.write_text(json.dumps(parts))
    asked = settings_of(TrainConfig(split=str(here)))
    assert asked.difference(settings_of(TrainConfig(split=str(there)))) == ""
    here.write_text(json.dumps(parts | {"test": parts["test"][1:]}))
    now = settings_of(TrainConfig(split=str(here)))
    assert now.difference(asked) == (f"the split {here} with other clips, {asked.split_id} instead of {now.split_id}")
    assert settings_of(TrainConfig()).difference(settings_of(TrainConfig(split="fold1"))) == (
        "split fold1 instead of report"
    )
    given = Split("given", *(tuple(parts[part]) for part in ("train", "val", "test")))
    assert "the split report with other clips" in settings_of(TrainConfig()).difference(
        settings_of(TrainConfig(), given)
    )


def test_a_record_that_does_not_say_its_clips_is_compared_by_the_splits_name():
    asked = settings_of(TrainConfig())
    assert asked.difference(Settings(TrainConfig(), None)) == ""
    assert asked.difference(Settings(TrainConfig(split="fold1"), None)) == "split fold1 instead of report"


@pytest.mark.parametrize(
    ("model", "asked", "says"),
    [
        ("2d", {}, ""),
        ("2d", {"precision": "fp32"}, ""),
        ("2d", {"precision": "bf16"}, "precision fp32 instead of bf16"),
        ("2d", {"numerics": "pytorch"}, "numerics unknown instead of pytorch"),
        (
            "2d",
            {"precision": "bf16", "numerics": "winograd"},
            "precision fp32 instead of bf16, numerics unknown instead",
        ),
        ("1d", {"numerics": "pytorch"}, ""),  # which has no 2D convolutions
        ("1d", {"precision": "bf16", "numerics": "winograd"}, "precision fp32 instead of bf16"),
    ],
)
def test_precision_and_numerics_are_settings_where_somebody_asks_for_them(
    tmp_path: Path, model: str, asked: dict, says: str
):
    config = TrainConfig(model=model)
    write_run(tmp_path, config, environment={"precision": "fp32", "numerics": "unknown"})
    difference = difference_from(settings_of(config, compute=Compute(**asked)), tmp_path)
    assert difference.startswith(says)
    assert bool(difference) == bool(says)


def test_records_of_older_versions_had_the_values_that_are_now_the_defaults():
    values = asdict(TrainConfig(lr=0.1))
    for part, missing in ((values, "select"), (values, "min_lr_factor"), (values["audio"], "vad_threshold")):
        del part[missing]
    assert TrainConfig.from_dict(values) == TrainConfig(lr=0.1)
    assert TrainConfig.from_dict({"lr": 0.1}) == TrainConfig(lr=0.1)


@pytest.mark.parametrize(
    "values", [{"depth": 3}, {"audio": {"loudness": 1}}, {"lr": "fast"}, {"audio": 3}, {"split": 3}, {"model": []}]
)
def test_settings_of_another_version_are_a_sentence(values: dict):
    with pytest.raises(ConfigError, match="version"):
        TrainConfig.from_dict(values)


@pytest.mark.parametrize("value", ["much", None, [1]])
def test_a_share_that_is_no_number_is_a_sentence(value: object):
    with pytest.raises(ConfigError, match="noise is a number"):
        TrainConfig.from_dict({"augmentation": {"noise": value}})


def test_shipped_records_are_what_their_names_say():
    runs, _ = load_runs()
    assert runs
    for run in runs:
        found = read_settings(RUNS_DIR / run.name)
        of_settings = run.name.removesuffix(f"-{run.train.epochs}").removesuffix(f"-{run.environment.numerics}")
        assert of_settings == found.config.name
        assert found.split_id == load_split(found.config.split).id


def test_a_folder_that_does_not_say_its_settings_is_told_from_one_that_does(tmp_path: Path):
    asked = settings_of(TrainConfig())
    for content in (None, "{", "[]", '{"train": {}}', '{"train": {"depth": 3}, "environment": {}}'):
        if content is not None:
            (tmp_path / "config.json").write_text(content)
        with pytest.raises(RunError, match=r"config\.json( can't be read|$|\.$)"):
            read_settings(tmp_path)
        assert difference_from(asked, tmp_path) == "its config.json can't be read"
    write_run(tmp_path, TrainConfig(seed=3))
    assert difference_from(asked, tmp_path) == "seed 3 instead of 42"


ALL = [*UNUSUAL.values(), *(config for study in STUDIES.values() for config in study())]


@pytest.mark.parametrize("config", [*ALL, *(changed(alone(key), key) for key in TrainConfig().flat)])
def test_the_command_line_says_every_setting(config: TrainConfig):
    assert parse_arguments(command_line(config)).config == config


def test_settings_have_names_of_their_own():
    names = [field.name for kind in (TrainConfig, *PARTS.values()) for field in fields(kind)]
    assert len(names) == len(set(names))
    assert set(TrainConfig().flat) == set(names) - PARTS.keys()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--noise 0.5", ["--noise has no effect: no clip is changed unless --copies is 1 or more."]),
        ("--noise=0.5 --copies=2", []),
        ("--noise=0.5 --refit 0.2 --refit-crop 0.5 --crop-share 0.1 0.9", []),
        ("--crop=0.5 --refit 0.2 --refit-crop 0.5", ["--crop has no effect: no clip is changed in training unless"]),
        ("--crop-share 0.1 0.9 --copies 2", ["--crop-share has no effect: no clip is cut unless --crop is above 0."]),
        ("--crop-share 0.1 0.9 --copies 2 --crop 0.3", []),
        ("--refit-crop 0.5", ["--refit-crop has no effect: there is no --refit."]),
        ("--head-lr 0.01 --layer-decay 0.5", ["--head-lr, --layer-decay have no effect: 2d is not pretrained."]),
        ("--model whisper-base --frozen-epochs 1", []),
        ("--model whisper-base --copies 0", []),
        ("--vad none --vad_threshold=0.4", ["--vad-threshold has no effect: no voice activity is detected with"]),
        ("--vad energy --vad-threshold 0.4", ["--vad-threshold has no effect: --vad energy has no threshold."]),
        ("--teacher-share 0.3", ["--teacher-share has no effect: there is no --teacher."]),
        ("--teacher some --teacher-share 0.3", []),
        ("--noise-db 30", ["--noise-db has no effect: the pipeline is report."]),
        ("--act silu --lr 0.01", []),
        ("--model 1d --n-mels 32 --mel-fmax 4000", ["--n-mels, --mel-fmax have no effect: 1d is given no mel image."]),
        (
            "--model whisper-base --n-mels=32 --n-mfcc 9 --n-frames 90",
            [
                "--n-frames, --n-mfcc have no effect: whisper-base is given no spectral features.",
                "--n-mels has no effect: whisper-base is given no mel image.",
            ],
        ),
        ("--model 2d --n-mels 32 --image-size 32", []),
        ("--model combined --n-mels 32 --n-frames 90 --n-mfcc 9", []),
        ("--model 1d --form mean --n-frames 90", ["--n-frames has no effect: with --form mean, clips are not brought"]),
        ("--model 2d --form variable --image-size 32", ["--image-size has no effect: with --form variable, there are"]),
        ("--model 1d --spectral rms zcr --n-mfcc 9", ["--n-mfcc has no effect: --spectral names no mfcc."]),
        ("--model conformer --n-mels 64 --mel-hop-length 200", []),
    ],
)
def test_flags_that_change_nothing_are_told(flags: str, says: list[str]):
    told = idle_flags(flags.split(), parse_arguments(flags.split()).config.idle)
    assert len(told) == len(says)
    assert idle_flags(command_line(TrainConfig()), TrainConfig().idle) == []
    assert all(sentence.startswith(start) for sentence, start in zip(told, says, strict=True))


def test_the_command_tells_them_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match="2"):
        main(["--noise", "0.5", "--corpus", str(tmp_path), "--out", str(tmp_path), "--cache", str(tmp_path / "cache")])
    told, error = capsys.readouterr().err.strip().splitlines()
    assert told == "--noise has no effect: no clip is changed unless --copies is 1 or more."
    assert "clips are missing from" in error
