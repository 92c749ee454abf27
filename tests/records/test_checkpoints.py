import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.errors import CheckpointError
from ser_core.evaluation.asked import asked_checkpoints
from ser_core.features.config import FeatureConfig
from ser_core.models.registry import build_model, count_parameters
from ser_core.places import CHECKPOINTS_VARIABLE
from ser_core.records.checkpoints import (
    CHECKPOINTS_DIR,
    CheckpointConfig,
    default_checkpoint,
    list_checkpoints,
    load_config,
    load_model,
    save_checkpoint,
    survey_checkpoints,
)
from ser_core.records.weights import halved
from ser_core.serving.predictor import Predictor
from tests.helpers import ROOT

MAX_BYTES = 75e6


@pytest.fixture
def folder(checkpoints: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoints / "1d-fixed", tmp_path / "1d-fixed"))


def test_a_checkpoint_describes_itself(checkpoints: Path):
    config, model = load_model(checkpoints / "combined-variable")
    assert (config.model, config.activation, config.form) == ("combined", "silu", "variable")
    assert not model.training
    assert count_parameters(model) > 5_000_000
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_whoever_may_read_its_description_may_read_its_weights(checkpoints: Path):
    modes = {path.name: path.stat().st_mode for path in (checkpoints / "1d-fixed").iterdir()}
    assert len(modes) == 4
    assert set(modes.values()) == {modes["config.json"]}


def test_only_large_tensors_are_halved():
    weights = halved({"large": torch.rand(100, 100), "small": torch.rand(99, 100)})
    assert (weights["large"].dtype, weights["small"].dtype) == (torch.float16, torch.float32)


def test_the_default_is_the_best_on_the_validation_set(checkpoints: Path, tmp_path: Path):
    assert default_checkpoint(checkpoints) == "2d-fixed"
    assert len(list_checkpoints(checkpoints)) == 9
    with pytest.raises(CheckpointError, match=r"train.py"):
        default_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("split_ids", "expected"),
    [
        ({"1d-fixed": REPORT_SPLIT_ID, "1d-mean": REPORT_SPLIT_ID, "2d-fixed": "fold"}, "1d-mean"),
        ({"1d-fixed": "a", "1d-mean": "a", "2d-fixed": "b"}, "1d-mean"),
        ({"1d-fixed": "a", "1d-mean": REPORT_SPLIT_ID, "2d-fixed": "a"}, "1d-mean"),
    ],
)
def test_the_default_is_the_best_of_one_split(
    checkpoints: Path, tmp_path: Path, split_ids: dict[str, str], expected: str
):
    accuracies = {"1d-fixed": 0.3, "1d-mean": 0.4, "2d-fixed": 0.9}
    for name, split_id in split_ids.items():
        values = json.loads((checkpoints / name / "config.json").read_text())
        values["provenance"] = {"environment": {"split_id": split_id}, "test": {"val_accuracy": accuracies[name]}}
        shutil.copytree(checkpoints / name, tmp_path / name)
        (tmp_path / name / "config.json").write_text(json.dumps(values))
    assert default_checkpoint(tmp_path) == expected


