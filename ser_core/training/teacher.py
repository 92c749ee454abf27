"""A teacher: a checkpoint whose probabilities are a part of another network's targets (Hinton et al. 2015).

It hears what the student hears: each training clip, or each of its changed copies, drawn the same way, with the
teacher's own preprocessing. What it says is kept with the features, a folder for each copy, under a name that differs
with its weights, the clips and their changes; what was damaged since is computed anew. It is never asked about clips
that are validated or tested on.

    target = (1 - teacher_share) * (label, with soft_labels' share of raters' votes) + teacher_share * teacher

`label_smoothing` spreads its share of that sum, and `mixup` mixes sums.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

from ser_core.checksums import sha256_of
from ser_core.corpus.splits import Split
from ser_core.errors import CheckpointError, ConfigError, CorpusError
from ser_core.features.cache import code_checksum, data_checksum, default_cache_dir
from ser_core.features.stored import DamagedFeaturesError, new_features, read_features
from ser_core.files import room_in
from ser_core.models.registry import MODELS
from ser_core.records.checkpoints import CheckpointConfig, checkpoint_folder, checkpoints_dir, load_config, load_model
from ser_core.records.schema import TaughtBy
from ser_core.records.weights import WEIGHTS_FILE, check_contents, check_weights
from ser_core.training.batches import ClipTensors, load_inputs
from ser_core.training.calibration import probabilities
from ser_core.training.config import NO_TEACHER, TrainConfig
from ser_core.training.device import Device, full_precision
from ser_core.training.trainer import predict_logits

logger = logging.getLogger(__name__)

BATCH_SIZE = 8  # on a CPU, a clip takes less time than with 32
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Teacher:
    """A checkpoint that may teach.

    Attributes:
        folder: of the checkpoint.
        config: its description.
        described: what the student's record says of it.
    """

    folder: Path
    config: CheckpointConfig
    described: TaughtBy


def find_teacher(name: str, split: Split) -> Teacher | None:
    """The checkpoint of that name, in `ser_core.records.checkpoints.checkpoints_dir`; None for `none`.

    Args:
        split: the student's. The teacher's has to be the same: another one's training clips are among those that the
            student is validated and tested on.

    Raises:
        ConfigError: there is no such checkpoint, it is damaged, knows other emotions, or was trained on another split.
    """
    if name == NO_TEACHER:
        return None
    try:
        folder = checkpoint_folder(checkpoints_dir(), name)
        config = load_config(folder)
        check_weights(folder, config.shapes)
        check_contents(folder)
    except CheckpointError as error:
        raise ConfigError(f"--teacher {name}: {error}") from None
    environment = config.provenance.get("environment")
    said = environment if isinstance(environment, dict) else {}
    if said.get("split_id") != split.id:
        raise ConfigError(
            f"{name} can't be the teacher: it was trained on the split {said.get('split_id', 'of an unknown id')}, and "
            f"this run's is {split.id} ({split.name}). It may know clips that this run is validated or tested on."
        )
    taught_by = said.get("teacher")
    pretrained = MODELS[config.model].pretrained or (isinstance(taught_by, dict) and bool(taught_by.get("pretrained")))
    decides = {key: value for key, value in asdict(config).items() if key not in ("name", "provenance")}
    checksum = _digest([sha256_of(folder / WEIGHTS_FILE), decides])
    return Teacher(folder, config, TaughtBy(name, config.model, checksum, pretrained))


def teach(
    teacher: Teacher,
    config: TrainConfig,
    corpus: Any,
    clips: Sequence[Any],
    data: ClipTensors,
    train: Sequence[int],
    copies: Sequence[ClipTensors],
    *,
    device: Device,
    cache_dir: Path | None = None,
    features: Progress | None = None,
    answered: Progress | None = None,
) -> None:
    """Give training clips what the teacher says of them; others have NaN in its place, which no loss would overlook.

    Args:
        config: the student's.
        corpus: where the clips are.
        clips: the training clips.
        data, train: all clips as they are, and which of them are trained on; only those are asked about, and only if
            there are no copies, which would be trained on instead.
        copies: changed copies of the training clips.
        features: is told of how many clips the teacher's features are there.
        answered: is told how many clips the teacher has answered.
    """
    parts = [(None, data, train)] if not copies else [(i, part, range(len(clips))) for i, part in enumerate(copies)]
    for copy, part, places in parts:
        logits = _logits(
            teacher, config, corpus, clips, copy, device, cache_dir or default_cache_dir(), features, answered
        )
        part.learn_from(places, probabilities(logits, config.teacher_temperature))


def _logits(
    teacher: Teacher,
    config: TrainConfig,
    corpus: Any,
    clips: Sequence[Any],
    copy: int | None,
    device: Device,
    root: Path,
    features: Progress | None,
    answered: Progress | None,
) -> Tensor:
    """The teacher's logits over its own temperature, `[clips, 6]`, from the cache or computed once."""
    changes = None if copy is None else [copy, asdict(config.augmentation)]
    computed_by = [code_checksum(), version("torch"), device.device.type]
    folder = root / f"teacher-{_digest([asdict(teacher.described), data_checksum(clips), changes, computed_by])}"
    with room_in(root):
        root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".teaching.lock"):  # runs side by side ask a teacher once
        if (known := _read(folder)) is not None:
            return known
        if folder.is_dir():
            logger.warning("What the teacher said in %s is damaged: it is asked anew.", folder)
        c = teacher.config
        heard = TrainConfig(
            c.model,
            c.activation,
            form=c.form,
            augmentation=config.augmentation,
            audio=c.audio,
            features=c.features,
            network=c.network,
        )
        inputs = load_inputs(heard, clips, corpus, copy=copy, cache_dir=root, progress=features)
        data = ClipTensors(inputs, [0] * len(clips), c.form, device.device)
        logits = _ask(teacher, data, device, answered)
        with new_features(folder) as writer:
            for row in logits.cpu().numpy():
                writer.add(row)
    if (known := _read(folder)) is None:
        raise CorpusError(f"{folder} was damaged while it was written: check that disk, or use another with --cache.")
    return known


def _ask(teacher: Teacher, data: ClipTensors, device: Device, answered: Progress | None) -> Tensor:
    """Its logits over its temperature, of all clips, those of similar lengths together, in float32."""
    _, model = load_model(teacher.folder)
    model = model.to(device.device)
    n = len(data.labels)
    logits = torch.empty(n, data.heard.shape[1])
    done = 0
    for part in data.shortest_first(torch.arange(n)).split(BATCH_SIZE):
        said = predict_logits(model, data, part.to(device.device), full_precision(device))
        logits[part] = said.cpu() / teacher.config.temperature
        done += len(part)
        if answered:
            answered(done, n)
    return logits


def _read(folder: Path) -> Tensor | None:
    with suppress(DamagedFeaturesError):
        return torch.from_numpy(read_features(folder).stack())
    return None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
