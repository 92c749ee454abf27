"""Reading published weights, from files made here in both published formats."""

import json
import struct

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ser_core.errors import CheckpointError
from ser_core.models.whisper import SIZES, EncoderSize
from ser_core.models.whisper_weights import read_encoder
from tests.models.whisper_files import SMALL, assert_same, ctranslate2_file, hub_file, random_state


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "whisper-tiny", SMALL)


@pytest.fixture
def state() -> dict[str, Tensor]:
    return random_state()


@pytest.mark.parametrize("prefix", ["model.encoder.", "encoder."])
def test_the_hubs_format(tmp_path, state, prefix):
    name, read = read_encoder(hub_file(tmp_path / "model.safetensors", state, prefix))
    assert name == "whisper-tiny"
    assert_same(read, state)


@pytest.mark.parametrize("version", [5, 6])
def test_ctranslate2s_format(tmp_path, state, version):
    name, read = read_encoder(ctranslate2_file(tmp_path / "model.bin", state, version=version))
    assert name == "whisper-tiny"
    assert_same(read, state)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9])
def test_a_file_that_is_cut_off(tmp_path, state, share):
    for whole in (ctranslate2_file(tmp_path / "m.bin", state), hub_file(tmp_path / "m.safetensors", state)):
        data = whole.read_bytes()
        whole.write_bytes(data[: int(share * len(data))])
        with pytest.raises(CheckpointError, match="doesn't hold Whisper's weights"):
            read_encoder(whole)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path, state, number):
    state["blocks.0.up.weight"][1, 2] = number
    for file in (ctranslate2_file(tmp_path / "m.bin", state), hub_file(tmp_path / "m.safetensors", state, "encoder.")):
        with pytest.raises(CheckpointError, match="some of its weights are no numbers"):
            read_encoder(file)


def test_files_of_something_else(tmp_path, state):
    for content in (b"\x80\x04pickle" * 100, b"RIFF" * 100, b"\x06\0\0\0\xff\xff" + b"a" * 70_000):
        (tmp_path / "other.bin").write_bytes(content)
        with pytest.raises(CheckpointError, match="doesn't hold"):
            read_encoder(tmp_path / "other.bin")
    with pytest.raises(CheckpointError, match="TransformerSpec"):
        read_encoder(ctranslate2_file(tmp_path / "model.bin", state, kind="TransformerSpec"))
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="doesn't hold"):
        read_encoder(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("kind", "shape", "n_bytes"),
    [("F8_E4M3", [1500, 24], 36_000), ("F32", [4], 16), ("F32", [0, 1_000_000_000], 0), ("I64", [1], 8)],
)
def test_types_and_shapes_that_no_whisper_has(tmp_path, kind, shape, n_bytes):
    header = {"encoder.embed_positions.weight": {"dtype": kind, "shape": shape, "data_offsets": [0, n_bytes]}}
    said = json.dumps(header).encode()
    (tmp_path / "odd.safetensors").write_bytes(struct.pack("<Q", len(said)) + said + bytes(n_bytes))
    with pytest.raises(CheckpointError, match="doesn't hold Whisper's weights"):
        read_encoder(tmp_path / "odd.safetensors")


def test_what_is_wrong_is_a_sentence_without_exceptions(tmp_path, state):
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK\3\4" + bytes(100))
    (tmp_path / "short.safetensors").write_bytes(b"abc")
    (tmp_path / "name.bin").write_bytes(b"\6\0\0\0\2\0\xff\xff")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    save_file({"a.qkv.weight": torch.zeros(3), "norm.weight": torch.tensor(1.0)}, tmp_path / "own.safetensors")
    save_file({"encoder.weight": torch.zeros(3)}, tmp_path / "another.safetensors")
    hub_file(tmp_path / "odd.safetensors", state | {"blocks.0.qkv.weight": torch.zeros(6, 24)})
    for name, says in (
        ("folder.safetensors", "is a folder. Name the file in it."),
        ("pytorch_model.bin", "doesn't hold Whisper's weights: it is no CTranslate2 model, and"),
        ("name.bin", "doesn't hold Whisper's weights: it is no CTranslate2 model, and"),
        ("short.safetensors", "doesn't hold Whisper's weights: it is no safetensors file, or it is cut off."),
        ("other.safetensors", "doesn't hold Whisper's weights: it holds no encoder."),
        ("another.safetensors", "doesn't hold Whisper's weights: embed_positions.weight is missing."),
        ("own.safetensors", "holds neither Whisper base nor tiny: some weights of its encoder are missing, or"),
        ("odd.safetensors", "holds neither Whisper base nor tiny: some weights of its encoder are missing, or"),
    ):
        with pytest.raises(CheckpointError) as error:
            read_encoder(tmp_path / name)
        assert str(error.value).startswith(f"{tmp_path / name} {says}")


def test_weights_of_another_size(tmp_path, state, monkeypatch):
    path = ctranslate2_file(tmp_path / "model.bin", state)
    monkeypatch.setitem(SIZES, "whisper-tiny", EncoderSize(4, 384, 6))
    with pytest.raises(CheckpointError, match="width 24"):
        read_encoder(path)


def test_other_positions_are_refused(tmp_path, state, monkeypatch):
    monkeypatch.setattr("tests.models.whisper_files.sinusoids", lambda *shape: torch.zeros(shape))
    with pytest.raises(CheckpointError, match="positions"):
        read_encoder(ctranslate2_file(tmp_path / "model.bin", state))
