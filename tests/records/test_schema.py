"""Records of every version are read as the newest, and damage is named by its place."""

import json
import math
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ser_core.errors import RunError
from ser_core.records.runs import load_run, load_runs
from ser_core.records.schema import UNKNOWN, VERSION, Result, RunConfig, from_json, to_json
from tests.made_records import write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "a")
    return tmp_path / "a"


def change(path: Path, place: str, value: Any) -> None:
    """Put a value in a place, as `environment.clips.test`; None removes what is there."""
    values = json.loads(path.read_text())
    *parts, last = place.split(".")
    inner = values
    for part in parts:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("name", "place", "value", "says"),
    [
        ("config.json", "train", None, "train is missing"),
        ("config.json", "train", [], "train should be an object, not []"),
        ("config.json", "train.lr", None, "train.lr is missing"),
        ("config.json", "train.lr", "fast", "train.lr should be a number, not 'fast'"),
        ("config.json", "train.lr", -1, "train: lr is a number from 1e-09 to 10, not -1"),
        ("config.json", "train.seed", 1.5, "train.seed should be a whole number, not 1.5"),
        ("config.json", "train.model", "3d", "train: model is one of"),
        ("config.json", "train.form", "square", "train.form should be one of fixed, variable, mean, not 'square'"),
        ("config.json", "train.audio", 1, "train.audio should be an object, not 1"),
        ("config.json", "train.audio.loudness", 1, "train.audio has no entry 'loudness'"),
        ("config.json", "train.audio.normalize", "yes", "train.audio.normalize should be true or false, not 'yes'"),
        ("config.json", "environment.device", None, "environment.device is missing"),
        ("config.json", "environment.precision", None, "environment.precision is missing"),
        ("config.json", "environment.libraries", ["torch"], "environment.libraries should be an object"),
        ("config.json", "environment.clips.test", True, "environment.clips.test should be a whole number, not True"),
        ("test.json", "status", 1, "status should be a text, not 1"),
        ("test.json", "epochs", None, "epochs is missing"),
        ("test.json", "val_loss", "low", "val_loss should be a number, not 'low'"),
        ("test.json", "metrics.uar", "good", "metrics.uar should be a number, not 'good'"),
        ("test.json", "metrics.per_class.ANG.f1", None, "metrics.per_class.ANG.f1 is missing"),
        ("test.json", "metrics.per_class.ANG", None, "metrics.per_class.ANG is missing"),
        ("test.json", "metrics.intervals.uar", None, "metrics.intervals.uar is missing"),
        ("test.json", "metrics.intervals.uar", [0.1], "metrics.intervals.uar[1] is missing"),
        ("test.json", "metrics.confusion", [[1]], "metrics.confusion is not 6 × 6"),
        (
            "test.json",
            "metrics.confusion",
            [[0] * 6] * 6,
            "metrics.confusion[0] has 0 clips, and per_class.ANG.support 1",
        ),
        ("test.json", "metrics.confusion", [[-1, 2, 0, 0, 0, 0]] * 6, "metrics.confusion[0][0] should be 0 or more"),
        ("test.json", "metrics.accuracy", 1.0, "metrics.accuracy is 1, and by confusion it is 0"),
        ("test.json", "metrics.accuracy", math.nan, "metrics.accuracy should be a finite number, not nan"),
        ("test.json", "metrics.uar", 1.5, "metrics.uar should be from 0 to 1, not 1.5"),
        pytest.param("test.json", "metrics.uar", 10**400, "metrics.uar should be a finite number, not inf", id="uar"),
        ("test.json", "metrics.f1_macro", -0.5, "metrics.f1_macro should be from 0 to 1, not -0.5"),
        ("test.json", "metrics.per_class.ANG.recall", 2, "metrics.per_class.ANG.recall should be from 0 to 1, not 2.0"),
        ("test.json", "metrics.per_class.ANG.support", -1, "metrics.per_class.ANG.support should be 0 or more, not -1"),
        (
            "test.json",
            "metrics.intervals.uar",
            [0.9, 0.1],
            "metrics.intervals.uar should be from low to high, not from 0.9",
        ),
        ("test.json", "metrics.intervals.uar", [-1, 1], "metrics.intervals.uar[0] should be from 0 to 1, not -1.0"),
        ("test.json", "metrics.intervals.uar", [0, math.inf], "metrics.intervals.uar[1] should be a finite number"),
        ("test.json", "val_accuracy", 5.0, "val_accuracy should be from 0 to 1, not 5.0"),
        ("test.json", "val_accuracy", math.nan, "val_accuracy should be a finite number, not nan"),
        ("test.json", "val_loss", -1, "val_loss should be 0 or more, not -1.0"),
        ("test.json", "epochs", 0, "epochs should be 1 or more, not 0"),
        ("test.json", "best_epoch", 4, "best_epoch should be from 1 to 3, not 4"),
        pytest.param(
            "test.json",
            "parameters",
            10**400,
            "parameters should be a whole number of at most 15 digits",
            id="parameters",
        ),
        ("test.json", "training_seconds", -1, "training_seconds should be 0 or more, not -1.0"),
        ("test.json", "metrics.uar", 0.999, "metrics.uar is 0.999, and by confusion it is 0"),
        ("test.json", "metrics.per_class.FEA.f1", 0.9, "metrics.per_class.FEA.f1 is 0.9, and by confusion it is 0"),
        ("test.json", "status", "great", "status should be one of finished, diverged, chance, not 'great'"),
        ("test.json", "temperature", 0, "temperature should be 0.001 or more, not 0.0"),
        pytest.param(
            "config.json", "train.seed", 10**400, "train.seed should be a whole number of at most 15 digits", id="seed"
        ),
        pytest.param("config.json", "environment.device", "\ud800", "it holds half of a character", id="half"),
        ("config.json", "environment.clips.train", -1, "environment.clips.train should be 0 or more, not -1"),
        ("test.json", "metrics.confusion", [[0.5]], "metrics.confusion[0][0] should be a whole number, not 0.5"),
        ("config.json", "version", VERSION + 1, f"its version is {VERSION + 1}, and this project knows those up to"),
        ("test.json", "version", "new", "its version is 'new'"),
        pytest.param("test.json", "version", 10**400, "its version is inf", id="version"),
        pytest.param("test.json", "epochs", 10**400, "epochs should be a whole number of at most 15", id="epochs"),
        pytest.param(
            "config.json",
            "environment.device",
            "x" * 3_000_000,
            "environment.device should be a text of at most 5000 characters, not 'xxxxxxxx",
            id="megabytes",
        ),
        pytest.param("config.json", "environment.device", "x" * 5_000_000, "it has 5,00", id="more-megabytes"),
        ("config.json", "colour", "red", "it has no entry 'colour'"),
        ("config.json", "environment.corpora", None, "environment.corpora is missing"),
        ("config.json", "environment.corpora", [{"name": "x"}], "environment.corpora[0].title is missing"),
    ],
)
def test_damage_is_named_by_its_place(folder: Path, name: str, place: str, value: Any, says: str):
    change(folder / name, place, value)
    with pytest.raises(RunError) as error:
        load_run(folder)
    assert str(error.value).startswith(f"a: {name} can't be read ({says}")


