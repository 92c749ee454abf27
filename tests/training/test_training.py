import importlib
import json
import math
import re
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, SequentialLR

from ser_core.checksums import SUMS_FILE
from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import Split
from ser_core.errors import ConfigError, RunError
from ser_core.features.inputs import Form
from ser_core.models.registry import MODELS
from ser_core.models.whisper import SIZES, WhisperEncoder
from ser_core.records.checkpoints import list_checkpoints, load_model
from ser_core.records.runs import RECORD_FILES, Epoch, load_run, load_runs, partial_folder
from ser_core.records.schema import ClipCounts
from ser_core.serving.predictor import Predictor
from ser_core.training import command as train
from ser_core.training import experiment
from ser_core.training.compute import NumericsName
from ser_core.training.config import Select, TrainConfig, usual_config
from ser_core.training.device import Device
from ser_core.training.experiment import Watcher, _status, run_experiment
from ser_core.training.progress import ProgressBar
from ser_core.training.saved_state import STATE_FILE
from ser_core.training.schedule import learning_rate
from ser_core.training.settings import read_settings
from ser_core.training.trainer import Trainer, predict_logits
from ser_core.words import percent
from tests.training.small import CPU, TINY, run_all, tensors, trainer_for


def test_parts_of_a_batch_pad_less_and_add_up_to_it(monkeypatch: pytest.MonkeyPatch):
    """Computed in parts of similar lengths, a step of training is that of the whole batch, but for dropout."""
    config = replace(TINY, model="combined", form="variable", batch_size=18, lr=0.01)
    monkeypatch.setattr("torch.nn.Dropout.forward", lambda self, x: x)
    epochs, padded = [], []
    for parts in (1, 3):
        monkeypatch.setattr("ser_core.training.batches.PARTS", parts)
        trainer = trainer_for(config)
        batches = trainer.data.parts(trainer.train_clips)
        assert sorted(torch.cat(list(batches)).tolist()) == list(range(18))
        padded.append(sum(trainer.data.batch(part)[0]["spectral"].numel() for part in batches))
        trainer.run_epoch()
        epochs.append(trainer.run_epoch())
    assert len(batches) == 3
    assert padded[1] < 0.9 * padded[0]
    assert epochs[1].train_loss == pytest.approx(epochs[0].train_loss, rel=1e-4)
    assert epochs[1].val_loss == pytest.approx(epochs[0].val_loss, rel=1e-3)
    assert trainer_for(TINY).data.parts(trainer.train_clips) == [trainer.train_clips]


def test_the_learning_rate_is_listing_5():
    config, steps = TrainConfig(lr=0.01, epochs=30), 7
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=config.lr)
    warmup_steps, main_steps = 5 * steps, 25 * steps
    scheduler = SequentialLR(
        optimizer,
        schedulers=[
            LambdaLR(optimizer, lr_lambda=lambda step: step / max(1, warmup_steps)),
            CosineAnnealingLR(optimizer, T_max=main_steps, eta_min=config.lr * 0.001),
        ],
        milestones=[warmup_steps],
    )
    for step in range(30 * steps):
        assert learning_rate(step, config, steps) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-4, abs=1e-12)
        optimizer.step()
        scheduler.step()


def test_the_learning_rate_rises_peaks_and_ends_at_a_thousandth():
    config = TrainConfig()
    assert learning_rate(0, config, 78) == 0
    assert learning_rate(5 * 78, config, 78) == config.lr
    assert learning_rate(150 * 78, config, 78) == pytest.approx(config.lr / 1000)
    assert learning_rate(3, replace(config, warmup_epochs=0), 78) == pytest.approx(config.lr, rel=1e-4)


def test_names_are_the_reports():
    assert TrainConfig().name == "lr0.001-SiLU-2D"
    assert TrainConfig(model="1d", activation="elu", lr=0.01).name == "lr0.01-ELU-1D"
    assert TrainConfig(model="combined", activation="relu", lr=0.1).name == "lr0.1-ReLU-Combined"
    names = {TrainConfig(form=form, split=split).name for form in ("fixed", "mean") for split in ("report", "fold1")}
    assert len(names) == 4


