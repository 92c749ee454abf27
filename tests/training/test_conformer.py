"""The network of our own from clips to answers: trained, recorded, loaded, adapted, explained and heard live."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ser_core.audio import SAMPLE_RATE
from ser_core.corpus.splits import Split
from ser_core.explain.methods import explain, possible_methods
from ser_core.models.config import NetworkConfig
from ser_core.records.runs import Run
from ser_core.serving.predictor import Predictor
from ser_core.serving.stream import SpeechStream, StreamConfig
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.experiment import run_experiment
from tests.training.small import CPU, run_all, trainer_for, without_times

SMALL = usual_config("conformer", width=32, blocks=1, epochs=2, copies=1, batch_size=6, contours=("loudness", "pitch"))


@pytest.fixture(scope="module")
def split(clips) -> Split:
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for clip in clips:
        parts[clip.report_split].append(clip.name)
    return Split("tiny", *(tuple(parts[part][:12]) for part in ("train", "val", "test")))


@pytest.fixture(scope="module")
def trained(corpus, split: Split, feature_cache: Path, tmp_path_factory) -> tuple[Run, Path]:
    root = tmp_path_factory.mktemp("conformer")
    folders = {"runs_dir": root / "runs", "checkpoints_dir": root / "checkpoints", "cache_dir": feature_cache}
    return run_experiment(SMALL, corpus=corpus, device=CPU, split=split, **folders), root / "checkpoints"


@pytest.fixture
def predictor(trained: tuple[Run, Path]) -> Predictor:
    run, checkpoints = trained
    return Predictor.load(run.name, root=checkpoints)


def test_its_record_and_checkpoint_say_what_it_is_made_of(trained: tuple[Run, Path], predictor: Predictor):
    run, checkpoints = trained
    assert run.name == SMALL.name == "lr0.001-SiLU-Conformer-batch6-copies1-blocks1-width32-loudness+pitch"
    assert run.train == SMALL
    assert predictor.config.network == NetworkConfig(width=32, blocks=1, contours=("loudness", "pitch"))
    card = (checkpoints / run.name / "README.md").read_text()
    assert f"{run.test.parameters:,}" in card


def test_it_answers_as_in_its_record(trained: tuple[Run, Path], predictor: Predictor, corpus):
    run, _ = trained
    recorded = run.predictions()
    for clip, expected in list(zip(recorded.names, recorded.probabilities, strict=True))[:4]:
        answer = predictor(corpus.load(clip), sample_rate=SAMPLE_RATE)
        np.testing.assert_allclose(list(answer.probabilities.values()), expected, atol=2e-3)


def test_another_level_is_the_same_answer(predictor: Predictor, corpus, split: Split):
    recording = corpus.load(split.test[0])
    loud, quiet = (predictor(recording * np.float32(gain), sample_rate=SAMPLE_RATE) for gain in (1.0, 0.1))
    assert loud.emotion == quiet.emotion
    np.testing.assert_allclose(list(loud.probabilities.values()), list(quiet.probabilities.values()), atol=0.01)


def test_it_is_adapted_and_explained(predictor: Predictor, corpus, split: Split):
    recording = corpus.load(split.test[0])
    adapted = predictor.adapt([recording], sample_rate=SAMPLE_RATE)
    speech = adapted.prepare(recording)
    assert possible_methods(adapted) == ("occlusion", "integrated-gradients")
    for method in possible_methods(adapted):
        found = explain(adapted, speech, "HAP", method)
        assert np.isfinite(found.values).all()
        assert found.values.shape[-1] == len(found.times)
        if found.hertz is not None:
            assert len(found.hertz) == len(found.values) == SMALL.features.n_mels


def test_it_is_heard_live(predictor: Predictor, corpus, split: Split):
    stream = SpeechStream(predictor, StreamConfig())
    heard = [*stream.push(corpus.load(split.test[0]), SAMPLE_RATE), *stream.finish()]
    assert any(prediction.prediction for prediction in heard)


AVERAGED = replace(
    usual_config("conformer", width=32, blocks=1, epochs=4, warmup_epochs=1, batch_size=8, copies=0), ema=0.9
)


def test_resuming_it_changes_nothing(tmp_path: Path):
    whole = trainer_for(AVERAGED)
    run_all(whole)
    for _ in range(4):
        part = trainer_for(AVERAGED)
        if (tmp_path / "state.safetensors").exists():
            part.load(tmp_path)
        part.run_epoch()
        part.save(tmp_path)
    assert without_times(part.history) == without_times(whole.history)
    assert part.best.keys() == whole.best.keys()
    assert all(torch.equal(part.best[name], value) for name, value in whole.best.items())


def test_the_average_of_weights_is_what_is_validated_and_kept():
    trainer = trainer_for(AVERAGED)
    trainer.run_epoch()
    assert trainer.average is not None
    learned, kept = trainer.model.state_dict(), trainer.weights()
    assert any(not torch.equal(learned[name], value) for name, value in kept.items())
    assert all(torch.equal(trainer.average.state_dict()[name], value) for name, value in kept.items())


def test_without_an_average_the_last_weights_are_kept():
    trainer = trainer_for(replace(AVERAGED, ema=0.0))
    trainer.run_epoch()
    assert all(torch.equal(trainer.model.state_dict()[name], value) for name, value in trainer.weights().items())


@pytest.mark.parametrize(
    "settings", [{"mixup": 0.5}, {"spec_augment": 3}, {"soft_labels": 1.0}, {"label_smoothing": 0.3}]
)
def test_whatever_makes_training_harder_works_with_it(settings: dict):
    config: TrainConfig = usual_config("conformer", width=32, blocks=1, epochs=1, batch_size=8, copies=0, **settings)
    assert np.isfinite(trainer_for(config).run_epoch().val_loss)
