"""Whisper's published weights as this project's: the encoder alone.

Two formats are read: `model.safetensors` of openai/whisper-base and -tiny on the Hugging Face hub, and `model.bin` of
their conversions for CTranslate2. The encoder's size is told by the weights. Nothing is unpickled.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from ser_core.errors import CheckpointError
from ser_core.models.whisper import MAX_POSITIONS, SIZES, WhisperEncoder, sinusoids
from ser_core.tensor_files import FLOATS, check_types

POSITION_TOLERANCE = 1e-3  # between published positions, in 16 bits, and computed ones
CTRANSLATE2_VERSIONS = range(5, 7)  # of its binary format that are known here
CTRANSLATE2_TYPES: tuple[str, ...] = ("<f4", "i1", "<i2", "<i4", "<f2")  # by the number that stands in the file
LATEST_VERSION = 1_000  # of that format, far beyond all; what has more is another kind of file
NO_CTRANSLATE2 = "it is no CTranslate2 model, and a file of the hub's ends in .safetensors"
NO_ENCODER = "it holds no encoder"
MAX_NAME = 512  # bytes; a longer name means that this is another kind of file


# Names of one block's parameters: here, on the hub, in CTranslate2. `qkv` is three of the hub's.
HUB_BLOCK = {
    "attention_norm": "self_attn_layer_norm",
    "out": "self_attn.out_proj",
    "mlp_norm": "final_layer_norm",
    "up": "fc1",
    "down": "fc2",
}
CTRANSLATE2_BLOCK = {
    "attention_norm": "self_attention/layer_norm",
    "qkv": "self_attention/linear_0",
    "out": "self_attention/linear_1",
    "mlp_norm": "ffn/layer_norm",
    "up": "ffn/linear_0",
    "down": "ffn/linear_1",
}
CTRANSLATE2_NORM = {"weight": "gamma", "bias": "beta"}


def read_encoder(path: Path) -> tuple[str, dict[str, Tensor]]:
    """The encoder's weights from a published file.

    Args:
        path: the hub's `model.safetensors`, CTranslate2's `model.bin`, or what `ser_core.models.pretrained` keeps.

    Returns:
        name of the model, one of `SIZES`, and the state of its `WhisperEncoder`, float32.

    Raises:
        CheckpointError: the file is missing, damaged, or of something else.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError
        if path.suffix == ".safetensors":
            state = _from_safetensors(path)
        else:
            with path.open("rb") as file:
                state = _from_ctranslate2(read_ctranslate2(file))
    except FileNotFoundError:
        raise CheckpointError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise CheckpointError(f"{path} is a folder. Name the file in it.") from None
    except OSError as error:
        raise CheckpointError(f"{path} can't be read: {error.strerror or error}.") from None
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} doesn't hold Whisper's weights: {_plainly(error)}.") from None
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise CheckpointError(f"{path} is damaged: some of its weights are no numbers. Get it again.")
    return _model_of(state, path), {name: value.float().contiguous() for name, value in state.items()}


def _plainly(error: Exception) -> str:
    """What is wrong with a file, as the end of a sentence."""
    match error:
        case KeyError():
            return f"{error.args[0]} is missing"
        case SafetensorError():
            return "it is no safetensors file, or it is cut off"
        case RuntimeError():
            return "its weights don't fit each other"
    return str(error)


def _model_of(state: dict[str, Tensor], path: Path) -> str:
    """Name of the model that the weights fit, and nothing missing or left over."""
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    for name, size in SIZES.items():
        with torch.device("meta"):
            expected = WhisperEncoder(size).state_dict()
        if shapes == {key: tuple(value.shape) for key, value in expected.items()}:
            return name
    width = next(iter(shapes.get("norm.weight", ())), None)
    if width is None or width in [size.width for size in SIZES.values()]:
        why = "some weights of its encoder are missing, or are of other shapes"
    else:
        why = f"its encoder has the width {width}"
    raise CheckpointError(f"{path} holds neither Whisper base nor tiny: {why}.")


