"""One training run: schedule, loop, checkpointing, resume (report, section 5).

Every epoch is seeded on its own, so its shuffling and dropout don't depend on what ran before it: a run that was
killed and resumed has the same history as one that was not.
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser_core.dataset import FeatureSet, Form
from ser_core.errors import ConfigError, RunError
from ser_core.files import replace_file
from ser_core.models import build_model
from ser_core.train_config import TrainConfig, learning_rate
from ser_core.winograd import NUMERICS, Numerics, use_winograd

STATE_FILE = "state.safetensors"
SAVE_EVERY_SECONDS = 5.0  # epochs shorter than this are not saved one by one
PARTS = 3  # of a batch of clips of different lengths, on a CPU: fewer pad more, more keep the cores less busy

Precision = Literal["auto", "bf16", "fp32"]


class Epoch(NamedTuple):
    """One line of a run's history; losses are cross-entropies in nats, accuracies in 0..1."""

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Device:
    """Where and how the arithmetic is done.

    Attributes:
        device: CPU or CUDA.
        bf16: whether convolutions and matrix products run in bfloat16 (weights stay float32).
        winograd: whether convolutions are trained Winograd's way, see `ser_core.winograd`.
    """

    device: torch.device
    bf16: bool
    winograd: bool = False

    @staticmethod
    def choose(
        name: str = "auto", precision: Precision = "auto", numerics: Numerics | Literal["auto"] = "auto"
    ) -> Device:
        """The fastest choice: CUDA if there is one, bfloat16 where hardware multiplies it, and Winograd's way there.

        Raises:
            ConfigError: something was asked for that is not there.
        """
        if precision not in ("auto", "bf16", "fp32"):
            raise ConfigError(f"precision is auto, bf16 or fp32, not {precision!r}.")
        if numerics not in ("auto", *NUMERICS):
            raise ConfigError(f"numerics is auto, {' or '.join(NUMERICS)}, not {numerics!r}.")
        if name not in ("auto", "cpu", "cuda"):
            raise ConfigError(f"device is auto, cpu or cuda, not {name!r}.")
        if name == "cuda" and not torch.cuda.is_available():
            raise ConfigError("No CUDA device was found. Leave --device away to train on the CPU.")
        cuda = name != "cpu" and torch.cuda.is_available()
        # Without these instructions a CPU emulates bfloat16, slower than it computes float32.
        supported = torch.cuda.is_bf16_supported() if cuda else torch.cpu._is_avx512_bf16_supported()
        bf16 = supported if precision == "auto" else precision == "bf16"
        if numerics == "winograd" and (cuda or not bf16):
            raise ConfigError("Winograd's way is for bfloat16 on a CPU: leave --numerics away.")
        return Device(torch.device("cuda" if cuda else "cpu"), bf16, numerics != "pytorch" and bf16 and not cuda)

    @property
    def precision(self) -> str:
        """`bf16` or `fp32`, for records."""
        return "bf16" if self.bf16 else "fp32"

    @property
    def label(self) -> str:
        """Name of the hardware and the precision, for records."""
        if self.device.type == "cuda":
            return f"{torch.cuda.get_device_name(self.device)}, {self.precision}"
        threads = torch.get_num_threads()
        return f"{processor_name()}, {threads} thread{'s' * (threads > 1)}, {self.precision}"

    def autocast(self) -> AbstractContextManager:
        """Bfloat16 for what profits from it, if chosen."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def processor_name() -> str:
    """What the CPU calls itself, as `AMD EPYC`."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()  # starts a process to find out


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