def test_a_configuration_survives_json():
    from dataclasses import asdict

    config = TrainConfig(model="combined", lr=0.1, form="variable")
    assert TrainConfig.from_dict(json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("model", "3d"),
        ("activation", "softmax"),
        ("form", "round"),
        ("split", "fold9"),
        ("lr", 0.0),
        ("lr", float("nan")),
        ("lr", -1.0),
        ("epochs", 0),
        ("batch_size", 0),
        ("warmup_epochs", 151),
        ("seed", -1),
    ],
)
def test_settings_out_of_range_are_a_sentence(setting: str, value: Any):
    with pytest.raises(ConfigError, match=setting):
        TrainConfig(**{setting: value})


@pytest.mark.parametrize("model", ["1d", "2d", "combined"])
@pytest.mark.parametrize("form", ["fixed", "variable"])
def test_training_learns(model: str, form: Form):
    trainer = trainer_for(TrainConfig(model=model, form=form, epochs=3, warmup_epochs=1, batch_size=6, lr=0.003))
    history = run_all(trainer)
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert history[-1].train_loss < history[0].train_loss
    assert min(epoch.val_loss for epoch in history) == trainer.best_epoch.val_loss


def test_bfloat16_learns_too():
    history = run_all(trainer_for(replace(TINY, epochs=6), Device(torch.device("cpu"), bf16=True)))
    assert history[-1].train_loss < history[0].train_loss


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_every_network_trains_a_finite_step(model: str, bf16: bool, monkeypatch: pytest.MonkeyPatch):
    if MODELS[model].pretrained:
        monkeypatch.setattr(
            "ser_core.training.trainer.load_encoder", lambda name: WhisperEncoder(SIZES[name]).state_dict()
        )
    config = usual_config(model, lr=1e-4, epochs=1, warmup_epochs=0, batch_size=4)
    device = Device(torch.device("cpu"), bf16, winograd=bf16)
    (epoch,) = run_all(Trainer(config, tensors(config, 6), range(4), range(4, 6), device))
    assert math.isfinite(epoch.train_loss)
    assert math.isfinite(epoch.val_loss)


def test_validation_is_in_float32_whatever_training_is_in():
    trainer = trainer_for(TINY, Device(torch.device("cpu"), bf16=True))
    epoch = trainer.run_epoch()
    logits = predict_logits(trainer.model, trainer.data, trainer.val_clips, Device(torch.device("cpu"), bf16=False))
    expected = torch.nn.functional.cross_entropy(logits, trainer.data.labels[trainer.val_clips])
    assert epoch.val_loss == float(expected)


def test_logits_stand_in_the_order_of_the_clips_whatever_their_lengths():
    trainer, clips = trainer_for(replace(TINY, form="variable")), torch.tensor([5, 0, 17, 3, 11])
    model, data = trainer.model, trainer.data
    assert len({int(data.lengths["spectral"][clip]) for clip in clips}) == len(clips)
    together = predict_logits(model, data, clips, CPU, batch_size=2)
    for clip, found in zip(clips, together, strict=True):
        torch.testing.assert_close(predict_logits(model, data, clip[None], CPU)[0], found, atol=1e-5, rtol=1e-5)


def test_numerics_are_chosen_by_what_the_hardware_has_and_can_be_told(monkeypatch: pytest.MonkeyPatch):
    for bf16 in (True, False):
        monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda bf16=bf16: bf16)
        assert Device.choose("cpu").winograd == bf16
    assert not Device.choose("cpu", "bf16", "pytorch").winograd
    assert Device.choose("cpu", "bf16").winograd
    for precision, numerics in (("fp32", "winograd"), ("bf16", "exact"), ("half", "auto")):
        with pytest.raises(ConfigError):
            Device.choose("cpu", precision, numerics)  # type: ignore[arg-type]


