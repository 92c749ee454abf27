"""A checkpoint's file of weights, `model.safetensors`: whole, unchanged, and those of its network, or a sentence.

Nothing is pickled: weights from a stranger can't run code.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ser_core.checksums import check_sums
from ser_core.errors import CheckpointError
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.file_state import LFS_POINTER, POINTER, PULL
from ser_core.models.config import NetworkConfig
from ser_core.tensor_files import FLOATS, check_types

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_FILE = "model.safetensors"
HALF_TOLERANCE = 1e-3  # largest change of a probability that 16-bit weights may cause
HALF_MIN_ELEMENTS = 10_000  # smaller tensors stay in 32 bits: they cost nothing, and rounding them changes most
Shapes = dict[str, tuple[int, ...]]


def halved(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights with their large tensors in 16 bits."""
    return {name: value.half() if value.numel() >= HALF_MIN_ELEMENTS else value for name, value in weights.items()}


def load_weights(folder: Path, expected: Shapes) -> dict[str, Tensor]:
    """The weights of a checkpoint by name, float32.

    Args:
        expected: shape of each.

    Raises:
        CheckpointError: they are missing or damaged, no numbers, or don't fit the architecture.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    check_weights(folder, expected)
    check_contents(folder)
    try:
        weights = load_file(folder / WEIGHTS_FILE)
    except (OSError, SafetensorError) as error:
        raise _unusable(folder, error) from None
    if odd := [name for name, value in weights.items() if not value.isfinite().all()]:
        raise CheckpointError(
            f"The weights of checkpoint {folder.name} are damaged: {odd[0]} holds what is not a number. Train it "
            "again, or remove it."
        )
    return {name: value.float() for name, value in weights.items()}


def check_weights(folder: Path, expected: Shapes) -> None:
    """Look whether a checkpoint's weights are there, whole, and those of its network, without reading them.

    Raises:
        CheckpointError: they are not.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / WEIGHTS_FILE
    try:
        with path.open("rb") as file:
            if file.read(len(LFS_POINTER)) == LFS_POINTER:
                raise CheckpointError(f"The weights of checkpoint {folder.name} {POINTER}. {PULL}.")
        with safe_open(path, framework="numpy") as file:
            check_types(file, FLOATS)
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise _unusable(folder, error) from None
    if others := [name for name in (*expected, *shapes) if shapes.get(name) != expected.get(name)]:
        name, *_ = others  # the lowest layer: the others follow from it
        shown = [" × ".join(map(str, found[name])) if name in found else "missing" for found in (shapes, expected)]
        raise CheckpointError(
            f"The weights of checkpoint {folder.name} are not those of its network: {name} is {shown[0]}, and should "
            f"be {shown[1]}."
        )


def check_contents(folder: Path) -> None:
    """Look whether a checkpoint's weights, every byte of them, are those that were written.

    Raises:
        CheckpointError: they are not.
    """
    try:
        check_sums(folder, WEIGHTS_FILE)
    except (OSError, ValueError) as error:
        raise _unusable(folder, error) from None


@cache
def weight_shapes(
    model: str, activation: str, form: Form, features: FeatureConfig, network: NetworkConfig = NetworkConfig()
) -> Shapes:
    """Shape of each of a network's weights by name."""
    import torch

    from ser_core.models.registry import build_model

    # On the device "meta" nothing would be computed, but all of torch's compiler be loaded: a second and more. And what
    # a module computes when it is first imported, as Winograd's transforms, would be empty there for good.
    with torch.random.fork_rng(devices=[]):
        built = build_model(model, activation, form, features, network)
    return {name: tuple(value.shape) for name, value in built.state_dict().items()}


def _unusable(folder: Path, error: Exception) -> CheckpointError:
    said = error.strerror if isinstance(error, OSError) else str(error)
    reason, *_ = (said or type(error).__name__).splitlines()
    return CheckpointError(f"The weights of checkpoint {folder.name} can't be loaded ({reason}).")