class Trainer:
    """A run in progress: network, optimiser, history and the best weights so far.

    Args:
        config: what to train.
        data: all clips on `device`.
        train, val: indices of the clips in `data`.
        device: where and how.

    Attributes:
        numerics: which way convolutions go in training, see `ser_core.winograd`.
    """

    def __init__(
        self, config: TrainConfig, data: ClipTensors, train: Sequence[int], val: Sequence[int], device: Device
    ):
        self.config, self.data, self.device = config, data, device
        self.train_clips = torch.as_tensor(train, device=device.device)
        self.val_clips = torch.as_tensor(val, device=device.device)
        self.steps_per_epoch = math.ceil(len(train) / config.batch_size)
        torch.manual_seed(config.seed)
        self.model = build_model(config.model, config.activation, config.form).to(device.device)
        self.numerics = use_winograd(self.model, device.winograd)
        if config.model != "1d":
            self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.lr, weight_decay=config.weight_decay, fused=True
        )
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = self._weights()

    @property
    def best_epoch(self) -> Epoch | None:
        """The epoch with the lowest validation loss or the highest accuracy so far, whose weights `best` holds."""
        finite = [epoch for epoch in self.history if math.isfinite(epoch.val_loss)]
        if self.config.select == "accuracy":  # where that is equal, by the loss
            return max(finite, key=lambda epoch: (epoch.val_accuracy, -epoch.val_loss), default=None)
        return min(finite, key=lambda epoch: epoch.val_loss, default=None)

    @property
    def diverged(self) -> bool:
        """Whether the last loss is not a number: no later epoch can be better."""
        return bool(self.history) and not math.isfinite(self.history[-1].train_loss)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the run diverged."""
        return len(self.history) >= self.config.epochs or self.diverged

    def run_epoch(self, on_step: Callable[[int, Tensor, Tensor], None] | None = None) -> Epoch:
        """Train and validate once.

        Args:
            on_step: called after each step with the number of clips it took, the loss summed over this epoch's clips
                so far, and the number of them predicted right (tensors: reading them waits for the device).
        """
        started, number = time.perf_counter(), len(self.history) + 1
        torch.manual_seed(self.config.seed * 100_003 + number)
        order = self.train_clips[torch.randperm(len(self.train_clips)).to(self.train_clips.device)]
        loss_sum, right = (torch.zeros((), device=self.device.device) for _ in range(2))
        self.model.train()
        rate = 0.0
        for i, clips in enumerate(order.split(self.config.batch_size)):
            rate = learning_rate((number - 1) * self.steps_per_epoch + i, self.config, self.steps_per_epoch)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.zero_grad(set_to_none=True)
            for part in self.data.parts(clips):
                inputs, labels = self.data.batch(part)
                with self.device.autocast():
                    logits = self.model(**inputs).float()
                part_sum = F.cross_entropy(logits, labels, reduction="sum")
                (part_sum / len(clips)).backward()
                loss_sum += part_sum.detach()
                right += (logits.argmax(1) == labels).sum()
            self.optimizer.step()
            if on_step:
                on_step(len(clips), loss_sum, right)
        val_loss, val_accuracy = self._validate()
        n = len(self.train_clips)
        epoch = Epoch(
            number, rate, float(loss_sum) / n, float(right) / n, val_loss, val_accuracy, time.perf_counter() - started
        )
        self.history.append(epoch)
        if epoch is self.best_epoch:
            self.best = self._weights()
        return epoch

    def _validate(self) -> tuple[float, float]:
        """Loss and accuracy in float32, as the test set and users will get it."""
        logits = predict_logits(self.model, self.data, self.val_clips, full_precision(self.device))
        labels = self.data.labels[self.val_clips]
        return float(F.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).float().mean())

    def _weights(self) -> dict[str, Tensor]:
        return {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in self.model.state_dict().items()
        }

    def best_model(self) -> nn.Module:
        """The network with its best weights, for the test set."""
        self.model.load_state_dict(self.best)
        return self.model

    def save(self, folder: Path) -> None:
        """Write everything `load` needs to `folder`, atomically."""
        from safetensors.torch import save_file

        tensors = {f"model.{name}": value for name, value in self._weights().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{key}": value.detach().cpu().contiguous() for key, value in state.items()}
        metadata = {"config": json.dumps(asdict(self.config)), "history": json.dumps(self.history)}
        with replace_file(folder / STATE_FILE) as path:
            save_file(tensors, path, metadata)

    def load(self, folder: Path) -> None:
        """Go on where `save` left off.

        Raises:
            RunError: nothing was saved, it is damaged, or it belongs to other settings.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / STATE_FILE, "pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except FileNotFoundError:
            raise RunError(f"There is nothing to resume in {folder}: start without --resume.") from None
        except SafetensorError:
            raise RunError(f"{folder / STATE_FILE} is damaged. Start again without --resume.") from None
        saved = TrainConfig.from_dict(json.loads(metadata["config"]))
        if saved != self.config:
            changed = [key for key, value in vars(saved).items() if value != getattr(self.config, key)]
            raise RunError(
                f"{folder.name} was started with another {' and '.join(changed)}. Resume it with its own settings, "
                "or start again without --resume."
            )
        self.model.load_state_dict(_part(tensors, "model."))
        self.best = _part(tensors, "best.")
        self.history = [Epoch(*values) for values in json.loads(metadata["history"])]
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _part(tensors, "adam.").items():
            index, name = key.split(".")
            state.setdefault(int(index), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})


@torch.inference_mode()
def predict_logits(model: nn.Module, data: ClipTensors, clips: Tensor, device: Device, batch_size: int = 256) -> Tensor:
    """Logits `[clips, 6]` in float32 of the clips with these indices."""
    model.eval()
    with device.autocast():
        return torch.cat([model(**data.batch(part)[0]).float() for part in clips.split(batch_size)])


def full_precision(device: Device) -> Device:
    """The same hardware without bfloat16, as predictions are made."""
    return replace(device, bf16=False)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
