"""Training samples a second, against a plain float32 PyTorch loop of the same networks."""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch
from torch import nn

from ser_core.dataset import FeatureSet
from ser_core.layers import Dropout
from ser_core.models import MODELS, build_model
from ser_core.train_config import TrainConfig
from ser_core.training import ClipTensors, Device, Trainer

N_CLIPS = 64 * 10
ROUNDS = 3
SHAPES = {"spectral": (27, 301), "mel": (1, 64, 64)}


def data(model: str) -> ClipTensors:
    """Random features of the right shapes: the numbers don't change the speed."""
    rng = np.random.default_rng(0)
    inputs = {}
    for name in MODELS[model].inputs:
        *channels, length = SHAPES[name]
        inputs[name] = FeatureSet.join(list(rng.normal(size=(N_CLIPS, *channels, length)).astype(np.float32)))
    return ClipTensors(inputs, rng.integers(0, 6, N_CLIPS).tolist(), "fixed", torch.device("cpu"))


def plain_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, clips: ClipTensors) -> float:
    """Seconds of the loop of a tutorial: float32, default memory layout, PyTorch's own dropout and optimiser."""
    started = time.perf_counter()
    model.train()
    for batch in torch.randperm(N_CLIPS).split(64):
        inputs, labels = clips.batch(batch)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(**inputs), labels).backward()
        optimizer.step()
    return time.perf_counter() - started


def main() -> None:
    """Print samples a second of both, alternating, for each network."""
    device = Device.choose("cpu")
    print(f"ours: {device.label}; median of {ROUNDS} alternating rounds of {N_CLIPS} clips")
    for name in ("1d", "2d", "combined"):
        clips = data(name)
        config = TrainConfig(model=name, activation="silu", epochs=100)
        trainer = Trainer(config, clips, range(N_CLIPS), range(1), device)
        plain = build_model(name, "silu")
        for layer in plain.modules():
            if isinstance(layer, Dropout):
                layer.__class__ = nn.Dropout
        optimizer = torch.optim.Adam(plain.parameters(), lr=1e-3, weight_decay=1e-4)
        ours_seconds, plain_seconds = [], []
        for _ in range(ROUNDS):
            plain_seconds.append(plain_epoch(plain, optimizer, clips))
            ours_seconds.append(trainer.run_epoch().seconds)
        ours, theirs = (N_CLIPS / statistics.median(seconds) for seconds in (ours_seconds, plain_seconds))
        print(f"{name:9} plain fp32 {theirs:6.1f}/s   ours {ours:6.1f}/s   ratio {ours / theirs:4.1f} x")


if __name__ == "__main__":
    main()
