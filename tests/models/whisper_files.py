"""Files in the formats in which Whisper's weights are published, of a small encoder."""

import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ser_core.models.whisper import MAX_POSITIONS, EncoderSize, WhisperEncoder, sinusoids

SMALL = EncoderSize(layers=2, width=24, heads=3)
BLOCK_OF_CTRANSLATE2 = {
    "attention_norm": ("self_attention/layer_norm/gamma", "self_attention/layer_norm/beta"),
    "qkv": ("self_attention/linear_0/weight", "self_attention/linear_0/bias"),
    "out": ("self_attention/linear_1/weight", "self_attention/linear_1/bias"),
    "mlp_norm": ("ffn/layer_norm/gamma", "ffn/layer_norm/beta"),
    "up": ("ffn/linear_0/weight", "ffn/linear_0/bias"),
    "down": ("ffn/linear_1/weight", "ffn/linear_1/bias"),
}


def random_state() -> dict[str, Tensor]:
    """Random weights that 16 bits hold exactly; keys have no bias."""
    torch.manual_seed(0)
    weights = {
        name: torch.randn(value.shape).half().float() for name, value in WhisperEncoder(SMALL).state_dict().items()
    }
    for i in range(SMALL.layers):
        weights[f"blocks.{i}.qkv.bias"][SMALL.width : 2 * SMALL.width] = 0
    return weights


def hub_file(path: Path, state: dict[str, Tensor], prefix: str = "model.encoder.") -> Path:
    """The state as the hub's model.safetensors, with a tensor of the decoder."""
    names = {"attention_norm": "self_attn_layer_norm", "out": "self_attn.out_proj", "mlp_norm": "final_layer_norm"}
    names |= {"up": "fc1", "down": "fc2"}
    hub = {"embed_positions.weight": sinusoids(MAX_POSITIONS, SMALL.width)}
    for name, value in state.items():
        first, *rest = name.split(".")
        if first != "blocks":
            hub[name.replace("norm.", "layer_norm.")] = value
        elif rest[1] == "qkv":
            for part, piece in zip("qkv", value.chunk(3), strict=True):
                if (part, rest[2]) != ("k", "bias"):
                    hub[f"layers.{rest[0]}.self_attn.{part}_proj.{rest[2]}"] = piece.contiguous()
        else:
            hub[f"layers.{rest[0]}.{names[rest[1]]}.{rest[2]}"] = value
    decoder = {"model.decoder.embed_tokens.weight": torch.zeros(10, SMALL.width)}
    save_file({prefix + name: value for name, value in hub.items()} | decoder, path)
    return path


def ctranslate2_file(path: Path, state: dict[str, Tensor], *, kind: str = "WhisperSpec", version: int = 6) -> Path:
    """The state as CTranslate2's model.bin in 16 bits, with variables of other types beside it."""
    variables: dict[str, np.ndarray] = {
        "decoder/activation": np.array(3, np.int8),
        "encoder/num_heads": np.array(SMALL.heads, np.int16),
        "decoder/embeddings/weight": np.zeros((10, SMALL.width), np.float16),
        "encoder/position_encodings/encodings": sinusoids(MAX_POSITIONS, SMALL.width).half().numpy(),
    }
    for name, value in state.items():
        first, *rest = name.split(".")
        if first == "blocks":
            ours = f"layer_{rest[0]}/{BLOCK_OF_CTRANSLATE2[rest[1]][rest[2] == 'bias']}"
        elif first == "norm":
            ours = "layer_norm/" + {"weight": "gamma", "bias": "beta"}[rest[0]]
        else:
            ours = f"{first}/{rest[0]}"
        variables[f"encoder/{ours}"] = value.half().numpy()

    types = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
    with path.open("wb") as file:

        def write_name(text: str) -> None:
            file.write(struct.pack("<H", len(text) + 1) + text.encode() + b"\0")

        file.write(struct.pack("<I", version))
        write_name(kind)
        file.write(struct.pack("<II", 3, len(variables)))
        for name, array in variables.items():
            write_name(name)
            file.write(struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape))
            file.write(struct.pack("<BI", types[array.dtype.name], array.nbytes) + array.tobytes())
        file.write(struct.pack("<I", 0))
    return path


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], atol=0, rtol=0)