def test_the_best_weights_are_those_of_the_lowest_validation_loss():
    trainer = trainer_for(replace(TINY, lr=0.05, epochs=5))
    losses, weights = [], []
    while not trainer.finished:
        losses.append(trainer.run_epoch().val_loss)
        weights.append({name: value.clone() for name, value in trainer.model.state_dict().items()})
    best = weights[int(np.argmin(losses))]
    assert trainer.best_epoch.epoch == int(np.argmin(losses)) + 1
    assert all(torch.equal(trainer.best[name], best[name]) for name in best)


@pytest.mark.parametrize(("select", "chosen"), [("loss", 1), ("accuracy", 3)])
def test_an_overconfident_epoch_can_be_chosen_for_its_accuracy(
    select: Select, chosen: int, monkeypatch: pytest.MonkeyPatch
):
    trainer = trainer_for(replace(TINY, select=select))
    validation = iter([(1.0, 0.3), (1.5, 0.5), (1.4, 0.5), (1.6, 0.4)])
    monkeypatch.setattr(trainer, "_validate", lambda: next(validation))
    weights = []
    while not trainer.finished:
        trainer.run_epoch()
        weights.append(trainer.weights())
    assert trainer.best_epoch.epoch == chosen
    assert all(torch.equal(trainer.best[name], value) for name, value in weights[chosen - 1].items())


def test_another_selection_is_in_the_name():
    assert TrainConfig(select="accuracy").name == "lr0.001-SiLU-2D-by-accuracy"
    with pytest.raises(ConfigError, match="select"):
        TrainConfig(select="luck")  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    assert run_all(trainer_for(TINY)) == run_all(trainer_for(TINY))
    assert run_all(trainer_for(TINY)) != run_all(trainer_for(replace(TINY, seed=1)))


@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_a_resumed_run_has_the_history_of_an_unbroken_one(stop_after: int, tmp_path: Path):
    unbroken = trainer_for(TINY)
    expected = run_all(unbroken)
    first = trainer_for(TINY)
    for _ in range(stop_after):
        first.run_epoch()
    first.save(tmp_path)
    torch.rand(100)  # whatever else draws random numbers doesn't matter
    second = trainer_for(TINY)
    second.load(tmp_path)
    assert run_all(second) == expected
    assert all(torch.equal(unbroken.best[name], second.best[name]) for name in unbroken.best)


def test_resuming_says_what_does_not_fit(tmp_path: Path):
    with pytest.raises(RunError, match="nothing to resume"):
        trainer_for(TINY).load(tmp_path)
    trainer = trainer_for(TINY)
    trainer.run_epoch()
    trainer.save(tmp_path)
    with pytest.raises(RunError, match="another seed"):
        trainer_for(replace(TINY, seed=3)).load(tmp_path)
    with pytest.raises(RunError, match="begun in fp32 with PyTorch's convolutions, and would go on in bf16"):
        trainer_for(TINY, Device(torch.device("cpu"), bf16=True)).load(tmp_path)
    (tmp_path / STATE_FILE).write_bytes(b"damaged")
    with pytest.raises(RunError, match="damaged"):
        trainer_for(TINY).load(tmp_path)


def test_a_run_that_was_begun_with_winograds_convolutions_does_not_go_on_without(tmp_path: Path):
    config = replace(TINY, model="2d")
    winograd, pytorch = (Device(torch.device("cpu"), bf16=True, winograd=on) for on in (True, False))
    trainer_for(config, winograd).save(tmp_path)
    trainer_for(config, winograd).load(tmp_path)
    with pytest.raises(RunError, match=r"begun in bf16 with Winograd's convolutions, .* PyTorch's"):
        trainer_for(config, pytorch).load(tmp_path)


def test_a_loss_that_is_not_a_number_ends_the_run():
    trainer = trainer_for(replace(TINY, epochs=20))
    trainer.run_epoch()
    with torch.no_grad():
        next(trainer.model.parameters()).fill_(float("nan"))
    run_all(trainer)
    assert trainer.diverged
    assert len(trainer.history) == 2
    assert trainer.best_epoch.epoch == 1
    assert all(value.isfinite().all() for value in trainer.best.values())


