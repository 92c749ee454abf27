"""What weights in 8 bits instead of 16 would change: size, labels and probabilities of each checkpoint.

Each large tensor is rounded to 255 steps for each of its output channels, and computed with in 32 bits as ever: on the
shared clips of CREMA-D's test part.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.robustness import shared_clips
from ser_core.emotions import EMOTIONS
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.records.weights import HALF_MIN_ELEMENTS
from ser_core.serving.predictor import Predictor

STEPS = 127  # to either side of zero


def rounded(weight: Tensor) -> Tensor:
    """The nearest values that 8 bits and a scale for each output channel can say."""
    scale = weight.abs().flatten(1).amax(1).clamp(min=1e-12).view(-1, *[1] * (weight.ndim - 1)) / STEPS
    return (weight / scale).round() * scale


def in_8_bits(model: nn.Module) -> tuple[nn.Module, float]:
    """A copy with its large tensors rounded, and its size in MB."""
    model, n_bytes = copy.deepcopy(model), 0
    for name, value in model.state_dict().items():
        large = value.numel() >= HALF_MIN_ELEMENTS and value.ndim > 1
        n_bytes += value.numel() + 4 * len(value) if large else 4 * value.numel()
        if large:
            value.copy_(rounded(value))
        assert torch.isfinite(value).all(), name
    return model, n_bytes / 1e6


def answers(predictor: Predictor, waveforms: list[np.ndarray]) -> np.ndarray:
    """Probabilities `[clips, 6]`."""
    return np.array([list(predictor.classify(w, any_sound=True).probabilities.values()) for w in waveforms])


def main() -> None:
    """Print a line a checkpoint."""
    clips, waveforms = shared_clips()
    targets = np.array([EMOTIONS.index(clip.emotion) for clip in clips])
    for name in list_checkpoints(checkpoints_dir()):
        predictor = Predictor.load(name)
        model, megabytes = in_8_bits(predictor.model)
        stored = (checkpoints_dir() / name / "model.safetensors").stat().st_size / 1e6
        before, after = answers(predictor, waveforms), answers(Predictor(predictor.config, model), waveforms)
        same = (before.argmax(1) == after.argmax(1)).mean()
        right = [(p.argmax(1) == targets).mean() for p in (before, after)]
        print(
            f"{name:26} {stored:.1f} MB now, {megabytes:.1f} MB in 8 bits: same label {same:.1%}, largest change of a "
            f"probability {abs(before - after).max():.3f}, accuracy {right[0]:.1%} and {right[1]:.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
