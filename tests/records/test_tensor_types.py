"""Checkpoints from elsewhere whose tensors have types that this project never writes."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ser_core.checksums import remove_sums
from ser_core.errors import CheckpointError
from ser_core.records.checkpoints import CHECKPOINTS_DIR, load_model
from ser_core.records.embedding import load_statistics
from ser_core.records.embedding_map import load_map

NAME = "lr0.01-ELU-1D"
LOADED: dict[str, Callable[[Path], object]] = {
    "model.safetensors": load_model,
    "map.safetensors": load_map,
    "embedding.safetensors": load_statistics,
}
READ = {("model.safetensors", "BF16"), ("embedding.safetensors", "U64"), ("embedding.safetensors", "BOOL")}
BYTES = {"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "BF16": 2, "C64": 8, "BOOL": 1, "U64": 8}


@pytest.mark.parametrize("file", LOADED)
@pytest.mark.parametrize("kind", BYTES)
def test_a_tensor_of_another_type_is_a_sentence_or_read(file: str, kind: str, tmp_path: Path):
    folder = tmp_path / NAME
    shutil.copytree(CHECKPOINTS_DIR / NAME, folder)
    remove_sums(folder)
    retype(folder / file, kind)
    if (file, kind) in READ:
        assert LOADED[file](folder)
        return
    with pytest.raises(CheckpointError, match=NAME):
        LOADED[file](folder)


def retype(path: Path, kind: str) -> None:
    """Make a file's first tensor one of zeros of another type."""
    whole = path.read_bytes()
    (size,) = struct.unpack("<Q", whole[:8])
    header, data = json.loads(whole[8 : 8 + size]), whole[8 + size :]
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    first, *_ = tensors
    made = b""
    for name, entry in sorted(tensors.items(), key=lambda item: item[1]["data_offsets"]):
        start, end = entry["data_offsets"]
        content = data[start:end]
        if name == first:
            n_elements = 1
            for length in entry["shape"]:
                n_elements *= length
            entry["dtype"], content = kind, bytes(n_elements * BYTES[kind])
        entry["data_offsets"] = [len(made), len(made) + len(content)]
        made += content
    said = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(said)) + said + made)