def test_residual_networks_take_images_of_one_size():
    assert TrainConfig(model="resnet38", activation="relu").name == "lr0.001-ReLU-ResNet38"
    with pytest.raises(ConfigError, match="takes the form fixed"):
        TrainConfig(model="resnet101", form="variable")


def test_float32_is_float32_on_a_gpu_too(monkeypatch: pytest.MonkeyPatch):
    """By default cuDNN computes convolutions of float32 in TF32, with 10 bits of 23."""
    monkeypatch.setattr("torch.backends.cudnn.allow_tf32", True)
    Device.choose("cpu", "fp32")
    assert not torch.backends.cudnn.allow_tf32


def test_devices():
    assert Device.choose("cpu", "bf16").bf16
    assert not Device.choose("cpu", "fp32").bf16
    assert re.search(r", \d+ threads?, ", Device.choose("cpu").label)
    with pytest.raises(ConfigError, match="device"):
        Device.choose("tpu")  # type: ignore[arg-type]
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="No CUDA"):
            Device.choose("cuda")


# The experiment as a whole, on real clips; those that are trained on are of the report's training part.


@pytest.fixture(scope="module")
def split(clips) -> Split:
    parts = {part: [clip.name for clip in clips if clip.report_split == part] for part in ("train", "val", "test")}
    return Split("tiny", tuple(parts["train"]), tuple(parts["val"]), tuple(parts["test"][:30]))


@pytest.fixture
def folders(tmp_path: Path, feature_cache: Path) -> dict[str, Path]:
    return {key: tmp_path / key for key in ("runs_dir", "checkpoints_dir")} | {"cache_dir": feature_cache}


class Counter(Watcher):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def started(self, trainer: Trainer) -> None:
        self.calls.append("started")

    def epoch(self, epoch: object) -> None:
        self.calls.append("epoch")

    def finished(self, run: object) -> None:
        self.calls.append("finished")


def test_an_experiment_leaves_a_record_and_a_checkpoint(corpus: Corpus, split: Split, folders: dict):
    watcher, config = Counter(), replace(TINY, model="combined", epochs=2)
    run = run_experiment(config, corpus=corpus, device=CPU, split=split, watchers=[watcher], **folders)
    assert watcher.calls == ["started", "epoch", "epoch", "finished"]
    assert run.name == config.name
    assert run.status == "chance"  # two epochs on some ten clips
    assert run.environment.clips == ClipCounts(len(split.train), 2, 30)
    for key in ("device", "python", "libraries", "precision", "numerics", "git_commit", "split_id", "data_checksum"):
        assert getattr(run.environment, key)
    assert (run.environment.precision, run.environment.numerics) == ("fp32", "pytorch")
    assert run.environment.libraries.keys() >= {
        "torch",
        "numpy",
        "scipy",
        "soxr",
        "silero-vad",
        "onnxruntime",
        "pillow",
    }
    assert load_run(run.folder).accuracy == run.accuracy
    assert run.intervals_over == "speakers and clips"
    assert {path.name for path in run.folder.iterdir()} == {*RECORD_FILES, SUMS_FILE}

    predictions = run.predictions()
    assert predictions.names == split.test
    second, first = np.sort(predictions.probabilities, axis=1)[:, -2:].T
    tied = (first - second < 2e-4).sum()  # rounded to four decimals, they may change places
    right = (predictions.predicted == predictions.targets).sum()
    assert abs(run.accuracy * len(predictions.names) - right) <= tied + 1e-6
    assert tied < 3
    predictor = Predictor.load(run.name, root=folders["checkpoints_dir"])
    for name, expected in list(zip(predictions.names, predictions.probabilities, strict=True))[:10]:
        found = predictor(corpus.path(name)).probabilities
        np.testing.assert_allclose(list(found.values()), expected, atol=2e-3)
    card = (folders["checkpoints_dir"] / run.name / "README.md").read_text()
    assert f"{percent(run.accuracy)} (95\u00a0% interval over speakers and clips " in card

    with pytest.raises(RunError, match="--restart"):
        run_experiment(config, corpus=corpus, device=CPU, split=split, **folders)
    again = run_experiment(config, corpus=corpus, device=CPU, split=split, restart=True, **folders)
    assert again.accuracy == run.accuracy

    shutil.rmtree(run.folder)
    with pytest.raises(RunError, match=r"holds weights that have no record in .*--restart"):
        run_experiment(config, corpus=corpus, device=CPU, split=split, **folders)


