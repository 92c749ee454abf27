"""One training run: schedule, loop, checkpointing, resume (report, section 5).

Every epoch is seeded on its own, so its shuffling and dropout don't depend on what ran before it: a run that was
killed and resumed has the same history as one that was not.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser_core.errors import RunError
from ser_core.files import replace_file
from ser_core.models.pretrained import load_encoder
from ser_core.models.registry import MODELS, build_model
from ser_core.models.winograd import use_winograd
from ser_core.records.runs import Epoch
from ser_core.training.batches import ClipTensors
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device, full_precision
from ser_core.training.mixup import mixup
from ser_core.training.saved_state import DIGEST, RESTART, STATE_FILE, damaged, digest, read_state
from ser_core.training.schedule import learning_rate
from ser_core.training.spec_augment import spec_augment

SAVE_EVERY_SECONDS = 5.0  # epochs shorter than this are not saved one by one
EMA_BEGINS = 10  # first steps, of which the average of weights forgets more: they begin at random
LARGEST_GRADIENT = 1.0  # norm of all gradients of a step with AdamW, so that no batch undoes what is known


class Trainer:
    """A run in progress: network, optimiser, history and the best weights so far.

    Args:
        config: what to train.
        data: all clips on `device`.
        train, val: indices of the clips in `data`.
        device: where and how.
        copies: changed copies of the training clips, each in the order of `train`; if there are any, it is trained on
            them instead, on one an epoch in turn.

    Attributes:
        numerics: which way convolutions go in training, see `ser_core.models.winograd`.
        average: the network with the running average of weights; None where there is none.
    """

    def __init__(
        self,
        config: TrainConfig,
        data: ClipTensors,
        train: Sequence[int],
        val: Sequence[int],
        device: Device,
        copies: Sequence[ClipTensors] = (),
    ):
        self.config, self.data, self.device, self.copies = config, data, device, copies
        self.train_clips = torch.as_tensor(train, device=device.device)
        self.val_clips = torch.as_tensor(val, device=device.device)
        self.steps_per_epoch = math.ceil(len(train) / config.batch_size)
        torch.manual_seed(config.seed)
        self.model = build_model(config.model, config.activation, config.form, config.features, config.network).to(
            device.device
        )
        self.numerics = use_winograd(self.model, device.winograd)
        if MODELS[config.model].takes_images:
            self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pretrained, self.adamw = MODELS[config.model].pretrained, MODELS[config.model].adamw
        if self.pretrained:
            self.model.encoder.load_state_dict(load_encoder(config.model))  # type: ignore[union-attr]
        self.optimizer, self.rates = make_optimizer(self.model, config)
        self.average = copy.deepcopy(self.model).requires_grad_(False) if config.ema else None
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = self.weights()

    @property
    def kept(self) -> nn.Module:
        """The network that is validated, and whose weights are kept."""
        return self.model if self.average is None else self.average

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
        data, train = self.data, self.train_clips
        if self.copies:
            data, train = self.copies[(number - 1) % len(self.copies)], torch.arange(len(train), device=train.device)
        order = train[torch.randperm(len(train)).to(train.device)]
        loss_sum, right = (torch.zeros((), device=self.device.device) for _ in range(2))
        self.model.train()
        if self.pretrained:
            self.model.encoder.requires_grad_(number > self.config.frozen_epochs)
        rate = 0.0
        for i, clips in enumerate(order.split(self.config.batch_size)):
            step = (number - 1) * self.steps_per_epoch + i
            rate = learning_rate(step, self.config, self.steps_per_epoch)
            for group, share in zip(self.optimizer.param_groups, self.rates, strict=True):
                group["lr"] = share * rate
            self.optimizer.zero_grad(set_to_none=True)
            for part in data.parts(clips):
                inputs, labels = data.batch(part)
                inputs, target = self._made_harder(inputs, data.targets(part, self.config))
                with self.device.autocast():
                    logits = self.model(**inputs).float()
                loss = F.cross_entropy(logits, target, reduction="sum", label_smoothing=self.config.label_smoothing)
                (loss / len(clips)).backward()
                loss_sum += F.cross_entropy(logits.detach(), labels, reduction="sum")
                right += (logits.argmax(1) == labels).sum()
            if self.adamw:
                nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
            self.optimizer.step()
            if self.average is not None:
                move_average(self.average, self.model, min(self.config.ema, (1 + step) / (EMA_BEGINS + step)))
            if on_step:
                on_step(len(clips), loss_sum, right)
        val_loss, val_accuracy = self._validate()
        n = len(self.train_clips)
        epoch = Epoch(
            number, rate, float(loss_sum) / n, float(right) / n, val_loss, val_accuracy, time.perf_counter() - started
        )
        self.history.append(epoch)
        if epoch is self.best_epoch:
            self.best = self.weights()
        return epoch

    def _made_harder(self, inputs: dict[str, Tensor], target: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What the network gets of a part of a training batch, and the target of the loss."""
        if self.config.spec_augment:
            inputs = spec_augment(inputs, self.config.spec_augment)
        if self.config.mixup:
            return mixup(inputs, target, self.config.mixup)
        return inputs, target

    def _validate(self) -> tuple[float, float]:
        """Loss and accuracy in float32, as the test set and users will get it."""
        logits = predict_logits(self.kept, self.data, self.val_clips, full_precision(self.device))
        return loss_and_accuracy(logits, self.data.labels[self.val_clips])

    def weights(self, model: nn.Module | None = None) -> dict[str, Tensor]:
        """Those of a network, or of the one that is kept, copied as files have them: contiguous, on the CPU."""
        return {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in (model or self.kept).state_dict().items()
        }

    @property
    def _arithmetic(self) -> str:
        convolutions = "Winograd's" if self.numerics == "winograd" else "PyTorch's"
        return f"{self.device.precision} with {convolutions} convolutions"

    def save(self, folder: Path) -> None:
        """Write everything `load` needs to `folder`, atomically."""
        from safetensors.torch import save_file

        tensors = {f"model.{name}": value for name, value in self.weights(self.model).items()}
        if self.average is not None:
            tensors |= {f"average.{name}": value for name, value in self.weights(self.average).items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{key}": value.detach().cpu().contiguous() for key, value in state.items()}
        metadata = {
            "config": json.dumps(asdict(self.config)),
            "history": json.dumps([astuple(epoch) for epoch in self.history]),
            "arithmetic": self._arithmetic,
        }
        with replace_file(folder / STATE_FILE) as path:
            save_file(tensors, path, metadata | {DIGEST: digest(metadata, tensors)})

    def load(self, folder: Path) -> None:
        """Go on where `save` left off.

        Raises:
            RunError: nothing was saved, it is damaged, or it belongs to other settings or another arithmetic.
        """
        from safetensors import safe_open

        saved, history, begun = read_state(folder)
        if saved != self.config:
            changed = [key for key, value in vars(saved).items() if value != getattr(self.config, key)]
            raise RunError(
                f"{folder.name} was started with another {' and '.join(changed)}. Resume it with its own settings, "
                f"or start over with {RESTART}."
            )
        if (begun or self._arithmetic) != self._arithmetic:  # the record says one for all epochs
            raise RunError(
                f"{folder.name} was begun in {begun}, and would go on in {self._arithmetic}. Resume it as it was begun "
                f"(see --device, --precision and --numerics), or start over with {RESTART}."
            )
        with safe_open(folder / STATE_FILE, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata()
        if metadata.pop(DIGEST, None) not in (None, digest(metadata, tensors)):
            raise damaged(folder)
        state: dict[int, dict[str, Tensor]] = {}
        try:
            for key, value in _part(tensors, "adam.").items():
                index, name = key.split(".")
                state.setdefault(int(index), {})[name] = value
            self.best = _part(tensors, "best.")
            self.model.load_state_dict(self.best)  # that they fit, too
            self.model.load_state_dict(_part(tensors, "model."))
            if self.average is not None:
                self.average.load_state_dict(_part(tensors, "average."))
            self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        except (RuntimeError, ValueError, KeyError):
            raise damaged(folder) from None
        self.history = history


def make_optimizer(model: nn.Module, config: TrainConfig) -> tuple[torch.optim.Optimizer, list[float]]:
    """Adam, as in the report, or AdamW; the layers of a pretrained network learn the slower the lower they are.

    Returns:
        the optimiser, and the learning rate of each of its groups relative to the configuration's.
    """
    if not MODELS[config.model].pretrained:
        kind = torch.optim.AdamW if MODELS[config.model].adamw else torch.optim.Adam
        return kind(model.parameters(), lr=config.lr, weight_decay=config.weight_decay, fused=True), [1.0]
    groups = model.rate_groups(config.head_lr / config.lr, config.layer_decay)  # type: ignore[operator]
    parameters = [{"params": parameters} for parameters, _ in groups]
    optimizer = torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)
    return optimizer, [share for _, share in groups]


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move a network's weights, and what it has counted, towards another's: `decay` of what they were is left."""
    for old, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Of logits `[clips, 6]` and the labels of these clips."""
    return float(F.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).float().mean())


@torch.inference_mode()
def predict_logits(model: nn.Module, data: ClipTensors, clips: Tensor, device: Device, batch_size: int = 32) -> Tensor:
    """Logits `[clips, 6]` in float32 of the clips with these indices."""
    model.eval()
    with device.autocast():
        return data.of_each(model, clips, batch_size)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
