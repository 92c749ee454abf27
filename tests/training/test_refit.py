"""A classifier that is fitted anew, by logistic regression on embeddings of the training clips as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import load_split
from ser_core.errors import ConfigError
from ser_core.models.network import Network
from ser_core.models.swish import Swish
from ser_core.models.whisper import SIZES, WhisperEncoder
from ser_core.records.runs import load_run, read_config
from ser_core.serving.predictor import Predictor
from ser_core.training import experiment
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.embedding import embed
from ser_core.training.experiment import run_experiment
from ser_core.training.refit import NEVER, check_refit, logistic_regression, put_in, refitted
from ser_core.training.trainer import Trainer
from tests.models.whisper_files import SMALL
from tests.training.small import CPU, TINY, tensors, trainer_for

WIDTH = 9


def some_clips(labels: np.ndarray) -> np.ndarray:
    """Embeddings of clips that lie around a centre of their emotion."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(6, WIDTH))[labels] + rng.normal(size=(len(labels), WIDTH))).astype(np.float32)


def loss_of(embeddings: np.ndarray, labels: np.ndarray, penalty: float, weight, bias) -> float:
    logits = torch.from_numpy(embeddings) @ weight.T + bias
    return float(F.cross_entropy(logits, torch.from_numpy(labels)) + penalty / 2 * weight.square().sum())


def test_no_other_linear_map_has_a_lower_loss():
    labels = np.arange(120) % 6
    clips = some_clips(labels)
    weight, bias = logistic_regression(clips, labels, 0.2)
    best = loss_of(clips, labels, 0.2, weight, bias)
    generator = torch.Generator().manual_seed(1)
    for size in (0.3, 0.03, 0.01):
        for _ in range(20):
            other = weight + size * torch.randn(weight.shape, generator=generator)
            assert loss_of(clips, labels, 0.2, other, bias) > best
    assert logistic_regression(clips, labels, 2.0)[0].norm() < weight.norm()


@pytest.mark.parametrize("present", [(0, 2, 5), (1, 4)])
def test_an_emotion_that_no_clip_has_is_never_answered(present: tuple[int, ...]):
    labels = np.array(present * 20)
    clips = some_clips(labels)
    weight, bias = logistic_regression(clips, labels, 0.1)
    absent = [i for i in range(6) if i not in present]
    assert (bias[absent] == NEVER).all()
    answers = (torch.from_numpy(clips) @ weight.T + bias).argmax(1).numpy()
    assert (answers == labels).mean() > 0.7


def test_one_emotion_is_too_few():
    with pytest.raises(ConfigError, match="two emotions or more"):
        logistic_regression(some_clips(np.zeros(5, int)), np.zeros(5, int), 0.1)


