"""Training on changed copies, and of a pretrained network: what learns how fast, and what is stored."""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import Split
from ser_core.errors import CheckpointError
from ser_core.models.whisper import SIZES, WhisperEncoder
from ser_core.training.batches import ClipTensors
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.experiment import _storable_weights, run_experiment
from ser_core.training.mixup import mixup
from ser_core.training.trainer import Trainer
from tests.models.whisper_files import SMALL
from tests.training.small import CPU, TINY, tensors, trainer_for, without_times


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """A small encoder in the place of Whisper tiny's."""
    monkeypatch.setitem(SIZES, "whisper-tiny", SMALL)
    torch.manual_seed(5)
    state = WhisperEncoder(SMALL).state_dict()
    monkeypatch.setattr("ser_core.training.trainer.load_encoder", lambda name: state)
    return state


def small_config(**settings: Any) -> TrainConfig:
    usual = {"epochs": 3, "batch_size": 8, "copies": 0, "warmup_epochs": 0}
    return usual_config("whisper-tiny", **(usual | settings))


def network_of(trainer: Trainer) -> Any:
    return trainer.model


def test_a_pretrained_network_begins_with_its_encoder(published):
    trainer = trainer_for(small_config())
    for name, value in network_of(trainer).encoder.state_dict().items():
        torch.testing.assert_close(value, published[name])


def test_an_encoder_that_cannot_be_had_is_known_before_features_are_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: Corpus
):
    monkeypatch.setenv("SER_HUB", "http://127.0.0.1:9")
    monkeypatch.setenv("SER_ENCODERS_DIR", str(tmp_path / "encoders"))
    monkeypatch.setattr("ser_core.training.experiment.load_inputs", lambda *args, **named: pytest.fail("too early"))
    name = min(corpus.present)
    with pytest.raises(CheckpointError, match="could not be reached"):
        run_experiment(
            small_config(),
            corpus=corpus,
            device=CPU,
            runs_dir=tmp_path / "runs",
            checkpoints_dir=tmp_path / "checkpoints",
            split=Split("tiny", (name,), (name,), (name,)),
        )


def test_while_it_is_frozen_only_the_rest_learns(published):
    trainer = trainer_for(small_config(frozen_epochs=2))
    head = network_of(trainer).classifier[1].weight.clone()
    for frozen in (True, True, False):
        trainer.run_epoch()
        now = network_of(trainer).encoder.blocks[0].up.weight
        assert torch.equal(now, published["blocks.0.up.weight"]) == frozen
    assert not torch.equal(network_of(trainer).classifier[1].weight, head)


def test_lower_layers_learn_slower(published):
    trainer = trainer_for(small_config(lr=1e-4, head_lr=1e-2, layer_decay=0.5, min_lr_factor=1.0))
    trainer.run_epoch()
    rates = {id(p): group["lr"] for group in trainer.optimizer.param_groups for p in group["params"]}
    model = network_of(trainer)
    assert rates[id(model.classifier[1].weight)] == pytest.approx(1e-2)
    assert rates[id(model.encoder.blocks[1].up.weight)] == pytest.approx(1e-4)
    assert rates[id(model.encoder.blocks[0].up.weight)] == pytest.approx(5e-5)


def test_resuming_a_pretrained_network_changes_nothing(published, tmp_path):
    whole = trainer_for(small_config(frozen_epochs=1, spec_augment=2))
    while not whole.finished:
        whole.run_epoch()
    for _ in range(3):
        part = trainer_for(whole.config)
        if (tmp_path / "state.safetensors").exists():
            part.load(tmp_path)
        part.run_epoch()
        part.save(tmp_path)
    assert without_times(part.history) == without_times(whole.history)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(part.model.state_dict()[name], value), name


def test_a_pretrained_network_is_stored_in_16_bits(published):
    trainer = trainer_for(small_config())
    trainer.run_epoch()
    large = {name: value for name, value in _storable_weights(trainer, trainer.best).items() if value.numel() >= 10_000}
    assert large
    assert {value.dtype for value in large.values()} == {torch.float16}


def noted(asked: list[tuple[int, int]], i: int, batch: Callable, clips: Tensor) -> Any:
    asked.append((i, int(clips.max())))
    return batch(clips)


def test_an_epoch_is_trained_on_the_next_copy(monkeypatch: pytest.MonkeyPatch):
    config = replace(TINY, epochs=3)
    copies = [tensors(config) for _ in range(2)]
    trainer = Trainer(config, tensors(config), range(18), range(18, 24), CPU, copies)
    asked: list[tuple[int, int]] = []
    for i, copy in enumerate(copies):
        monkeypatch.setattr(copy, "batch", functools.partial(noted, asked, i, copy.batch))
    for expected in (0, 1, 0):
        asked.clear()
        trainer.run_epoch()
        assert {i for i, _ in asked} == {expected}
        assert max(last for _, last in asked) == 17


def test_mixup_adds_up_clips_and_targets():
    torch.manual_seed(0)
    labels = torch.tensor([0, 3, 5])
    values = torch.stack([torch.full((27, 4), float(label)) for label in labels])
    mixed, targets = mixup({"spectral": values, "spectral_lengths": torch.tensor([4, 4, 4])}, labels, 1.0)
    torch.testing.assert_close(targets.sum(1), torch.ones(3))
    torch.testing.assert_close(mixed["spectral"][:, 0, 0], targets @ torch.arange(6.0))
    assert ((targets > 0).sum(1) == 2).any()
    assert mixed["spectral_lengths"].tolist() == [4, 4, 4]


def test_mixup_of_soft_labels_adds_them_up():
    soft = torch.tensor([[0.5, 0.5, 0, 0, 0, 0], [0, 0, 0, 0, 0.2, 0.8]])
    mixed, targets = mixup({"spectral": soft}, soft, 1.0)
    torch.testing.assert_close(targets, mixed["spectral"])


def test_soft_labels_are_what_raters_heard():
    data = ClipTensors({}, [0, 1, 2], "fixed", torch.device("cpu"), [(5, 0, 0, 0, 15, 0), (0,) * 6, None])
    targets = data.soft_labels(torch.tensor([2, 0, 1]), 0.4)
    expected = [[0, 0, 1, 0, 0, 0], [0.7, 0, 0, 0, 0.3, 0], [0, 1, 0, 0, 0, 0]]
    torch.testing.assert_close(targets, torch.tensor(expected))


@pytest.mark.parametrize(
    "settings", [{"label_smoothing": 0.2}, {"soft_labels": 0.5}, {"mixup": 1.0}, {"spec_augment": 3}]
)
def test_what_makes_training_harder_is_seen_in_its_loss_alone(settings):
    """The history's losses are cross-entropies of the true label: those of the first step are not smoothed."""
    plain, harder = trainer_for(TINY), trainer_for(replace(TINY, **settings))
    first, other = plain.run_epoch(), harder.run_epoch()
    assert first.train_loss != other.train_loss
    assert other.val_loss == pytest.approx(first.val_loss, abs=0.3)
