"""Training samples a second: against a plain float32 PyTorch loop of the same networks, and what each measure gives.

All keep freed memory, as `train.py` does: a plain script would be slower yet. In mixed precision PyTorch's convolutions
are measured, too, so that what Winograd's give alone is seen.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch
from torch import nn

from ser_core.features.feature_set import FeatureSet
from ser_core.features.inputs import Form
from ser_core.models.layers import GroupNorm
from ser_core.models.registry import MODELS, build_model
from ser_core.models.winograd import Conv2d
from ser_core.training.allocator import keep_freed_memory
from ser_core.training.batches import ClipTensors
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device
from ser_core.training.trainer import Trainer

N_CLIPS = 64 * 10
ROUNDS = 3
WINOGRAD = "bf16 and Winograd"
SHAPES = {"spectral": (27, 301), "mel": (1, 64, 64)}
SPEECH_SECONDS, DEVIATION, LONGEST = 1.55, 0.39, 3.5  # of the corpus, without silence at both ends
FRAMES_A_SECOND = {"spectral": 100.0, "mel": 62.5}


class WholeBatches(ClipTensors):
    """Clips of different lengths in one part, padded to the longest."""

    def parts(self, clips: torch.Tensor) -> list[torch.Tensor]:
        return [clips]


class MaskedGroupNorm(GroupNorm):
    """Of a whole padded batch, with sums over a mask."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        return super().forward(x) if lengths is None else self._masked(x, lengths)


PLAIN = {Conv2d: nn.Conv2d, GroupNorm: MaskedGroupNorm}


def data(model: str, form: Form, kind: type[ClipTensors] = ClipTensors) -> ClipTensors:
    """Random features of the right shapes: the numbers don't change the speed."""
    rng = np.random.default_rng(0)
    seconds = rng.normal(SPEECH_SECONDS, DEVIATION, N_CLIPS).clip(0.2, LONGEST)
    inputs: dict[str, FeatureSet] = {}
    for name in MODELS[model].inputs:
        *channels, length = SHAPES[name]
        lengths = (seconds * FRAMES_A_SECOND[name]).astype(int) if form == "variable" else [length] * N_CLIPS
        inputs[name] = FeatureSet.join([rng.normal(size=(*channels, n)).astype(np.float32) for n in lengths])
    return kind(inputs, rng.integers(0, 6, N_CLIPS).tolist(), form, torch.device("cpu"))


def plain_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, clips: ClipTensors) -> float:
    """Seconds of the loop of a tutorial: float32, default memory layout, PyTorch's own layers and optimiser."""
    started = time.perf_counter()
    model.train()
    for batch in torch.randperm(N_CLIPS).split(64):
        inputs, labels = clips.batch(batch)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(**inputs), labels).backward()
        optimizer.step()
    return time.perf_counter() - started


def main() -> None:
    """Print samples a second of all, alternating, for each network."""
    keep_freed_memory()
    devices = {"fp32": Device.choose("cpu", "fp32")}
    if Device.choose("cpu").bf16:
        devices["bf16"] = Device.choose("cpu", "bf16", "pytorch")
        devices[WINOGRAD] = Device.choose("cpu", "bf16", "winograd")
    print(f"{torch.get_num_threads()} threads; median of {ROUNDS} alternating rounds of {N_CLIPS} clips, clips/s")
    rows: tuple[tuple[str, Form], ...] = (
        ("1d", "fixed"),
        ("2d", "fixed"),
        ("combined", "fixed"),
        ("combined", "variable"),
    )
    for name, form in rows:
        clips = data(name, form)
        config = TrainConfig(model=name, activation="silu", form=form, epochs=100)
        trainers = {
            label: Trainer(config, clips, range(N_CLIPS), range(1), device)
            for label, device in devices.items()
            if not device.winograd or name != "1d"
        }
        fastest = list(trainers)[-1]
        if form == "variable":  # the same without parts of similar lengths, and with group norm over a mask
            trainers["whole batches"] = Trainer(
                config, data(name, form, WholeBatches), range(N_CLIPS), range(1), devices[fastest]
            )
            for layer in trainers["whole batches"].model.modules():
                if type(layer) is GroupNorm:
                    layer.__class__ = MaskedGroupNorm
        plain = build_model(name, "silu")
        for layer in plain.modules():
            layer.__class__ = PLAIN.get(type(layer), type(layer))
        optimizer = torch.optim.Adam(plain.parameters(), lr=1e-3, weight_decay=1e-4)
        rounds = [
            [plain_epoch(plain, optimizer, clips), *(trainer.run_epoch().seconds for trainer in trainers.values())]
            for _ in range(ROUNDS)
        ]
        theirs, *others = (N_CLIPS / statistics.median(seconds) for seconds in zip(*rounds, strict=True))
        ours = dict(zip(trainers, others, strict=True))
        print(f"{name:8} {form:8}  plain {theirs:6.1f}", end="")
        for label, speed in ours.items():
            print(f"   {label} {speed:6.1f} ({speed / theirs:.2f} x)", end="")
        if WINOGRAD in ours:
            print(f"   Winograd alone {ours[WINOGRAD] / ours['bf16']:.2f} x", end="")
        if form == "variable":
            print(f"   parts alone {ours[fastest] / ours['whole batches']:.2f} x", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
