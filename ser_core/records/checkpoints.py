"""Trained weights that describe themselves: `checkpoints/<name>/`.

    model.safetensors   weights, 16-bit where that changes no probability by more than 1e-3
    config.json         architecture, preprocessing and where it comes from
    embedding.safetensors  how its embeddings are distributed, for adaptation (older checkpoints have none)
    map.safetensors     where it puts its test clips, if `ser map` drew that
    README.md           model card
    SHA256SUMS          of all but the card, see `ser_core.checksums`

Nothing is pickled: a checkpoint from a stranger can't run code.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from reprlib import repr as brief  # of what a damaged file may hold: however long and deep, it stays short
from typing import TYPE_CHECKING, Any, TypeGuard

from ser_core.audio.preprocess import AudioConfig
from ser_core.checksums import check_sums, write_sums
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import CheckpointError
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.files import new_folder, replace_file, write_text
from ser_core.json_file import read_json
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.config import NetworkConfig
from ser_core.models.registry import MODELS, check_windows
from ser_core.places import found, how_to_run, own
from ser_core.records.embedding import EMBEDDING_FILE, EmbeddingStatistics, save_statistics
from ser_core.records.metrics import check_range
from ser_core.records.reading import read_value
from ser_core.records.schema import MIN_TEMPERATURE
from ser_core.records.weights import WEIGHTS_FILE, check_contents, check_weights, load_weights, weight_shapes

if TYPE_CHECKING:
    from torch import Tensor, nn

logger = logging.getLogger(__name__)

CHECKPOINTS_DIR = own("checkpoints")
CHECKPOINT_FILES = ("config.json", WEIGHTS_FILE, EMBEDDING_FILE)  # those that decide what it says
FORMAT = 1
FIGURES = {("test", "metrics", "accuracy"): 1, ("test", "metrics", "uar"): 1, ("test", "parameters"): None}
"""What pages show of a checkpoint's provenance, and the largest that it can be."""

MIGRATIONS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = ()
"""The first takes format 1 to format 2, and so on; settings that came later have defaults that change nothing."""


@dataclass(frozen=True, eq=False)
class CheckpointConfig(ByContent):
    """What it takes to rebuild a model and feed it.

    Attributes:
        name: of its folder, which training gives the run's name, as `lr0.001-SiLU-2D`.
        model, activation, form: architecture and shape of its input.
        audio, features: preprocessing.
        provenance: training settings, test result and surroundings, for people.
        temperature: that logits are divided by before they become probabilities, > 0.
        network: what it is made of, of those that are configurable.
    """

    name: str
    model: str
    activation: str
    form: Form
    audio: AudioConfig
    features: FeatureConfig
    provenance: dict[str, Any]
    temperature: float = 1.0
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        for name, value, known in (("model", self.model, MODELS), ("activation", self.activation, ACTIVATIONS)):
            if value not in known:
                raise ValueError(f"{name} should be one of {', '.join(known)}, not {brief(value)}")
        if self.form not in MODELS[self.model].forms:
            raise ValueError(f"form should be fixed, which {self.model} takes alone, not {brief(self.form)}")
        check_windows(MODELS[self.model], self.features)
        check_range("temperature", self.temperature, MIN_TEMPERATURE)
        for names, high in FIGURES.items():
            said: Any = self.provenance
            for entry in names:
                said = said.get(entry) if isinstance(said, dict) else None
            if is_number(said):  # what is none is shown as unknown
                check_range(".".join(("provenance", *names)), said, 0, high)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each of its network's weights by name."""
        return weight_shapes(self.model, self.activation, self.form, self.features, self.network)


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
        with replace_file(new / WEIGHTS_FILE) as path:
            path.write_bytes(save(weights, {"format": str(FORMAT)}))  # `save_file` lets nobody else read it
        if statistics:
            save_statistics(new, statistics)
        write_text(new / "README.md", model_card)
        values = {"format": FORMAT, "emotions": EMOTIONS, **asdict(config)}
        write_text(new / "config.json", json.dumps(values, indent=2) + "\n")
        write_sums(new, CHECKPOINT_FILES)