@pytest.mark.parametrize(("numerics", "recorded"), [("auto", "winograd"), ("pytorch", "pytorch")])
def test_a_record_says_which_convolutions_were_used(
    numerics: NumericsName, recorded: str, corpus: Corpus, split: Split, folders: dict
):
    config, device = replace(TINY, model="2d", epochs=1), Device.choose("cpu", "bf16", numerics)
    run = run_experiment(config, corpus=corpus, device=device, split=split, **folders)
    assert (run.environment.precision, run.environment.numerics) == ("bf16", recorded)


def test_what_was_learned_is_told_from_chance():
    trainer = trainer_for(replace(TINY, epochs=12))
    trainer.run_epoch()
    guessing = math.log(6)
    for losses, status in (([guessing * 1.2, guessing], "chance"), ([guessing * 1.2, guessing * 0.9], "finished")):
        trainer.history = [replace(trainer.history[0], epoch=i + 1, val_loss=loss) for i, loss in enumerate(losses)]
        assert _status(trainer) == status


def test_an_overconfident_epoch_that_was_chosen_for_its_accuracy_is_not_chance():
    trainer = trainer_for(replace(TINY, select="accuracy"))
    trainer.run_epoch()
    (epoch,), guessing = trainer.history, math.log(6)
    for first_loss, status in ((guessing * 0.9, "finished"), (guessing, "chance")):
        trainer.history = [
            replace(epoch, val_loss=first_loss, val_accuracy=0.3),
            replace(epoch, epoch=2, val_loss=guessing * 1.5, val_accuracy=0.6),
        ]
        assert trainer.best_epoch.epoch == 2
        assert _status(trainer) == status


def test_an_experiment_that_diverges_is_recorded_as_such(corpus: Corpus, split: Split, folders: dict):
    class Poison(Watcher):
        def epoch(self, epoch: object) -> None:
            with torch.no_grad():
                next(self.trainer.model.parameters()).fill_(float("nan"))

        def started(self, trainer: Trainer) -> None:
            self.trainer = trainer

    run = run_experiment(TINY, corpus=corpus, device=CPU, split=split, watchers=[Poison()], **folders)
    assert run.status == "diverged"
    assert run.test.epochs == 2
    assert math.isfinite(run.accuracy)
    load_model(folders["checkpoints_dir"] / run.name)


def test_a_killed_experiment_is_resumed(corpus: Corpus, split: Split, folders: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0)
    options: dict[str, Any] = {"corpus": corpus, "device": CPU, "split": split}
    whole = run_experiment(TINY, **options, name="whole", **folders)

    class Killed(Watcher):
        def epoch(self, epoch: Epoch) -> None:
            if epoch.epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(TINY, **options, name="broken", watchers=[Killed()], **folders)
    with pytest.raises(RunError, match="not finished"):
        load_run(folders["runs_dir"] / "broken")
    with pytest.raises(RunError, match="--resume"):
        run_experiment(TINY, **options, name="broken", **folders)
    resumed = run_experiment(TINY, **options, name="broken", resume=True, **folders)
    for column in ("train_loss", "val_loss", "lr", "train_accuracy"):
        np.testing.assert_array_equal(resumed.history[column], whole.history[column])
    assert resumed.metrics == whole.metrics
    assert (resumed.folder / "predictions.csv").read_text() == (whole.folder / "predictions.csv").read_text()