def _from_safetensors(path: Path) -> dict[str, Tensor]:
    with safe_open(path, "pt") as file:
        check_types(file, FLOATS)
        names = set(file.keys())
    if "qkv.weight" in " ".join(names):
        return load_file(path)
    with safe_open(path, "pt") as file:
        prefix = "model.encoder." if "model.encoder.conv1.weight" in names else "encoder."
        published = {name.removeprefix(prefix): file.get_tensor(name) for name in names if name.startswith(prefix)}
    if not published:
        raise ValueError(NO_ENCODER)
    _check_positions(published["embed_positions.weight"])
    state = {name: published[name] for name in _front_names()}
    for i in range(_count_blocks(published, "layers.")):
        for ours, theirs in HUB_BLOCK.items():
            for kind in ("weight", "bias"):
                state[f"blocks.{i}.{ours}.{kind}"] = published[f"layers.{i}.{theirs}.{kind}"]
        q, k, v = (f"layers.{i}.self_attn.{part}_proj" for part in "qkv")
        state[f"blocks.{i}.qkv.weight"] = torch.cat([published[f"{part}.weight"] for part in (q, k, v)])
        # Keys have no bias: it would change no attention.
        biases = (published[f"{q}.bias"], torch.zeros_like(published[f"{q}.bias"]), published[f"{v}.bias"])
        state[f"blocks.{i}.qkv.bias"] = torch.cat(biases)
    return state | {f"norm.{kind}": published[f"layer_norm.{kind}"] for kind in ("weight", "bias")}


def _from_ctranslate2(published: dict[str, np.ndarray]) -> dict[str, Tensor]:
    variables = {
        name.removeprefix("encoder/"): torch.from_numpy(value)
        for name, value in published.items()
        if name.startswith("encoder/")
    }
    if not variables:
        raise ValueError(NO_ENCODER)
    _check_positions(variables["position_encodings/encodings"])
    state = {name: variables[name.replace(".", "/")] for name in _front_names()}
    for i in range(_count_blocks(variables, "layer_")):
        for ours, theirs in CTRANSLATE2_BLOCK.items():
            for kind in ("weight", "bias"):
                last = CTRANSLATE2_NORM[kind] if ours.endswith("norm") else kind
                state[f"blocks.{i}.{ours}.{kind}"] = variables[f"layer_{i}/{theirs}/{last}"]
    return state | {f"norm.{kind}": variables[f"layer_norm/{last}"] for kind, last in CTRANSLATE2_NORM.items()}


def _front_names() -> list[str]:
    return [f"{layer}.{kind}" for layer in ("conv1", "conv2") for kind in ("weight", "bias")]


def _count_blocks(names: dict[str, Tensor], prefix: str) -> int:
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return len({number.split(".")[0].split("/")[0] for number in numbers if number[0].isdigit()})


def _check_positions(published: Tensor) -> None:
    """The positions are no weights, so they are computed; a file with others is no Whisper.

    Raises:
        ValueError: they differ.
    """
    if published.ndim != 2 or published.shape[0] != MAX_POSITIONS:
        raise ValueError(f"its positions have the shape {tuple(published.shape)}")
    width = published.shape[1]
    if width not in [size.width for size in SIZES.values()]:
        return  # `_model_of` refuses it
    if (published.float() - sinusoids(MAX_POSITIONS, width)).abs().max() > POSITION_TOLERANCE:
        raise ValueError("its positions are others")


def read_ctranslate2(file: BinaryIO) -> dict[str, np.ndarray]:
    """All arrays of a CTranslate2 model by name.

    The format, all little-endian: u32 version, name of the specification, u32 revision, u32 number of variables;
    for each its name, u8 rank, u32 dimensions, u8 type, u32 bytes, and those bytes. A name is a u16 length and as
    many bytes, the last of them 0. (Names of equal variables follow, which an encoder has none of.)

    Raises:
        ValueError: it is no such file, or of an unknown version or type.
    """
    (version,) = _unpack(file, "<I")
    if version > LATEST_VERSION:
        raise ValueError(NO_CTRANSLATE2)
    if version not in CTRANSLATE2_VERSIONS:
        raise ValueError(f"version {version} of CTranslate2's format is unknown")
    if (name := _read_name(file)) != "WhisperSpec":
        raise ValueError(f"it holds a model of kind {name}")
    _, count = _unpack(file, "<II")
    arrays = {}
    for _ in range(count):
        name = _read_name(file)
        (rank,) = _unpack(file, "<B")
        shape = _unpack(file, f"<{rank}I")
        kind, size = _unpack(file, "<BI")
        if kind >= len(CTRANSLATE2_TYPES):
            raise ValueError(f"{name} has the unknown type {kind}")
        if size != math.prod(shape) * np.dtype(CTRANSLATE2_TYPES[kind]).itemsize:
            raise ValueError(f"{name} has another size than its shape says")
        arrays[name] = np.frombuffer(bytearray(_read(file, size)), CTRANSLATE2_TYPES[kind]).reshape(shape)
    return arrays


def _read_name(file: BinaryIO) -> str:
    (length,) = _unpack(file, "<H")
    if length > MAX_NAME:
        raise ValueError(NO_CTRANSLATE2)
    try:
        return _read(file, length).rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise ValueError(NO_CTRANSLATE2) from None


def _unpack(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, _read(file, struct.calcsize(form)))


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("the file is cut off")
    return data