def test_the_default_is_one_whose_weights_fit_its_network(
    checkpoints: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    for name, accuracy in (("1d-fixed", 0.9), ("1d-mean", 0.4), ("2d-fixed", 0.8)):
        shutil.copytree(checkpoints / name, tmp_path / name)
        change_config(tmp_path / name, provenance={"test": {"val_accuracy": accuracy}})
    shutil.copy(checkpoints / "1d-mean" / "model.safetensors", tmp_path / "1d-fixed")
    features = json.loads((tmp_path / "1d-fixed" / "config.json").read_text())["features"]
    assert default_checkpoint(tmp_path) == "2d-fixed"
    assert "1d-fixed are not those of its network" in caplog.text
    shutil.copy(checkpoints / "1d-fixed" / "model.safetensors", tmp_path / "1d-fixed")
    assert default_checkpoint(tmp_path) == "1d-fixed"
    change_config(
        tmp_path / "1d-fixed", features=features | {"n_mfcc": 20}
    )  # 34 channels, of which the weights know 27
    assert default_checkpoint(tmp_path) == "2d-fixed"
    names, unusable = survey_checkpoints(tmp_path)
    assert names == ["2d-fixed", "1d-mean"]
    assert "128 × 27 × 3, and should be 128 × 34 × 3" in unusable["1d-fixed"]


def test_a_checkpoint_of_an_older_format_is_brought_up_to_date(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def without_colour(values: dict) -> dict:
        return {key: value for key, value in values.items() if key != "colour"}

    change_config(folder, colour="red")
    with pytest.raises(CheckpointError, match="colour"):
        load_config(folder)
    monkeypatch.setattr("ser_core.records.checkpoints.FORMAT", 2)
    monkeypatch.setattr("ser_core.records.checkpoints.MIGRATIONS", (without_colour,))
    assert load_config(folder).model == "1d"
    change_config(folder, format=3)
    with pytest.raises(CheckpointError, match="another version"):
        load_config(folder)


def test_a_network_of_other_spectral_features_is_rebuilt(tmp_path: Path):
    features = FeatureConfig(spectral=("mfcc", "rms"), n_mfcc=20)
    weights = build_model("1d", "silu", "fixed", features).state_dict()
    config = CheckpointConfig("other", "1d", "silu", "fixed", AudioConfig(), features, {})
    save_checkpoint(tmp_path / "other", config, weights, "untrained")
    read, model = load_model(tmp_path / "other")
    assert read == config
    assert len(features.channel_names) == 21
    assert model(torch.zeros(1, 21, 301)).shape == (1, 6)


@pytest.mark.parametrize("name", ["../1d-fixed", "..", ".", "x/../1d-fixed", "/tmp", "1d-fixed/", "a\0b"])
def test_no_name_leads_to_another_folder(folder: Path, name: str):
    with pytest.raises(CheckpointError, match=r"is not the name of a checkpoint|damaged"):
        Predictor.load(name, root=folder.parent)
    with pytest.raises(CheckpointError, match=r"is not the name of a checkpoint|damaged"):
        asked_checkpoints(folder.parent, name, False), load_config(folder.parent / name)


def test_an_unknown_name_lists_what_there_is(checkpoints: Path):
    with pytest.raises(CheckpointError, match=r"no checkpoint 'nothing'. Available: 1d-fixed"):
        load_config(checkpoints / "nothing")


def change_config(folder: Path, **changes: object) -> None:
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | changes))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 99}, "another version"),
        ({"format": None}, "another version"),
        ({"emotions": ["JOY"]}, "another version"),
        ({"emotions": None}, "another version"),
        ({"extra": 1}, "'extra'"),
        ({"name": None}, "name should be a text"),
        ({"model": "3d"}, "model should be one of 1d, 2d"),
        ({"model": ["1d"]}, "model should be a text"),
        ({"activation": "softmax"}, "activation should be one of"),
        ({"form": None}, "form should be one of"),
        ({"model": "resnet38", "form": "variable"}, "form should be fixed, which resnet38 takes alone, not 'variable'"),
        ({"audio": None}, "audio should be an object, not None"),
        ({"audio": {"vad": "loud"}}, "vad is one of silero"),
        ({"audio": {"normalize": "yes"}}, "audio.normalize should be true or false, not 'yes'"),
        ({"audio": {"vad_top_db": math.nan}}, "audio.vad_top_db should be a finite number, not nan"),
        ({"features": []}, "features should be an object"),
        ({"features": {"unknown": 1}}, "features has no entry 'unknown'"),
        ({"features": {"hop_length": 160.5}}, "features.hop_length should be a whole number, not 160.5"),
        ({"features": {"image_size": 20_000}}, "image_size is a number above 0 and up to 512, not 20000"),
        ({"features": {"n_frames": 1_000_000}}, "n_frames is a number above 0 and up to 10,000, not 1000000"),
        ({"features": {"mel_fmax": 10**400}}, "features.mel_fmax should be a finite number"),
        ({"features": {"hop_length": -1}}, "hop_length is a number above 0"),
        ({"provenance": 1}, "provenance should be an object"),
        ({"temperature": 1e-300}, "temperature should be 0.001 or more"),
        (
            {"provenance": {"test": {"metrics": {"accuracy": 7}}}},
            "provenance.test.metrics.accuracy should be from 0 to 1",
        ),
        ({"provenance": {"test": {"parameters": -1}}}, "provenance.test.parameters should be 0 or more"),
        ({"name": "x" * 10_000}, "name should be a text of at most 5000 characters"),
        ({"name": "x" * 5_000_000}, "it has 5,.* bytes, and at most 4,000,000 are read"),
        ({"temperature": "1"}, "temperature should be a number"),
        ({"temperature": math.inf}, "temperature should be a finite number"),
    ],
)
def test_a_configuration_of_another_kind_is_a_sentence(folder: Path, change: dict, says: str):
    change_config(folder, **change)
    with pytest.raises(CheckpointError, match=f"checkpoint 1d-fixed .*{says}"):
        load_config(folder)