SHORT = replace(TINY, epochs=1)
OTHER = replace(SHORT, seed=7, batch_size=4)
DIFFERENCE = r"batch size 4 instead of 8, seed 7 instead of 42"


@pytest.fixture
def options(corpus: Corpus, split: Split, folders: dict) -> dict:
    """All but the configuration of a small experiment under a name that says nothing."""
    return {"corpus": corpus, "device": CPU, "split": split, "name": "taken", **folders}


class Sentences(Watcher):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def says(self, sentence: str) -> None:
        self.heard.append(sentence)


def test_a_record_with_other_settings_keeps_its_name_unless_it_is_to_be_replaced(options: dict):
    other = run_experiment(OTHER, **options)
    for resume in (False, True):
        with pytest.raises(RunError, match=DIFFERENCE):
            run_experiment(SHORT, **options, resume=resume)
    with pytest.raises(RunError, match="already holds a finished run"):
        run_experiment(OTHER, **options, resume=True)
    assert read_settings(other.folder).config == OTHER
    watcher = Sentences()
    run_experiment(SHORT, **options, restart=True, watchers=[watcher])
    assert read_settings(other.folder).config == SHORT
    assert len(watcher.heard) == 1
    assert re.search(rf"Replaces.*{DIFFERENCE}", watcher.heard[0])
    run_experiment(SHORT, **options, restart=True, watchers=[watcher])
    assert len(watcher.heard) == 1  # the same settings again


def test_a_record_in_another_precision_is_the_same_run_unless_somebody_asks_for_one(options: dict):
    run_experiment(SHORT, **options)
    with pytest.raises(RunError, match="already holds a finished run"):
        run_experiment(SHORT, **options | {"device": Device.choose("cpu")})
    asked, watcher = options | {"device": Device.choose("cpu", "bf16")}, Sentences()
    with pytest.raises(RunError, match=r"not this one \(precision fp32 instead of bf16\).*--restart"):
        run_experiment(SHORT, **asked)
    assert run_experiment(SHORT, **asked, restart=True, watchers=[watcher]).environment.precision == "bf16"
    assert "precision fp32 instead of bf16" in watcher.heard[0]
    with pytest.raises(RunError, match="already holds a finished run"):
        run_experiment(SHORT, **asked)


def test_a_record_of_other_clips_is_not_the_same_run(options: dict, split: Split):
    run_experiment(SHORT, **options)
    with pytest.raises(RunError, match="with other clips"):
        run_experiment(SHORT, **options | {"split": replace(split, test=split.test[1:])})


class Killed(BaseException):
    """Ends a process where it stands: nothing catches it."""


class KilledAfter(Watcher):
    def epoch(self, epoch: object) -> None:
        raise Killed


def test_an_interrupted_run_with_other_settings_keeps_its_name(options: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0)
    longer = replace(OTHER, epochs=2)
    with pytest.raises(Killed):
        run_experiment(longer, **options, watchers=[KilledAfter()])
    for resume in (False, True):
        with pytest.raises(RunError, match="epochs 2 instead of 1, batch size 4 instead of 8"):
            run_experiment(SHORT, **options, resume=resume)
    watcher = Sentences()
    run_experiment(SHORT, **options, restart=True, watchers=[watcher])
    assert "Gives up an interrupted run" in watcher.heard[0]


def test_a_run_whose_split_file_was_moved_is_resumed(
    options: dict, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0)
    parts = {"train": split.train, "val": split.val, "test": split.test}
    here, there = tmp_path / "tiny.json", tmp_path / "moved.json"
    here.write_text(json.dumps(parts))
    options |= {"split": None}
    with pytest.raises(Killed):
        run_experiment(replace(TINY, epochs=2, split=str(here)), **options, watchers=[KilledAfter()])
    here.rename(there)
    assert run_experiment(replace(TINY, epochs=2, split=str(there)), **options, resume=True).test.epochs == 2