@pytest.mark.parametrize("depth", [150, 500, 900, 200_000])
@pytest.mark.parametrize("name", ["config.json", "test.json"])
def test_a_nested_record_is_a_short_sentence(folder: Path, name: str, depth: int):
    (folder / name).write_text('{"train":' * depth + "1" + "}" * depth)
    with pytest.raises(RunError, match=rf"a: {name} can't be read \(") as error:
        load_run(folder)
    assert len(str(error.value)) < 300


def test_nothing_waits_for_a_record_that_is_no_file(folder: Path):
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    with pytest.raises(RunError, match=r"a: config.json can't be read \(it is not a file\)"):
        load_run(folder)


@pytest.mark.parametrize(
    ("device", "precision"), [("CPU, 2 threads, fp32", "fp32"), ("NVIDIA H100, bf16", "bf16"), ("CPU", UNKNOWN)]
)
def test_the_first_version_is_read_as_the_newest(folder: Path, device: str, precision: str):
    config, test = folder / "config.json", folder / "test.json"
    unsaid = ("precision", "numerics", "python", "libraries", "git_commit", "split_id", "data_checksum")
    for place in ("version", "train.select", *(f"environment.{name}" for name in unsaid)):
        change(config, place, None)
    change(config, "environment.device", device)
    for place in ("version", "metrics.intervals_over", "val_loss", "temperature"):
        change(test, place, None)
    run = load_run(folder)
    assert run.train.select == "loss"
    said = run.environment
    assert (said.device, said.precision, said.numerics, said.split_id) == (device, precision, UNKNOWN, UNKNOWN)
    assert (said.git_commit, said.libraries, said.python, said.data_checksum) == (None, {}, UNKNOWN, UNKNOWN)
    assert (run.intervals_over, run.test.val_loss, run.val_accuracy) == ("clips", None, 0.4)
    assert run.test.temperature == 1


def test_what_the_newest_version_says_is_not_taken_from_the_label(folder: Path):
    change(folder / "config.json", "environment.precision", "fp32")
    assert load_run(folder).environment.precision == "fp32"


def assert_says(written: Any, raw: Any, where: str) -> None:
    """Nothing that a file says is read as something else; it may lack what came later."""
    if not isinstance(raw, dict):
        assert written == raw, where
        return
    for key, value in raw.items():
        assert_says(written[key], value, f"{where}: {key}")


def test_shipped_records_are_read_whatever_their_version():
    runs, unreadable = load_runs()
    assert not unreadable
    for run in runs:
        raw = json.loads((run.folder / "config.json").read_text())
        written = json.loads(json.dumps(to_json(run.config)))
        assert_says(written, {"train": raw["train"], "environment": raw["environment"]}, run.name)
        assert from_json(RunConfig, written) == run.config
        assert from_json(Result, json.loads(json.dumps(to_json(run.test)))) == run.test


def test_how_many_epochs_a_record_says_takes_no_memory(tmp_path: Path):
    write_run(tmp_path / "run")
    path = tmp_path / "run" / "test.json"
    path.write_text(path.read_text().replace('"epochs": 3', '"epochs": 3000000'))
    tracemalloc.start()
    with pytest.raises(RunError, match="should have the epochs 1 to 3000000"):
        load_run(tmp_path / "run")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6