@pytest.mark.parametrize("entry", ["format", "emotions", "name", "model", "form", "audio", "features", "provenance"])
def test_a_configuration_that_lacks_something_says_what(folder: Path, entry: str):
    values = json.loads((folder / "config.json").read_text())
    del values[entry]
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=rf"1d-fixed is damaged.*\({entry} is missing\)"):
        load_config(folder)


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"3",
    b"NaN",
    b"\xff",
    b"[" * 100_000,
    b"[" * 900 + b"]" * 900,
    b"9" * 5000,
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_configuration_is_a_short_sentence(folder: Path, content: bytes):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="1d-fixed is damaged") as error:
        load_config(folder)
    assert len(str(error.value)) < 300


@pytest.fixture
def several(checkpoints: Path, tmp_path: Path) -> Path:
    """Three checkpoints, of which `best` is best in validation and `worst` worst."""
    for name, accuracy in (("best", 0.6), ("middle", 0.5), ("worst", 0)):
        change_config(Path(shutil.copytree(checkpoints / "1d-fixed", tmp_path / name)), name=name, **ranked(accuracy))
    return tmp_path


def ranked(accuracy: object) -> dict[str, object]:
    return {"provenance": {"test": {"val_accuracy": accuracy}}}


@pytest.mark.parametrize(
    "provenance",
    [{}, {"test": None}, {"test": []}, {"test": {}}]
    + [ranked(value)["provenance"] for value in (None, "0.9", math.nan, math.inf, 10**400, True, -0.1, 1.1, [0.9])],
    ids=repr,
)
def test_a_checkpoint_without_its_validation_accuracy_is_left_out_and_named(
    several: Path, provenance: object, caplog: pytest.LogCaptureFixture
):
    change_config(several / "best", provenance=provenance)
    names, unusable = survey_checkpoints(several)
    assert names == ["middle", "worst"]
    assert list(unusable) == ["best"]
    assert "checkpoint best" in unusable["best"]
    assert "no validation accuracy" in unusable["best"]
    assert Predictor.load(root=several).config.name == "middle"
    assert unusable["best"] in caplog.text
    assert Predictor.load("best", root=several).config.name == "best"  # who names it gets it


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"null"),
        ("config.json", b"[" * 100_000),
        ("model.safetensors", b""),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"),
        ("model.safetensors", None),
    ],
)
def test_a_damaged_checkpoint_is_left_out_and_named(several: Path, file: str, content: bytes | None):
    (several / "best" / file).unlink()
    if content is not None:
        (several / "best" / file).write_bytes(content)
    names, unusable = survey_checkpoints(several)
    assert names == ["middle", "worst"]
    assert "checkpoint best" in unusable["best"]
    assert Predictor.load(root=several).config.name == "middle"