STEPS = ("_record", "load_run", "save_checkpoint", "replace_folder")


@pytest.mark.parametrize("before", ["nothing", "another run"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_while_it_is_recorded_is_finished_by_the_same_command(
    step: str, when: str, before: str, options: dict, monkeypatch: pytest.MonkeyPatch
):
    runs_dir, config = options["runs_dir"], replace(TINY, epochs=1, lr=0.01)
    if before == "another run":
        run_experiment(OTHER, **options)
    function = getattr(experiment, step)

    def killed(*arguments: object, **values: object) -> None:
        if when == "after":
            function(*arguments, **values)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(experiment, step, killed)
        with pytest.raises(Killed):
            run_experiment(config, **options, restart=before == "another run")
    recorded = {run.name: read_settings(run.folder).config for run in load_runs(runs_dir)[0]}
    done = (step, when) == ("replace_folder", "after")
    assert recorded == ({"taken": config} if done else {"taken": OTHER} if before == "another run" else {})
    for name in list_checkpoints(options["checkpoints_dir"]):
        described, _ = load_model(options["checkpoints_dir"] / name)  # its weights are its own
        trained = TrainConfig.from_dict(described.provenance["train"])
        assert trained in (config, OTHER)
    if done:
        with pytest.raises(RunError, match="already holds a finished run"):
            run_experiment(config, **options, resume=True)
    else:
        partial = partial_folder(runs_dir, "taken")
        (partial / f".{STATE_FILE}-0123").touch()  # as if it was killed in a file, too
        (partial / ".unfinished-0123").mkdir()
        (partial / ".unfinished-0123" / STATE_FILE).touch()
        run_experiment(config, **options, resume=True)
    run = load_run(runs_dir / "taken")
    assert {path.name for path in run.folder.iterdir()} == {*RECORD_FILES, SUMS_FILE}
    described, _ = load_model(options["checkpoints_dir"] / "taken")
    assert described.provenance["test"] == json.loads(json.dumps(asdict(run.test)))
    assert TrainConfig.from_dict(described.provenance["train"]) == config


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--epochs", "0"], "epochs is a number"),
        (["--lr", "nan"], "lr is a number"),
        (["--model", "3d"], "--model takes 1d, 2d, .* or whisper-tiny, not '3d'"),
        (["--corpus", "/nowhere"], "cremad download"),
        (["--resume", "--name", "nothing-there"], "cremad download"),
    ],
)
def test_the_command_fails_with_a_sentence(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv("CREMAD_DIR", str(tmp_path))
    monkeypatch.setenv("SER_CACHE_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        train.main([*arguments, "--name", "test-of-the-command"] if "--name" not in arguments else arguments)
    assert stop.value.code == 2
    output = capsys.readouterr().err
    assert re.search(says, output)
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/b",
        "x/lr0.001-SiLU-2D",
        "/tmp/x",
        ".hidden",
        "..",
        " ",
        "a\nb",
        "a\x00b",
        "n" * 300,
        "ü",
        "x.lock",
    ],
)
def test_a_name_that_no_run_can_have_is_refused_before_anything_is_made(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture
):
    with pytest.raises(SystemExit, match="2"):
        train.main([f"--name={name}", "--restart", "--out", str(tmp_path / "out"), "--device", "cpu"])
    (line,) = capsys.readouterr().err.splitlines()
    assert "can't be called" in line
    assert "letters" in line
    assert not list(tmp_path.iterdir())


def test_no_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match="2"):
        train.main(["--name=", "--out", str(tmp_path / "out")])
    assert "The argument after --name is empty" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_split_file_lends_its_name_only_if_a_run_can_have_it(options: dict, tmp_path: Path, capsys):
    path = tmp_path / "two\nlines.json"
    path.write_text(json.dumps({part: getattr(options["split"], part) for part in ("train", "val", "test")}))
    folders = ["--out", str(tmp_path / "out"), "--cache", str(options["cache_dir"]), "--device", "cpu"]
    with pytest.raises(SystemExit, match="2"):
        train.main(["--split", str(path), *folders])
    assert "split's file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    quick = ["--model", "1d", "--epochs", "1", "--corpus", str(options["corpus"].folder)]
    train.main(["--split", str(path), "--name", "a.name_1+2-3", *quick, *folders])
    assert load_run(tmp_path / "out" / "runs" / "a.name_1+2-3").test.epochs == 1


