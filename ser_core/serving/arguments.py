"""From speech to what a checkpoint's network is called with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ser_core.features.inputs import network_inputs
from ser_core.models.registry import MODELS
from ser_core.records.checkpoints import CheckpointConfig


def inputs_of(waveform: np.ndarray, config: CheckpointConfig) -> dict[str, np.ndarray]:
    """What the network gets for speech, float32 `[samples]`, see `ser_core.features.inputs.network_inputs`."""
    return network_inputs(waveform, MODELS[config.model].inputs, config.form, config.features)


def arguments_of(waveforms: Sequence[np.ndarray], config: CheckpointConfig) -> dict[str, Tensor]:
    """A batch for the network."""
    arrays = [inputs_of(waveform, config) for waveform in waveforms]
    arguments: dict[str, Tensor] = {}
    for name in arrays[0]:
        clips = [torch.from_numpy(array[name]) for array in arrays]
        if config.form == "variable":
            arguments[f"{name}_lengths"] = lengths = torch.tensor([clip.shape[-1] for clip in clips])
            clips = [nn.functional.pad(clip, (0, int(lengths.max()) - clip.shape[-1])) for clip in clips]
        arguments[name] = torch.stack(clips)
    return arguments
