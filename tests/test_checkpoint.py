import json
import shutil
from pathlib import Path

import pytest
import torch

from ser_core.checkpoint import CHECKPOINTS_DIR, default_checkpoint, halved, list_checkpoints, load_config, load_model
from ser_core.errors import CheckpointError
from ser_core.models import count_parameters
from tests.helpers import ROOT

MAX_BYTES = 45e6


@pytest.fixture
def folder(checkpoints: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoints / "1d-fixed", tmp_path / "1d-fixed"))


def test_a_checkpoint_describes_itself(checkpoints: Path):
    config, model = load_model(checkpoints / "combined-variable")
    assert (config.model, config.activation, config.form) == ("combined", "silu", "variable")
    assert not model.training
    assert count_parameters(model) > 5_000_000
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_only_large_tensors_are_halved():
    weights = halved({"large": torch.rand(100, 100), "small": torch.rand(99, 100)})
    assert (weights["large"].dtype, weights["small"].dtype) == (torch.float16, torch.float32)


def test_the_default_is_the_best_on_the_validation_set(checkpoints: Path, tmp_path: Path):
    assert default_checkpoint(checkpoints) == "2d-fixed"
    assert len(list_checkpoints(checkpoints)) == 9
    with pytest.raises(CheckpointError, match=r"train.py"):
        default_checkpoint(tmp_path)


def test_an_unknown_name_lists_what_there_is(checkpoints: Path):
    with pytest.raises(CheckpointError, match=r"no checkpoint 'nothing'. Available: 1d-fixed"):
        load_config(checkpoints / "nothing")


@pytest.mark.parametrize(
    "change",
    [{"format": 99}, {"emotions": ["JOY"]}, {"audio": {"vad": "loud"}}, {"features": {"unknown": 1}}, {"extra": 1}],
)
def test_a_configuration_of_another_kind_is_a_sentence(folder: Path, change: dict):
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | change))
    with pytest.raises(CheckpointError, match="1d-fixed"):
        load_config(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_configuration_is_a_sentence(folder: Path, content: bytes):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load_config(folder)


def test_damaged_or_foreign_weights_are_a_sentence(folder: Path, checkpoints: Path):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="can't be loaded"):
        load_model(folder)
    shutil.copy(checkpoints / "2d-fixed" / "model.safetensors", weights)
    with pytest.raises(CheckpointError, match="can't be loaded"):
        load_model(folder)
    weights.unlink()
    with pytest.raises(CheckpointError, match="can't be loaded"):
        load_model(folder)


def test_shipped_checkpoints_are_whole_small_and_never_pickled():
    assert list_checkpoints(CHECKPOINTS_DIR)
    files = [path for path in CHECKPOINTS_DIR.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"model.safetensors", "config.json", "README.md"}
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    for name in list_checkpoints(CHECKPOINTS_DIR):
        config, _ = load_model(CHECKPOINTS_DIR / name)
        assert config.provenance["test"]["metrics"]
        assert (ROOT / "runs" / name / "test.json").is_file()