@pytest.mark.parametrize("flag", ["--out", "--cache"])
@pytest.mark.parametrize("place", ["a file", "below a file", "/proc/x"])
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(
    flag: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    (tmp_path / "file").write_text("mine")
    folder = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "x"}.get(place, Path(place))
    monkeypatch.setattr(experiment, "load_split", Mock(side_effect=AssertionError))
    with pytest.raises(SystemExit, match="2"):
        train.main(["--out", str(tmp_path / "out"), "--device", "cpu", flag, str(folder)])
    (line,) = capsys.readouterr().err.splitlines()
    assert str(folder if place != "/proc/x" else "/proc") in line
    assert line.endswith("Choose another folder.")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")])
def test_running_out_of_memory_is_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(experiment, "run_experiment", fail)
    with pytest.raises(SystemExit, match="2"):
        train.main([])
    assert "Out of memory. Make --batch-size smaller" in capsys.readouterr().err


NO_MEMORY = {
    "grid": ("ser_core.training.grid_command", "configurations", ["report"]),
    "predict": ("ser_core.serving.predict_command", "expand", ["speech.wav"]),
    "stream": ("ser_core.serving.stream_command", "mono_parts", ["speech.wav"]),
    "cremad": ("ser_core.corpus.command", "_check", ["check"]),
}


@pytest.mark.parametrize(("module", "function", "arguments"), NO_MEMORY.values(), ids=NO_MEMORY)
def test_other_commands_do_not_advise_what_they_do_not_have(
    module: str, function: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    command = importlib.import_module(module)
    monkeypatch.setattr(command, function, Mock(side_effect=MemoryError))
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    said = capsys.readouterr().err
    assert said.startswith("error: Out of memory. ")
    with pytest.raises(SystemExit, match="0"):
        command.parse_arguments(["--help"])
    flags = capsys.readouterr().out
    assert all(flag in flags for flag in re.findall(r"--[\w-]+", said))


def test_ctrl_c_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "run_experiment", interrupt)
    with pytest.raises(SystemExit, match="130"):
        train.main([])
    assert "--resume" in capsys.readouterr().err


def watched(trainer: Trainer) -> None:
    """Train as `train.py` shows it."""
    bar = ProgressBar()
    bar.features(3, 6)
    bar.features(6, 6)
    bar.started(trainer)
    bar.bar.mininterval = 0
    while not trainer.finished:
        bar.epoch(trainer.run_epoch(bar.step))
    bar.features(6, 6)  # of the copies to which a classifier is fitted anew
    bar.finished(Mock())


def test_the_progress_bar_shows_loss_accuracy_and_speed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    watched(trainer_for(TINY))
    output = capsys.readouterr()
    for part in ("loss=", "acc=", "clip/s", "Epoch 4/4"):
        assert part in output.err
    assert "val loss" in output.out


def test_a_log_gets_a_line_an_epoch_and_no_bar(capsys: pytest.CaptureFixture):
    watched(trainer_for(TINY))
    output = capsys.readouterr()
    assert [line.split()[:2] for line in output.out.splitlines()] == [["epoch", str(n)] for n in range(1, 5)]
    assert output.err == "features  3 of 6 clips\n"


def test_a_log_says_how_far_it_is_within_an_epoch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr("ser_core.training.progress.LOG_SECONDS", 0)
    watched(trainer_for(TINY))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("epoch")]
    assert len(lines) >= 4
    assert all(re.fullmatch(r"epoch +\d  [\d,]+ of [\d,]+ clips  loss [\d.]+  acc [\d.]+%", line) for line in lines)
