"""Trained weights that describe themselves: `checkpoints/<name>/`.

    model.safetensors   weights, 16-bit where that changes no probability by more than 1e-3
    config.json         architecture, preprocessing and where it comes from
    embedding.safetensors  how its embeddings are distributed, for adaptation (older checkpoints have none)
    map.safetensors     where it puts its test clips, if `ser map` drew that
    README.md           model card

Nothing is pickled: a checkpoint from a stranger can't run code.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from reprlib import repr as brief  # of what a damaged file may hold: however long and deep, it stays short
from typing import TYPE_CHECKING, Any, TypeGuard

from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import CheckpointError, ConfigError
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import FORMS, Form
from ser_core.file_state import LFS_POINTER, POINTER, PULL
from ser_core.files import new_folder, replace_file, write_text
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.registry import MODELS
from ser_core.places import found, how_to_run, own
from ser_core.records.embedding import EMBEDDING_FILE, EmbeddingStatistics, save_statistics
from ser_core.records.schema import MIN_TEMPERATURE, read_value

if TYPE_CHECKING:
    from torch import Tensor, nn

logger = logging.getLogger(__name__)

CHECKPOINTS_DIR = own("checkpoints")
CHECKPOINT_FILES = ("config.json", "model.safetensors", EMBEDDING_FILE)  # those that decide what it says
FORMAT = 1
MIGRATIONS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = ()
"""The first takes format 1 to format 2, and so on; settings that came later have defaults that change nothing."""
HALF_TOLERANCE = 1e-3  # largest change of a probability that 16-bit weights may cause
HALF_MIN_ELEMENTS = 10_000  # smaller tensors stay in 32 bits: they cost nothing, and rounding them changes most


@dataclass(frozen=True, eq=False)
class CheckpointConfig(ByContent):
    """What it takes to rebuild a model and feed it.

    Attributes:
        name: of its folder, which training gives the run's name, as `lr0.001-SiLU-2D`.
        model, activation, form: architecture and shape of its input.
        audio, features: preprocessing.
        provenance: training settings, test result and surroundings, for people.
        temperature: that logits are divided by before they become probabilities, > 0.
    """

    name: str
    model: str
    activation: str
    form: Form
    audio: AudioConfig
    features: FeatureConfig
    provenance: dict[str, Any]
    temperature: float = 1.0


def save_checkpoint(
    folder: Path,
    config: CheckpointConfig,
    weights: dict[str, Tensor],
    model_card: str,
    statistics: EmbeddingStatistics | None = None,
) -> None:
    """Write a checkpoint, which takes the place of what has its name when it is whole.

    Args:
        weights: torch tensors by name, of the precision they are to be stored in.
        statistics: of its embeddings, which it needs to be adapted.
    """
    from safetensors.torch import save

    with new_folder(folder) as new:
        with replace_file(new / "model.safetensors") as path:
            path.write_bytes(save(weights, {"format": str(FORMAT)}))  # `save_file` lets nobody else read it
        if statistics:
            save_statistics(new, statistics)
        write_text(new / "README.md", model_card)
        values = {"format": FORMAT, "emotions": EMOTIONS, **asdict(config)}
        write_text(new / "config.json", json.dumps(values, indent=2) + "\n")


def halved(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights with their large tensors in 16 bits."""
    return {name: value.half() if value.numel() >= HALF_MIN_ELEMENTS else value for name, value in weights.items()}


def load_config(folder: Path) -> CheckpointConfig:
    """Read a checkpoint's description without its weights.

    Raises:
        CheckpointError: missing, damaged, or of a format this version doesn't know.
    """
    try:
        text = (folder / "config.json").read_text(encoding="utf-8")
        config = _parse(folder.name, json.loads(text))
    except FileNotFoundError:
        names = ", ".join(list_checkpoints(folder.parent)) or "none"
        raise CheckpointError(f"There is no checkpoint {folder.name!r}. Available: {names}.") from None
    except KeyError as error:
        raise _damaged(folder, f"it lacks {error}") from None
    except RecursionError:
        raise _damaged(folder, "it is nested too deeply") from None
    except (OSError, ValueError, TypeError, ConfigError) as error:
        raise _damaged(folder, str(error).rstrip(".")) from None
    return replace(config, name=folder.name)  # a copy is another checkpoint, whatever it says


