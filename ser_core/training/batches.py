"""The corpus on the training device, in batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ser_core.features.feature_set import FeatureSet
from ser_core.features.inputs import Form

PARTS = 3  # of a batch of clips of different lengths, on a CPU: fewer pad more, more keep the cores less busy


class ClipTensors:
    """The whole corpus on the training device.

    Args:
        inputs: features of all clips by input name (`spectral`, `mel`).
        labels: index into `EMOTIONS` of each clip.
        form: with `variable`, clips are padded to a common length and batches carry each clip's own.
    """

    def __init__(self, inputs: dict[str, FeatureSet], labels: Sequence[int], form: Form, device: torch.device):
        self.labels = torch.as_tensor(labels, device=device)
        self.values: dict[str, Tensor] = {}
        self.lengths: dict[str, Tensor] = {}
        for name, features in inputs.items():
            if form == "variable":
                lengths = torch.from_numpy(features.lengths)
                padded = [
                    F.pad(torch.from_numpy(features[i]), (0, int(lengths.max() - n))) for i, n in enumerate(lengths)
                ]
                self.values[name], self.lengths[name] = torch.stack(padded).to(device), lengths.to(device)
            else:
                self.values[name] = torch.from_numpy(features.stack()).to(device)

    def parts(self, clips: Tensor) -> Sequence[Tensor]:
        """The clips of a batch, on a CPU in parts of similar lengths, which pad less than all of them together."""
        if not self.lengths or clips.device.type != "cpu":
            return [clips]
        lengths = next(iter(self.lengths.values()))[clips]
        return clips[lengths.argsort()].tensor_split(min(PARTS, len(clips)))

    def batch(self, clips: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Arguments for the network and labels of the clips with these indices."""
        arguments = {name: values[clips] for name, values in self.values.items()}
        for name, all_lengths in self.lengths.items():
            lengths = all_lengths[clips]
            arguments[name] = arguments[name][..., : int(lengths.max())]
            arguments[f"{name}_lengths"] = lengths
        return arguments, self.labels[clips]
