"""How long training will take on this machine: multiplications to do, over the speed at which it does them.

The speed comes from recorded runs on the same device where there are any, from those of the same network first, and
from a few training steps otherwise. Networks of other shapes run at other speeds: expect a factor of two.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from functools import cache
from statistics import median

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ser_core.corpus.splits import load_split
from ser_core.features.config import FeatureConfig
from ser_core.features.contours import CONTOURS
from ser_core.features.inputs import Form
from ser_core.features.whisper import N_MELS
from ser_core.models.config import NetworkConfig
from ser_core.models.registry import MODELS, build_model
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device

TYPICAL_FRAMES = 260  # of 10 ms, of a padded batch of whole clips (form `variable`)
PROBE_SECONDS = 2.0
PROBE_BATCH = 16
FEWEST_EPOCHS = 3  # of a record that says how long one takes: the first is slow

Key = tuple[str, Form]
PROBE = TrainConfig(model="1d")


def training_flops(config: TrainConfig) -> int:
    """Floating-point operations of one training step on one clip, forward and backward."""
    return _training_flops(config.model, config.form, config.features, config.network)


@cache
def _training_flops(model: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> int:
    with torch.device("meta"):
        of_these = build_model(model, "relu", form, features, network)
        inputs = _inputs(model, form, features, 1)
    with FlopCounterMode(display=False) as counter:
        of_these(**inputs).sum().backward()
    return counter.get_total_flops()


class Estimator:
    """Predicts training times.

    Args:
        runs: recorded before; those on other hardware, with other numerics, or too short to tell are left out.
        device: what training would run on.

    Attributes:
        measured: whether any record of this device was found.
    """

    def __init__(self, runs: Iterable[Run], device: Device):
        self.device = device
        speeds: dict[Key, list[float]] = {}
        for run in runs:
            key = (run.train.model, run.train.form)
            seconds = run.history["seconds"]
            long_enough = len(seconds) >= FEWEST_EPOCHS
            if run.environment.device == device.label and _is_trained_so(run, device) and long_enough:
                clips = run.environment.clips.train
                speeds.setdefault(key, []).append(training_flops(run.train) * clips / max(median(seconds), 1e-9))
        self.measured = bool(speeds)
        self.speeds = {key: median(values) for key, values in speeds.items()}

    def epoch_seconds(self, config: TrainConfig) -> float:
        """Time of one epoch."""
        speed = self._speed((config.model, config.form))
        return training_flops(config) * len(load_split(config.split).train) / speed

    def _speed(self, key: Key) -> float:
        if not self.speeds:
            self.speeds[PROBE.model, PROBE.form] = _probe(self.device)
        return self.speeds.get(key) or median(self.speeds.values())


def _is_trained_so(run: Run, device: Device) -> bool:
    """Whether a run's convolutions were trained the way that this device would take."""
    if not MODELS[run.train.model].takes_images:
        return True
    return (run.environment.numerics == "winograd") == device.winograd


def _probe(device: Device) -> float:
    """Floating-point operations a second of a few training steps of the smallest network."""
    model = build_model(PROBE.model, "relu", PROBE.form).to(device.device)
    inputs = _inputs(PROBE.model, PROBE.form, PROBE.features, PROBE_BATCH, device.device)
    labels = torch.zeros(PROBE_BATCH, dtype=torch.int64, device=device.device)
    _step(model, inputs, labels, device)
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < PROBE_SECONDS:
        _step(model, inputs, labels, device)
        steps += 1
    return training_flops(PROBE) * PROBE_BATCH * steps / (time.perf_counter() - started)


def _step(model: nn.Module, inputs: dict[str, torch.Tensor], labels: torch.Tensor, device: Device) -> None:
    with device.autocast():
        loss = F.cross_entropy(model(**inputs).float(), labels)
    loss.backward()
    assert loss.item() < math.inf  # waits for the device


def _inputs(
    model: str, form: str, features: FeatureConfig, n: int, device: torch.device | None = None
) -> dict[str, torch.Tensor]:
    channels = len(features.channel_names)
    of_form = {"fixed": (channels, features.n_frames), "variable": (channels, TYPICAL_FRAMES), "mean": (1, channels)}
    width = (
        TYPICAL_FRAMES * features.hop_length // features.mel_hop_length if form == "variable" else features.image_size
    )
    shapes: dict[str, tuple[int, ...]] = {
        "spectral": (n, *of_form[form]),
        "mel": (n, 1 + len(features.mel_windows), features.n_mels, width),
        "whisper": (n, N_MELS, TYPICAL_FRAMES),
        "contours": (n, len(CONTOURS), width),
    }
    return {name: torch.zeros(shapes[name], device=device) for name in MODELS[model].inputs}
