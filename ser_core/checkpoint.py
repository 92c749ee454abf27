"""Trained weights that describe themselves: `checkpoints/<name>/`.

    model.safetensors   weights, 16-bit where that changes no probability by more than 1e-3
    config.json         architecture, preprocessing and where it comes from
    README.md           model card

Nothing is pickled: a checkpoint from a stranger can't run code.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mode
from typing import TYPE_CHECKING, Any

from ser_core.audio import AudioConfig
from ser_core.dataset import Form
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import CheckpointError, ConfigError
from ser_core.features import FeatureConfig
from ser_core.files import replace_file, replace_folder, write_text
from ser_core.splits import REPORT_SPLIT_ID

if TYPE_CHECKING:
    from torch import Tensor

CHECKPOINTS_DIR = Path(__file__).parents[1] / "checkpoints"
FORMAT = 1
HALF_TOLERANCE = 1e-3  # largest change of a probability that 16-bit weights may cause
HALF_MIN_ELEMENTS = 10_000  # smaller tensors stay in 32 bits: they cost nothing, and rounding them changes most


@dataclass(frozen=True, eq=False)
class CheckpointConfig(ByContent):
    """What it takes to rebuild a model and feed it.

    Attributes:
        name: of the run, as `lr0.001-SiLU-2D`.
        model, activation, form: architecture and shape of its input.
        audio, features: preprocessing.
        provenance: training settings, test result and surroundings, for people.
    """

    name: str
    model: str
    activation: str
    form: Form
    audio: AudioConfig
    features: FeatureConfig
    provenance: dict[str, Any]


def save_checkpoint(folder: Path, config: CheckpointConfig, weights: dict[str, Tensor], model_card: str) -> None:
    """Write a checkpoint, which takes the place of what has its name when it is whole.

    Args:
        weights: torch tensors by name, of the precision they are to be stored in.
    """
    from safetensors.torch import save_file

    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    with replace_file(new / "model.safetensors") as path:
        save_file(weights, path, {"format": str(FORMAT)})
    write_text(new / "README.md", model_card)
    values = {"format": FORMAT, "emotions": EMOTIONS, **asdict(config)}
    write_text(new / "config.json", json.dumps(values, indent=2) + "\n")
    replace_folder(new, folder)


def halved(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights with their large tensors in 16 bits."""
    return {name: value.half() if value.numel() >= HALF_MIN_ELEMENTS else value for name, value in weights.items()}


def load_config(folder: Path) -> CheckpointConfig:
    """Read a checkpoint's description without its weights.

    Raises:
        CheckpointError: missing, malformed, or of a format this version doesn't know.
    """
    try:
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT or tuple(values.pop("emotions")) != EMOTIONS:
            raise CheckpointError(f"The checkpoint {folder.name} was made by another version of this project.")
        return CheckpointConfig(
            **{**values, "audio": AudioConfig(**values["audio"]), "features": FeatureConfig(**values["features"])}
        )
    except FileNotFoundError:
        names = ", ".join(list_checkpoints(folder.parent)) or "none"
        raise CheckpointError(f"There is no checkpoint {folder.name!r}. Available: {names}.") from None
    except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(f"The checkpoint {folder.name} is damaged ({type(error).__name__}: {error}).") from None


def load_model(folder: Path) -> tuple[CheckpointConfig, Any]:
    """Rebuild a checkpoint's network, in float32 and evaluation mode.

    Returns:
        its description and the `torch.nn.Module`.

    Raises:
        CheckpointError: see `load_config`; or the weights are damaged or don't fit the architecture.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ser_core.models import build_model

    config = load_config(folder)
    try:
        weights = load_file(folder / "model.safetensors")
        model = build_model(config.model, config.activation, config.form)
        model.load_state_dict({name: value.float() for name, value in weights.items()})
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"The weights of checkpoint {folder.name} can't be loaded ({reason}).") from None
    return config, model.eval()


def list_checkpoints(root: Path = CHECKPOINTS_DIR) -> list[str]:
    """Names of the checkpoints in a folder."""
    names = (path.parent.name for path in root.glob("*/config.json"))
    return sorted(name for name in names if not name.startswith("."))  # those are on their way in, or out


def default_checkpoint(root: Path = CHECKPOINTS_DIR) -> str:
    """Name of the checkpoint with the best validation accuracy (the test set chooses nothing).

    Only checkpoints of one split are ranked: of the report's, or else of the most common one.

    Raises:
        CheckpointError: there is none.
    """
    names = list_checkpoints(root)
    if not names:
        raise CheckpointError(f"There is no checkpoint in {root}. Train one with `python train.py`.")
    provenances = {name: load_config(root / name).provenance for name in names}
    split_ids = {name: found.get("environment", {}).get("split_id") for name, found in provenances.items()}
    split = REPORT_SPLIT_ID if REPORT_SPLIT_ID in split_ids.values() else mode(split_ids.values())
    of_split = [name for name in names if split_ids[name] == split]
    return max(of_split, key=lambda name: provenances[name]["test"]["val_accuracy"])
