"""The classifier of a trained network is fitted anew, by logistic regression on embeddings of the training clips.

What a network learns while all of it changes seems to fit the training clips too well, its last layers most of all.
Fitted again on embeddings that stand still, with a penalty that keeps weights small, they hear other recordings better
("last layer re-training", Kirichenko et al. 2023). These are embeddings of the clips as they are and, with
`refit_crop`, of a changed copy of each, many of which are cut: whisper-base's classifier, fitted to whole sentences
alone, took most beginnings of one for fear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError
from ser_core.models.network import Network
from ser_core.models.registry import build_model
from ser_core.training.batches import ClipTensors
from ser_core.training.config import TrainConfig
from ser_core.training.embedding import embed
from ser_core.training.trainer import Trainer
from ser_core.training.watching import Watcher

MOST_STEPS = 1000  # of the optimiser, which needs about 100
NEVER = -100.0  # logit of an emotion that no clip has


def check_refit(config: TrainConfig) -> None:
    """Look whether a linear map can take the place of a network's classifier.

    Raises:
        ConfigError: it can't.
    """
    model = build_model(config.model, config.activation, config.form, config.features, config.network)
    assert isinstance(model, Network)
    _layers(model.classifier)


def changed_for_refit(config: TrainConfig) -> list[TrainConfig]:
    """The same run with its clips changed as in each copy that its classifier is fitted to: one, or none."""
    if not (config.refit and config.refit_crop):
        return []
    return [replace(config, augmentation=replace(config.augmentation, crop=config.refit_crop))]


def refitted(trainer: Trainer, watchers: Sequence[Watcher], copies: Sequence[ClipTensors] = ()) -> dict[str, Tensor]:
    """A trained network's best weights, with a classifier that is fitted anew to the training clips as they are.

    Args:
        trainer: has trained it.
        watchers: are told.
        copies: of the training clips, in their order, which count as much as they do.
    """
    for watcher in watchers:
        also = ", and to a changed copy of each" if copies else ""
        watcher.says(f"The classifier is fitted anew to the training clips as they are{also}.")
    model, clips = trainer.model, trainer.train_clips
    assert isinstance(model, Network)
    model.load_state_dict(trainer.best)
    everyone = torch.arange(len(clips), device=clips.device)  # a copy has the training clips alone
    embeddings = [embed(model, trainer.data, clips), *(embed(model, copy, everyone) for copy in copies)]
    labels = trainer.data.labels[clips].cpu().repeat(len(embeddings))
    put_in(model.classifier, *logistic_regression(torch.cat(embeddings).numpy(), labels.numpy(), trainer.config.refit))
    return trainer.weights(model)


def logistic_regression(embeddings: np.ndarray, labels: np.ndarray, penalty: float) -> tuple[Tensor, Tensor]:
    """The linear map that makes the labels likeliest.

    Args:
        embeddings: `[clips, width]`.
        labels: index into `EMOTIONS` of each, `[clips]`; one that doesn't occur is never answered.
        penalty: L2, half of it times the squared weights is added to the mean loss of a clip; > 0.

    Returns:
        weights `[6, width]` and bias `[6]`, float32.

    Raises:
        ConfigError: all labels are the same.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) < 2:
        raise ConfigError("refit needs training clips of two emotions or more.")
    model = LogisticRegression(C=1 / (penalty * len(labels)), max_iter=MOST_STEPS)
    model.fit(embeddings.astype(np.float64), labels)
    weight, bias = torch.zeros(len(EMOTIONS), embeddings.shape[1]), torch.full((len(EMOTIONS),), NEVER)
    bias[model.classes_] = 0.0
    heard = model.classes_[-len(model.coef_) :]  # of two emotions, the first one's logit is 0
    weight[heard], bias[heard] = torch.from_numpy(model.coef_).float(), torch.from_numpy(model.intercept_).float()
    return weight, bias


@torch.no_grad()
def put_in(classifier: nn.Module, weight: Tensor, bias: Tensor) -> None:
    """Let a classifier compute this linear map, exactly.

    Its layers stay as they are. Where there is a hidden one, `f(x) - f(-x) = x` for ReLU, SiLU, GELU and Swish: so
    twelve of its units carry the map and its negative, and their differences are the six results.

    Raises:
        ConfigError: its activation function is another one, or it has other layers.
    """
    first, second = _layers(classifier)
    if second is None:
        first.weight.copy_(weight)
        first.bias.copy_(bias)
        return
    n = len(EMOTIONS)
    for parameter in (*first.parameters(), *second.parameters()):
        parameter.zero_()
    first.weight[: 2 * n] = torch.cat((weight, -weight))
    first.bias[: 2 * n] = torch.cat((bias, -bias))
    second.weight[:, : 2 * n] = torch.cat((torch.eye(n), -torch.eye(n)), dim=1)


def _layers(classifier: nn.Module) -> tuple[nn.Linear, nn.Linear | None]:
    """A classifier's linear layers, of which the second may be missing."""
    modules = [module for module in classifier.modules() if not isinstance(module, (nn.Sequential, nn.Dropout))]
    match modules:
        case [nn.Linear() as only]:
            return only, None
        case [nn.Linear() as first, activation, nn.Linear() as second] if len(first.weight) >= 2 * len(EMOTIONS):
            x = torch.linspace(-5, 5, 101, device=first.weight.device)
            if torch.allclose(activation(x) - activation(-x), x, atol=1e-5):
                return first, second
    raise ConfigError(
        "refit is for classifiers of one linear layer, or of two with relu, silu, gelu or swish between them."
    )