def test_without_any_that_can_be_used_all_are_named(several: Path):
    for name in ("best", "middle", "worst"):
        (several / name / "config.json").write_text("null")
    with pytest.raises(CheckpointError, match=r"No checkpoint .*best.*middle.*worst"):
        Predictor.load(root=several)


def test_the_folder_of_checkpoints_is_a_setting(several: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(several))
    assert Predictor.load().config.name == "best"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda value: value * math.nan, r"1d-fixed are damaged: \S+ holds what is not a number"),
        (lambda value: value.to(torch.int64), r"1d-fixed can't be loaded \(\S+ has the type I64\)"),
    ],
)
def test_weights_that_are_no_numbers_are_a_sentence(folder: Path, damage, said: str):
    path = folder / "model.safetensors"
    save_file({name: damage(value) for name, value in load_file(path).items()}, path)
    with pytest.raises(CheckpointError, match=said):
        load_model(folder)


def test_a_copy_of_a_checkpoint_is_another_one(folder: Path):
    copy = Path(shutil.copytree(folder, folder.with_name("copy")))
    assert load_config(copy).name == "copy"
    assert load_config(folder).name == "1d-fixed"


@pytest.mark.parametrize("setting", ["n_frames", "frame_length", "hop_length", "mfcc_n_mels"])
@pytest.mark.parametrize("value", [2**53, 10**400])
def test_features_that_no_memory_holds_are_a_sentence(folder: Path, setting: str, value: int):
    features = json.loads((folder / "config.json").read_text())["features"]
    change_config(folder, features=features | {setting: value})
    with pytest.raises(CheckpointError, match=setting):
        load_config(folder)


def test_damaged_or_foreign_weights_are_a_sentence(folder: Path, checkpoints: Path):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="can't be loaded"):
        load_model(folder)
    shutil.copy(checkpoints / "2d-fixed" / "model.safetensors", weights)
    with pytest.raises(CheckpointError, match=r"not those of its network: encoder.blocks.\d.\S+ is .* should be"):
        load_model(folder)
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CheckpointError, match="git lfs pull"):
        load_model(folder)
    weights.unlink()
    with pytest.raises(CheckpointError, match="can't be loaded"):
        load_model(folder)


def test_shipped_checkpoints_are_whole_small_and_never_pickled():
    assert list_checkpoints(CHECKPOINTS_DIR)
    files = [path for path in CHECKPOINTS_DIR.rglob("*") if path.is_file()]
    kinds = {"model.safetensors", "embedding.safetensors", "map.safetensors", "config.json", "README.md", "SHA256SUMS"}
    assert {path.name for path in files} == kinds
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    for name in list_checkpoints(CHECKPOINTS_DIR):
        config, _ = load_model(CHECKPOINTS_DIR / name)
        assert config.provenance["test"]["metrics"]
        assert (ROOT / "runs" / name / "test.json").is_file()


def test_looking_at_checkpoints_loads_no_compiler_leaves_chance_alone_and_spoils_no_network(checkpoints: Path):
    """In a process that knows no network yet, as a page's or a command's is."""
    check = f"""
import sys, torch
from pathlib import Path
from ser_core.records.checkpoints import survey_checkpoints
state = torch.random.get_rng_state()
names, _ = survey_checkpoints(Path({str(checkpoints)!r}))
assert len(names) == 9
assert torch.equal(torch.random.get_rng_state(), state)
assert not {{"torch._dynamo", "sympy"}} & sys.modules.keys()
from ser_core.models import winograd
assert winograd.INPUT_2D.isfinite().all()
"""
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True)