def _damaged(folder: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint {folder.name} is damaged: config.json can't be used ({reason}). Train it again, or remove it."
    )


def _parse(folder: str, values: Any) -> CheckpointConfig:
    _check_object("it", values)
    version, emotions = values["format"], values["emotions"]
    if type(version) is not int or not 1 <= version <= FORMAT or emotions != list(EMOTIONS):
        raise CheckpointError(f"The checkpoint {folder} was made by another version of this project.")
    for migrate in MIGRATIONS[version - 1 :]:
        values = migrate(values)
    values = {key: value for key, value in values.items() if key not in ("format", "emotions")}
    if unknown := values.keys() - {field.name for field in fields(CheckpointConfig)}:
        raise ValueError(f"{brief(min(unknown))} is none of its entries")
    for key, known in (("model", MODELS), ("activation", ACTIVATIONS), ("form", FORMS)):
        if not isinstance(values[key], str) or values[key] not in known:
            raise ValueError(f"{key} should be one of {', '.join(known)}, not {brief(values[key])}")
    if values["form"] not in MODELS[values["model"]].forms:
        raise ValueError(f"{values['model']} takes the fixed form only, not {values['form']!r}")
    if not isinstance(values["name"], str):
        raise TypeError(f"name should be a text, not {brief(values['name'])}")
    _check_object("provenance", values["provenance"])
    temperature = values.get("temperature", 1.0)
    if not is_number(temperature) or temperature < MIN_TEMPERATURE:
        raise ValueError(f"temperature should be a number from {MIN_TEMPERATURE:g} up, not {brief(temperature)}")
    parts = {"audio": AudioConfig, "features": FeatureConfig}
    return CheckpointConfig(**values | {part: read_value(kind, values[part], part) for part, kind in parts.items()})


def _check_object(part: str, value: object) -> None:
    if not isinstance(value, dict):
        raise TypeError(f"{part} should be an object, not {brief(value)}")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value of a JSON file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def load_model(folder: Path) -> tuple[CheckpointConfig, nn.Module]:
    """Rebuild a checkpoint's network, in float32 and evaluation mode.

    Returns:
        its description and the network.

    Raises:
        CheckpointError: see `load_config`; or the weights are damaged or don't fit the architecture.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ser_core.models.registry import build_model

    config = load_config(folder)
    check_weights(folder, config)
    try:
        weights = load_file(folder / "model.safetensors")
        if odd := [
            name for name, value in weights.items() if not (value.is_floating_point() and value.isfinite().all())
        ]:
            raise CheckpointError(
                f"The weights of checkpoint {folder.name} are damaged: {odd[0]} holds what is not a number. Train it "
                "again, or remove it."
            )
        model = build_model(config.model, config.activation, config.form, config.features)
        model.load_state_dict({name: value.float() for name, value in weights.items()})
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise _unusable_weights(folder, error) from None
    return config, model.eval()


def check_weights(folder: Path, config: CheckpointConfig) -> None:
    """Look whether a checkpoint's weights are there, whole, and those of its network, without reading them.

    Raises:
        CheckpointError: they are not.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / "model.safetensors"
    try:
        with path.open("rb") as file:
            if file.read(len(LFS_POINTER)) == LFS_POINTER:
                raise CheckpointError(f"The weights of checkpoint {folder.name} {POINTER}. {PULL}.")
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unusable_weights(folder, error) from None
    expected = weight_shapes(config.model, config.activation, config.form, config.features)
    if others := [name for name in (*expected, *shapes) if shapes.get(name) != expected.get(name)]:
        name, *_ = others  # the lowest layer: the others follow from it
        shown = [" × ".join(map(str, found[name])) if name in found else "missing" for found in (shapes, expected)]
        raise CheckpointError(
            f"The weights of checkpoint {folder.name} are not those of its network: {name} is {shown[0]}, and should "
            f"be {shown[1]}."
        )


