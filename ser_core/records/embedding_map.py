"""Where a network puts its test clips: `checkpoints/<name>/map.safetensors`, which `ser map` makes.

A drawing of its embeddings in two dimensions, and their principal components in 8 bits: enough to find the clips that
are like any recording, in less than 150 kB. A map says which weights it was made with, and is refused with others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ser_core.checksums import add_sum, check_sums, sha256_of
from ser_core.corpus.clips import load_index
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import CheckpointError
from ser_core.files import replace_file
from ser_core.places import how_to_run
from ser_core.records.weights import WEIGHTS_FILE
from ser_core.tensor_files import ARRAYS, check_types

MAP_FILE = "map.safetensors"
WEIGHTS, CLIPS = "weights", "clips"
"""What a file's metadata says: the checksum of the weights, and of the index whose rows `clips` are."""
SHAPES: dict[str, tuple[Any, ...]] = {
    CLIPS: (np.uint16, "clips"),
    "places": (np.float16, "clips", 2),
    "components": (np.int8, "clips", "components"),
    "component_steps": (np.float32, "components"),
    "mean": (np.float32, "width"),
    "basis": (np.int8, "width", "components"),
    "basis_steps": (np.float32, "components"),
    "answers": (np.uint8, "clips"),
    "scores": (np.uint8, "clips"),
}
"""Type and shape of each array of a file; a word stands for the same size wherever it stands."""
LARGEST_SCORE = 255  # as which a file keeps 1


@dataclass(frozen=True, eq=False)
class EmbeddingMap(ByContent):
    """Test clips of CREMA-D as a network has them.

    Attributes:
        names: of the clips.
        places: of each clip in a drawing, float32 `[clips, 2]`: what is near is alike, but how far apart groups are
            means little.
        components: principal components of each embedding, float32 `[clips, components]`.
        mean: of the embeddings, float32 `[width]`.
        basis: what makes components of embeddings less their mean, float32 `[width, components]`.
        answers: the likeliest emotion of each clip, int `[clips]`, indices into `EMOTIONS`.
        scores: its probability, float32 `[clips]`, 0..1.
    """

    names: tuple[str, ...]
    places: np.ndarray
    components: np.ndarray
    mean: np.ndarray
    basis: np.ndarray
    answers: np.ndarray
    scores: np.ndarray

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each clip, by name."""
        return {name: i for i, name in enumerate(self.names)}


def save_map(folder: Path, embedding_map: EmbeddingMap) -> None:
    """Write it beside the weights that it was made with."""
    from safetensors.numpy import save

    positions = {name: i for i, name in enumerate(load_index())}
    components, component_steps = _rounded(embedding_map.components)
    basis, basis_steps = _rounded(embedding_map.basis)
    arrays = {
        CLIPS: np.array([positions[name] for name in embedding_map.names]),
        "places": embedding_map.places,
        "components": components,
        "component_steps": component_steps,
        "mean": embedding_map.mean,
        "basis": basis,
        "basis_steps": basis_steps,
        "answers": embedding_map.answers,
        "scores": np.rint(embedding_map.scores * LARGEST_SCORE),
    }
    typed = {name: np.ascontiguousarray(value.astype(SHAPES[name][0])) for name, value in arrays.items()}
    with replace_file(folder / MAP_FILE) as path:
        path.write_bytes(save(typed, {WEIGHTS: weights_checksum(folder), CLIPS: _index_checksum()}))
    add_sum(folder, MAP_FILE)


def load_map(folder: Path | str) -> EmbeddingMap | None:
    """That of a checkpoint; None if it has none.

    Args:
        folder: of the checkpoint, `checkpoints/NAME`.

    Raises:
        CheckpointError: the file is damaged, or was made with other weights.
    """
    from safetensors import SafetensorError, safe_open

    folder = Path(folder)
    try:
        with safe_open(folder / MAP_FILE, framework="numpy") as file:
            check_types(file, ARRAYS)
            said = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if said.get(WEIGHTS) != weights_checksum(folder):
            raise CheckpointError(f"The map of checkpoint {folder.name} was made with other weights. {_again(folder)}")
        _check(arrays, said)
        check_sums(folder, MAP_FILE)
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, ValueError) as error:
        reason, *_ = str(error).splitlines()
        raise CheckpointError(
            f"The map of checkpoint {folder.name} is damaged: {MAP_FILE} can't be used ({reason}). {_again(folder)}"
        ) from None
    names = list(load_index())
    return EmbeddingMap(
        tuple(names[i] for i in arrays[CLIPS]),
        arrays["places"].astype(np.float32),
        arrays["components"] * arrays["component_steps"],
        arrays["mean"],
        arrays["basis"] * arrays["basis_steps"],
        arrays["answers"].astype(int),
        arrays["scores"].astype(np.float32) / LARGEST_SCORE,
    )


def weights_checksum(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights.

    Raises:
        OSError: they can't be read.
    """
    return sha256_of(folder / WEIGHTS_FILE)


def _index_checksum() -> str:
    return hashlib.sha256(" ".join(load_index()).encode()).hexdigest()


def _rounded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns in steps of which each has 127 up to its largest value, and the steps, `[columns]`."""
    steps = np.maximum(np.abs(values).max(axis=0), np.finfo(np.float32).tiny) / np.iinfo(np.int8).max
    return np.rint(values / steps), steps


def _check(arrays: dict[str, np.ndarray], said: dict[str, str]) -> None:
    """Raise a `ValueError` if they are no map."""
    if arrays.keys() != SHAPES.keys():
        raise ValueError(f"it holds {', '.join(sorted(arrays)) or 'nothing'}")
    sizes: dict[Any, int] = {2: 2}
    for name, (kind, *shape) in SHAPES.items():
        array = arrays[name]
        if array.dtype != kind or array.ndim != len(shape):
            raise ValueError(f"{name} is {array.dtype} of {array.ndim} dimensions")
        for size, found in zip(shape, array.shape, strict=True):
            if sizes.setdefault(size, found) != found or not found:
                raise ValueError(f"{name} is {' × '.join(map(str, array.shape))}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds what is not a number")
    clips = arrays[CLIPS]
    if (
        said.get(CLIPS) != _index_checksum()
        or clips.max() >= len(load_index())
        or len(set(clips.tolist())) < len(clips)
    ):
        raise ValueError("its clips are not those of CREMA-D")
    if arrays["answers"].max() >= len(EMOTIONS):
        raise ValueError("it holds answers that are no emotion")


def _again(folder: Path) -> str:
    return f"Make it again with `{how_to_run('map')} --checkpoint {folder.name}`."
