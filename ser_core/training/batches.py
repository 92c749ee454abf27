"""The corpus on the training device, in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from ser_core.emotions import EMOTIONS
from ser_core.features.cache import load_features
from ser_core.features.clip_waveform import ChangedCopy
from ser_core.features.feature_set import FeatureSet
from ser_core.features.inputs import Form
from ser_core.models.registry import MODELS
from ser_core.training.config import NO_TEACHER, TrainConfig

PARTS = 3  # of a batch of clips of different lengths, on a CPU: fewer pad more, more keep the cores less busy


def load_inputs(
    config: TrainConfig,
    clips: Sequence[Any],
    corpus: Any,
    *,
    copy: int | None = None,
    cache_dir: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, FeatureSet]:
    """What a configuration's network gets of the clips, by input name; `copy` says of which of their changed copies.

    The cache asks a `Corpus` for the files of its clips; `Gathered` answers the same. See `load_features`.
    """
    return load_features(
        corpus,
        MODELS[config.model].inputs,
        form=config.form,
        audio=config.audio,
        features=config.features,
        clips=clips,
        copy=None if copy is None else ChangedCopy(copy, config.augmentation),
        cache_dir=cache_dir,
        progress=progress,
    )


class ClipTensors:
    """The whole corpus on the training device.

    Args:
        inputs: features of all clips by input name (`spectral`, `mel`, `whisper`).
        labels: index into `EMOTIONS` of each clip.
        form: with `variable`, a batch's clips are padded to a common length, and it carries each clip's own.
        votes: by each clip's raters for each of `EMOTIONS`, None for a clip that has none; without it, none has any.

    Attributes:
        taught: a teacher's probabilities of each clip, `[clips, 6]`, NaN where it wasn't asked; None without a teacher.
    """

    def __init__(
        self,
        inputs: dict[str, FeatureSet],
        labels: Sequence[int],
        form: Form,
        device: torch.device,
        votes: Sequence[Sequence[int] | None] = (),
    ):
        self.labels = torch.as_tensor(labels, device=device)
        self.heard = F.one_hot(self.labels, len(EMOTIONS)).float()
        for clip, counts in enumerate(votes):
            if counts and sum(counts):
                self.heard[clip] = torch.tensor(counts, device=device) / sum(counts)
        self.taught: Tensor | None = None
        self.device = device
        self.clips: dict[str, FeatureSet] = {}
        self.values: dict[str, Tensor] = {}
        self.lengths: dict[str, Tensor] = {}
        for name, features in inputs.items():
            if form == "variable":  # padded as they are needed: all of them, padded, would fill the memory
                self.clips[name], self.lengths[name] = features, torch.from_numpy(features.lengths)
            else:
                self.values[name] = torch.from_numpy(features.stack()).to(device)

    def parts(self, clips: Tensor) -> Sequence[Tensor]:
        """The clips of a batch, on a CPU in parts of similar lengths, which pad less than all of them together."""
        if not self.lengths or clips.device.type != "cpu":
            return [clips]
        return clips[self.shortest_first(clips)].tensor_split(min(PARTS, len(clips)))

    def shortest_first(self, clips: Tensor) -> Tensor:
        """Positions in `clips`, by the length of the clip; as they are where all have one length."""
        for lengths in self.lengths.values():
            return lengths[clips.cpu()].argsort(stable=True).to(clips.device)
        return torch.arange(len(clips), device=clips.device)

    def of_each(self, compute: Callable[..., Tensor], clips: Tensor, batch_size: int) -> Tensor:
        """What a network computes of each of these clips, in float32 and in their order: `[clips, …]`."""
        order = self.shortest_first(clips)  # clips of one length pad least
        found = torch.cat([compute(**self.batch(part)[0]).float() for part in clips[order].split(batch_size)])
        return found[order.argsort()]

    def soft_labels(self, clips: Tensor, share: float) -> Tensor:
        """Targets `[clips, 6]` that add up to 1: each clip's label, and a share of what its raters heard."""
        labels = F.one_hot(self.labels[clips], len(EMOTIONS)).float()
        return torch.lerp(labels, self.heard[clips], share)

    def learn_from(self, clips: Sequence[int], probabilities: Tensor) -> None:
        """Keep what a teacher says of the clips with these indices, `[clips, 6]`."""
        self.taught = torch.full_like(self.heard, torch.nan)
        self.taught[torch.as_tensor(clips, device=self.device)] = probabilities.to(self.taught)

    def targets(self, clips: Tensor, config: TrainConfig) -> Tensor:
        """What the clips with these indices are trained on: their labels `[clips]`, or soft labels `[clips, 6]`.

        The teacher, if there is one, has its share of the whole; of the rest, what raters heard has theirs.
        """
        taught = config.teacher != NO_TEACHER
        if not (taught or config.soft_labels):
            return self.labels[clips]
        target = self.soft_labels(clips, config.soft_labels)
        if not taught:
            return target
        assert self.taught is not None, "nobody has asked the teacher"
        return torch.lerp(target, self.taught[clips], config.teacher_share)

    def batch(self, clips: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Arguments for the network and labels of the clips with these indices."""
        arguments = {name: values[clips] for name, values in self.values.items()}
        for name, features in self.clips.items():
            batch = [torch.from_numpy(features[i]).transpose(0, -1) for i in clips.tolist()]
            arguments[name] = pad_sequence(batch, batch_first=True).transpose(1, -1).to(self.device)
            arguments[f"{name}_lengths"] = self.lengths[name][clips.cpu()].to(self.device)
        return arguments, self.labels[clips]