@cache
def weight_shapes(model: str, activation: str, form: Form, features: FeatureConfig) -> dict[str, tuple[int, ...]]:
    """Shape of each of a network's weights by name."""
    import torch

    from ser_core.models.registry import build_model

    # On the device "meta" nothing would be computed, but all of torch's compiler be loaded: a second and more. And what
    # a module computes when it is first imported, as Winograd's transforms, would be empty there for good.
    with torch.random.fork_rng(devices=[]):
        network = build_model(model, activation, form, features)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _unusable_weights(folder: Path, error: Exception) -> CheckpointError:
    said = error.strerror if isinstance(error, OSError) else str(error)
    reason, *_ = (said or type(error).__name__).splitlines()
    return CheckpointError(f"The weights of checkpoint {folder.name} can't be loaded ({reason}).")


def checkpoints_dir() -> Path:
    """The folder of checkpoints that `Predictor.load` and the app use: `$SER_CHECKPOINTS_DIR`, or the project's own."""
    return found("checkpoints")


def list_checkpoints(root: Path = CHECKPOINTS_DIR) -> list[str]:
    """Names of the checkpoints in a folder, also of damaged ones."""
    return sorted(path.parent.name for path in root.glob("[!.]*/config.json"))


def rank(config: CheckpointConfig) -> float | None:
    """What orders checkpoints, the best highest: validation accuracy, 0..1 (the test set chooses nothing).

    None where the checkpoint doesn't say it.
    """
    test = config.provenance.get("test")
    accuracy = test.get("val_accuracy") if isinstance(test, dict) else None
    return float(accuracy) if is_number(accuracy) and 0 <= accuracy <= 1 else None


def _split_id(config: CheckpointConfig) -> str | None:
    environment = config.provenance.get("environment")
    split_id = environment.get("split_id") if isinstance(environment, dict) else None
    return split_id if isinstance(split_id, str) else None


def survey_checkpoints(root: Path = CHECKPOINTS_DIR) -> tuple[list[str], dict[str, str]]:
    """Names of the checkpoints that can be used, and why each of the others can't be.

    Validation accuracies on different clips don't compare: those of the report's split come first, or else of the most
    common one, and the best first among the checkpoints of one split.
    """
    ranks: dict[str, tuple[str | None, float]] = {}
    unusable = {}
    for name in list_checkpoints(root):
        try:
            config = load_config(root / name)
            check_weights(root / name, config)
        except CheckpointError as error:
            unusable[name] = str(error)
            continue
        value = rank(config)
        if value is None:
            unusable[name] = f"The checkpoint {name} is left out: config.json holds no validation accuracy from 0 to 1."
        else:
            ranks[name] = _split_id(config), value
    common = Counter(split_id for split_id, _ in ranks.values())

    def order(name: str) -> tuple[bool, int, str, float, str]:
        split_id, value = ranks[name]
        return split_id != REPORT_SPLIT_ID, -common[split_id], split_id or "", -value, name

    return sorted(ranks, key=order), unusable


def default_checkpoint(root: Path = CHECKPOINTS_DIR) -> str:
    """Name of the best checkpoint, see `rank`; the log names those that can't be used.

    Only checkpoints of one split are ranked: of the report's, or else of the most common one.

    Raises:
        CheckpointError: there is none, or none that can be used.
    """
    names, unusable = survey_checkpoints(root)
    if names:
        for reason in unusable.values():
            logger.warning("%s", reason)
        return names[0]
    if unusable:
        raise CheckpointError(f"No checkpoint in {root} can be used. {' '.join(unusable.values())}")
    raise CheckpointError(f"There is no checkpoint in {root}. Train one with `{how_to_run('train')}`.")