def load_config(folder: Path) -> CheckpointConfig:
    """Read a checkpoint's description without its weights.

    Raises:
        CheckpointError: missing, damaged, or of a format this version doesn't know.
    """
    try:
        config = _parse(folder.name, read_json(folder / "config.json"))
        check_sums(folder, "config.json")
    except FileNotFoundError:
        names = ", ".join(list_checkpoints(folder.parent)) or "none"
        raise CheckpointError(f"There is no checkpoint {folder.name!r}. Available: {names}.") from None
    except (OSError, ValueError) as error:
        raise _damaged(folder, str(error).rstrip(".")) from None
    return replace(config, name=folder.name)  # a copy is another checkpoint, whatever it says


def _damaged(folder: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint {folder.name} is damaged: config.json can't be used ({reason}). Train it again, or remove it."
    )


def _parse(folder: str, values: Any) -> CheckpointConfig:
    if not isinstance(values, dict):
        raise ValueError(f"it should be an object, not {brief(values)}")
    if missing := [name for name in ("format", "emotions") if name not in values]:
        raise ValueError(f"{missing[0]} is missing")
    version = values["format"]
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise CheckpointError(f"The checkpoint {folder} was made by another version of this project.")
    if values["emotions"] != list(EMOTIONS):
        said = brief(values["emotions"])
        raise CheckpointError(
            f"The checkpoint {folder} was made by another version of this project: its emotions are {said}, and not "
            f"{', '.join(EMOTIONS)}."
        )
    for migrate in MIGRATIONS[version - 1 :]:
        values = migrate(values)
    return read_value(
        CheckpointConfig, {key: value for key, value in values.items() if key not in ("format", "emotions")}
    )


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value of a JSON file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def load_model(folder: Path) -> tuple[CheckpointConfig, nn.Module]:
    """Rebuild a checkpoint's network, in float32 and evaluation mode.

    Returns:
        its description and the network.

    Raises:
        CheckpointError: see `load_config` and `load_weights`.
    """
    from ser_core.models.registry import build_model

    config = load_config(folder)
    weights = load_weights(folder, config.shapes)
    model = build_model(config.model, config.activation, config.form, config.features, config.network)
    model.load_state_dict(weights)
    return config, model.eval()


def checkpoint_folder(root: Path, name: str | None) -> Path:
    """The folder of the checkpoint of that name, or else of the best, see `default_checkpoint`.

    Raises:
        CheckpointError: no checkpoint can have that name, as one that leads to another folder; or there is no best.
    """
    name = str(name or default_checkpoint(root))
    if Path(name).name != name or name == "..":
        raise CheckpointError(f"{name!r} is not the name of a checkpoint: it is that of a folder in {root}.")
    return root / name


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


def survey_checkpoints(root: Path = CHECKPOINTS_DIR, *, contents: bool = True) -> tuple[list[str], dict[str, str]]:
    """Names of the checkpoints that can be used, and why each of the others can't be.

    All their weights are read once a process, in 30 ms for 40 MB, unless `contents` is false: a changed byte is seen.
    Validation accuracies on different clips don't compare: those of the report's split come first, or else of the most
    common one, and the best first among the checkpoints of one split.
    """
    ranks: dict[str, tuple[str | None, float]] = {}
    unusable = {}
    for name in list_checkpoints(root):
        try:
            config = load_config(root / name)
            check_weights(root / name, config.shapes)
            if contents:
                check_contents(root / name)
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
    names, unusable = survey_checkpoints(root, contents=False)
    best = next((name for name in names if not _changed(root / name, unusable)), None)
    if best:
        for reason in unusable.values():
            logger.warning("%s", reason)
        return best
    if unusable:
        raise CheckpointError(f"No checkpoint in {root} can be used. {' '.join(unusable.values())}")
    raise CheckpointError(f"There is no checkpoint in {root}. Train one with `{how_to_run('train')}`.")


def _changed(folder: Path, unusable: dict[str, str]) -> bool:
    """Whether a checkpoint's weights have changed; the sentence joins those that say what can't be used."""
    try:
        check_contents(folder)
    except CheckpointError as error:
        unusable[folder.name] = str(error)
    return folder.name in unusable