@pytest.mark.parametrize("activation", [None, nn.ReLU(), nn.SiLU(), nn.GELU(), Swish()])
def test_a_classifier_computes_the_map_exactly(activation: nn.Module | None):
    hidden = [nn.Linear(WIDTH, 12), activation, nn.Dropout(0.3), nn.Linear(12, 6)]
    classifier = nn.Sequential(nn.Dropout(0.3), *(hidden if activation else [nn.Linear(WIDTH, 6)])).eval()
    weight, bias, x = torch.randn(6, WIDTH), torch.randn(6), torch.randn(50, WIDTH)
    put_in(classifier, weight, bias)
    torch.testing.assert_close(classifier(x), x @ weight.T + bias, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("model", ["2d", "resnet101", "conformer", "whisper-tiny"])
def test_files_can_hold_what_is_fitted_anew(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Convolutions of images are trained with channels last, which no file takes."""
    monkeypatch.setitem(SIZES, "whisper-tiny", SMALL)
    monkeypatch.setattr("ser_core.training.trainer.load_encoder", lambda name: WhisperEncoder(SMALL).state_dict())
    config = usual_config(model, activation="silu", epochs=1, copies=0, batch_size=8, refit=0.1)
    check_refit(config)
    weights = refitted(trainer_for(config), [])
    save_file(weights, tmp_path / "weights.safetensors")
    assert load_file(tmp_path / "weights.safetensors").keys() == trainer_for(config).model.state_dict().keys()


def test_a_classifier_of_more_layers_is_refused():
    with pytest.raises(ConfigError, match="one linear layer, or of two"):
        check_refit(replace(TINY, model="combined", refit=0.1))


@pytest.mark.parametrize("activation", ["elu", "mish"])
def test_a_hidden_layer_needs_an_activation_that_can_carry_it(activation: str):
    with pytest.raises(ConfigError, match="relu, silu, gelu or swish"):
        check_refit(replace(TINY, model="whisper-tiny", form="variable", activation=activation, refit=0.1))


def test_embeddings_stand_in_the_order_of_the_clips_whatever_their_lengths():
    config = replace(TINY, form="variable")
    trainer, clips = trainer_for(config), torch.tensor([5, 0, 17, 3, 11])
    model, data = trainer.model, trainer.data
    assert isinstance(model, Network)
    together = embed(model, data, clips, batch_size=2)
    assert len({int(data.lengths["spectral"][clip]) for clip in clips}) == len(clips)
    for clip, found in zip(clips, together, strict=True):
        torch.testing.assert_close(embed(model, data, clip[None])[0], found, atol=1e-5, rtol=1e-5)


def test_all_but_the_classifier_is_as_it_was_trained():
    trainer = trainer_for(replace(TINY, epochs=1, refit=0.1))
    trainer.run_epoch()
    before = trainer.best
    after = refitted(trainer, [])
    changed = [name for name, value in after.items() if not torch.equal(value, before[name])]
    assert changed == ["classifier.1.weight", "classifier.1.bias"]


def test_it_is_fitted_to_the_clips_as_they_are_and_not_to_their_copies():
    config = replace(TINY, epochs=1, refit=0.1)
    data = tensors(config)
    trainer = Trainer(config, data, range(18), range(18, 24), CPU)
    trainer.run_epoch()
    weights = refitted(trainer, [])
    model = trainer.model
    assert isinstance(model, Network)
    clips = embed(model, data, torch.arange(18)).numpy()
    weight, bias = logistic_regression(clips, data.labels[:18].numpy(), 0.1)
    torch.testing.assert_close(weights["classifier.1.weight"], weight)
    torch.testing.assert_close(weights["classifier.1.bias"], bias)


def test_with_a_copy_it_is_fitted_to_both():
    config = replace(TINY, epochs=1, refit=0.1)
    data, copy, clips = tensors(config), tensors(config, 18), torch.arange(18)
    copy.values["spectral"] *= 2
    said: list[str] = []
    trainer = Trainer(config, data, range(18), range(18, 24), CPU)
    trainer.run_epoch()
    weights = refitted(trainer, [cast(Any, SimpleNamespace(says=said.append))], [copy])
    model = trainer.model
    assert isinstance(model, Network)
    heard = torch.cat([embed(model, each, clips) for each in (data, copy)]).numpy()
    weight, bias = logistic_regression(heard, data.labels[:18].repeat(2).numpy(), 0.1)
    torch.testing.assert_close(weights["classifier.1.weight"], weight)
    torch.testing.assert_close(weights["classifier.1.bias"], bias)
    assert said == ["The classifier is fitted anew to the training clips as they are, and to a changed copy of each."]


def test_the_copy_is_cut_and_none_that_the_network_was_trained_on(
    corpus: Corpus, tiny: Path, feature_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[float, int | None]] = []
    load_data = experiment.load_data

    def noted(config: TrainConfig, *arguments: Any) -> Any:
        asked.append((config.augmentation.crop, arguments[5] if len(arguments) > 5 else None))
        return load_data(config, *arguments)

    monkeypatch.setattr(experiment, "load_data", noted)
    run_experiment(
        replace(TINY, epochs=1, copies=1, refit=0.05, refit_crop=0.4),
        corpus=corpus,
        device=CPU,
        split=load_split(str(tiny)),
        runs_dir=tmp_path / "runs",
        checkpoints_dir=tmp_path / "checkpoints",
        cache_dir=feature_cache,
    )
    assert asked == [(0.0, None), (0.0, 0), (0.4, 1)]
    (card,) = tmp_path.glob("checkpoints/*/README.md")
    assert "fitted anew to the clips and a copy of each, changed in the same ways, 40 % of them cut, by" in (
        card.read_text().replace("\u00a0", " ")
    )


def test_a_record_has_the_figures_of_the_network_that_is_kept(
    corpus: Corpus, tiny: Path, feature_cache: Path, tmp_path: Path
):
    config, split = replace(TINY, epochs=2, refit=0.05), load_split(str(tiny))
    run = run_experiment(
        config,
        corpus=corpus,
        device=CPU,
        split=split,
        runs_dir=tmp_path / "runs",
        checkpoints_dir=tmp_path / "checkpoints",
        cache_dir=feature_cache,
    )
    assert run.name == "lr0.001-ELU-1D-warmup1-batch8-refit0.05"
    predictor = Predictor.load(run.name, root=tmp_path / "checkpoints")
    clips = corpus.clips(split.val)
    right = [predictor.classify(corpus.load(clip), any_sound=True).emotion == clip.emotion for clip in clips]
    assert run.test.val_accuracy == pytest.approx(np.mean(right))
    assert load_run(run.folder).test.val_loss == run.test.val_loss != run.history["val_loss"].min()
    card = (tmp_path / "checkpoints" / run.name / "README.md").read_text()
    assert "its classifier fitted anew, by logistic regression (L2 penalty 0.05)" in card


@pytest.mark.parametrize(("refit_crop", "copies"), [(0.0, []), (0.4, [1])])
def test_what_goes_on_after_the_last_epoch_needs_neither_the_copies_of_training_nor_a_teacher(
    refit_crop: float,
    copies: list[int],
    corpus: Corpus,
    tiny: Path,
    feature_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    asked: list[int | None] = []
    taught: list[Any] = []
    load_data = experiment.load_data

    def noted(*arguments: Any) -> Any:
        asked.append(arguments[6] if len(arguments) > 6 else None)
        return load_data(*arguments)

    def run(resume: bool) -> None:
        run_experiment(
            replace(TINY, epochs=1, copies=1, refit=0.05, refit_crop=refit_crop),
            corpus=corpus,
            device=CPU,
            split=load_split(str(tiny)),
            resume=resume,
            runs_dir=tmp_path / "runs",
            checkpoints_dir=tmp_path / "checkpoints",
            cache_dir=feature_cache,
        )

    monkeypatch.setattr(experiment, "load_data", noted)
    monkeypatch.setattr(experiment, "find_teacher", lambda *arguments: SimpleNamespace(described=None))
    monkeypatch.setattr(experiment, "teach", lambda *arguments, **told: taught.append(arguments))
    monkeypatch.setattr(experiment, "git_commit", lambda: "later")
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "git_commit", lambda: "first")
        patch.setattr(experiment, "refitted", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(resume=False)
    run(resume=True)
    assert asked == [None, 0, *copies, None, *copies]
    (environment,) = (read_config(folder).environment for folder in (tmp_path / "runs").glob("lr*"))
    assert (environment.git_commit, environment.finished_commit) == ("first", "later")
    assert len(taught) == 1
