"""A network learns from a teacher: on the sound that it hears itself, and on no clip that judges it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ser_app.records import run_table
from ser_core.analysis.configurations import network_label
from ser_core.analysis.future import _attends
from ser_core.audio.changes.augment import AugmentationConfig
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import REPORT_SPLIT_ID, Split
from ser_core.errors import ConfigError, RunError
from ser_core.features.clip_waveform import ChangedCopy, clip_waveform
from ser_core.features.config import FeatureConfig
from ser_core.features.stored import VALUES
from ser_core.models.registry import build_model
from ser_core.places import CHECKPOINTS_VARIABLE
from ser_core.records.checkpoints import CheckpointConfig, load_config, save_checkpoint
from ser_core.records.model_card import model_card
from ser_core.records.runs import Epoch, load_run, load_runs
from ser_core.records.schema import TaughtBy
from ser_core.serving.predictor import Predictor
from ser_core.training import teacher as teaching
from ser_core.training.batches import ClipTensors
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.experiment import load_data, run_experiment
from ser_core.training.progress import ProgressBar
from ser_core.training.teacher import find_teacher, teach
from ser_core.training.trainer import Trainer
from ser_core.training.watching import Watcher
from tests.made_records import older, write_run
from tests.training.small import CPU, TINY, run_all, tensors
from tools import readme

CONFIG = replace(
    TINY, epochs=2, copies=2, teacher="teacher", label_smoothing=0.1, augmentation=AugmentationConfig(gain=1)
)
WHISPER = TaughtBy("lr6e-05-SiLU-Whisper-base", "whisper-base", "0" * 12, pretrained=True)


def save_teacher(root: Path, split_id: str | None, *, seed: int = 0, name: str = "teacher", **said: Any) -> Path:
    """An untrained checkpoint with opinions of its own on each clip, and preprocessing that isn't the student's."""
    torch.manual_seed(seed)
    weights = build_model("1d", "silu", "variable").state_dict()
    *_, last, _bias = weights
    weights[last] *= 10
    provenance = {"environment": {"split_id": split_id, **said}}
    audio = AudioConfig(pipeline="voice")
    config = CheckpointConfig(name, "1d", "silu", "variable", audio, FeatureConfig(), provenance, temperature=1.5)
    save_checkpoint(root / name, config, weights, "untrained")
    return root / name


@pytest.fixture(scope="module")
def split(clips) -> Split:
    parts = [[clip.name for clip in clips if not clip.defect][start : start + 6] for start in (0, 6, 12)]
    return Split("tiny", *map(tuple, parts))


@pytest.fixture
def options(
    corpus: Corpus, split: Split, feature_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What all runs have in common, beside the teacher; the answers are the test's own."""
    save_teacher(tmp_path / "checkpoints", split.id)
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(tmp_path / "checkpoints"))
    monkeypatch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0)
    options: dict[str, Any] = {"corpus": corpus, "device": CPU, "split": split, "cache_dir": tmp_path / "cache"}
    return options | {"runs_dir": tmp_path / "runs", "checkpoints_dir": tmp_path / "checkpoints"}


def taught(config: TrainConfig, split: Split, options: dict[str, Any], **told: Any) -> list[ClipTensors]:
    """The unchanged clips, those of training first, and the copies, after the teacher was asked."""
    corpus, cache = options["corpus"], options["cache_dir"]
    every, train = (corpus.clips(names) for names in ((*split.train, *split.val, *split.test), split.train))
    data = load_data(config, every, corpus, cache, CPU, [])
    copies = [load_data(config, train, corpus, cache, CPU, [], i) for i in range(config.copies)]
    teacher = find_teacher(config.teacher, split)
    assert teacher
    teach(teacher, config, corpus, train, data, range(len(train)), copies, device=CPU, cache_dir=cache, **told)
    return [data, *copies]


def test_the_teacher_hears_the_copies_that_the_student_hears(options: dict[str, Any], split: Split):
    _, *copies = taught(CONFIG, split, options)
    predictor, corpus = Predictor.load("teacher"), options["corpus"]
    for i, copy in enumerate(copies):
        paths = [(corpus.path(clip), clip.name) for clip in corpus.clips(split.train)]
        change = ChangedCopy(i, CONFIG.augmentation)
        heard = [clip_waveform(*path, predictor.config.audio, change) for path in paths]
        softened = predictor.outputs(heard).probabilities ** (1 / CONFIG.teacher_temperature)
        expected = softened / softened.sum(1, keepdims=True)
        assert copy.taught is not None
        np.testing.assert_allclose(copy.taught.numpy(), expected, atol=1e-4)
    assert (copies[0].taught - copies[1].taught).abs().max() > 1e-2
    assert copies[0].taught.std(0).max() > 1e-2


@pytest.mark.parametrize("copies", [0, 2])
def test_only_training_clips_are_given_to_the_teacher(
    options: dict[str, Any], split: Split, copies: int, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    load_inputs = teaching.load_inputs

    def spy(config: TrainConfig, clips: Any, *args: Any, **kwargs: Any) -> Any:
        asked.extend(clip.name for clip in clips)
        return load_inputs(config, clips, *args, **kwargs)

    monkeypatch.setattr(teaching, "load_inputs", spy)
    config = replace(CONFIG, copies=copies)
    run_experiment(config, **options)
    assert sorted(asked) == sorted(split.train * max(1, copies))
    data, *_ = taught(config, split, options)
    if copies:
        assert data.taught is None
    else:
        assert data.taught is not None
        known = data.taught.isfinite().all(1)
        assert known.tolist() == [True] * 6 + [False] * 12


def follower(share: float) -> tuple[float, float]:
    """After training on copies whose teacher says the next emotion: how often it says that, and its labels."""
    config = replace(TINY, epochs=40, copies=1, teacher="some", teacher_share=share)
    data, copy = tensors(config), tensors(config, 18)
    copy.learn_from(range(18), torch.eye(6)[(copy.labels + 1) % 6])
    trainer = Trainer(config, data, range(18), range(18, 24), CPU, [copy])
    run_all(trainer)
    with torch.inference_mode():
        said = trainer.model.eval()(**copy.batch(torch.arange(18))[0]).argmax(1)
    return float((said == (copy.labels + 1) % 6).float().mean()), float((said == copy.labels).float().mean())


def test_a_student_follows_its_teacher_as_far_as_it_is_to():
    teachers, labels = follower(0.95)
    assert teachers > 0.5 > labels
    teachers, labels = follower(0.05)
    assert labels > 0.5 > teachers


def test_the_teacher_has_its_share_of_the_target_and_raters_theirs_of_the_rest():
    config = replace(TINY, teacher="some", teacher_share=0.25, soft_labels=0.5)
    data = tensors(config)
    data.learn_from([2], torch.eye(6)[[5]])
    (target,) = data.targets(torch.tensor([2]), config)
    torch.testing.assert_close(target, torch.tensor([0, 0, 0.75 * 0.85, 0.75 * 0.15, 0, 0.25]))
    assert data.targets(torch.tensor([3]), config).isnan().all()  # of a clip that it wasn't asked about
    assert data.targets(torch.tensor([2]), replace(config, teacher="none", soft_labels=0)).tolist() == [2]


def test_a_teacher_is_asked_once_and_again_where_its_answers_are_damaged(
    options: dict[str, Any], split: Split, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    answered: list[tuple[int, int]] = []
    first = taught(CONFIG, split, options, answered=lambda *counts: answered.append(counts))
    assert answered == [(6, 6)] * 2
    again = taught(replace(CONFIG, seed=7, teacher_temperature=1), split, options, answered=pytest.fail)
    assert not torch.equal(first[1].taught, again[1].taught)
    damaged = next(options["cache_dir"].glob("teacher-*")) / VALUES
    content = bytearray(damaged.read_bytes())
    content[5] ^= 1
    damaged.write_bytes(content)
    answered.clear()
    third = taught(CONFIG, split, options, answered=lambda *counts: answered.append(counts))
    assert answered == [(6, 6)]
    assert "is damaged: it is asked anew" in caplog.text
    assert all(torch.equal(a.taught, b.taught) for a, b in zip(first[1:], third[1:], strict=True))


@pytest.mark.parametrize("what", ["weights", "changes", "clips"])
def test_answers_of_another_teacher_or_to_other_sound_are_others(options: dict[str, Any], split: Split, what: str):
    before = taught(CONFIG, split, options)[1].taught
    config = CONFIG
    if what == "weights":
        save_teacher(options["checkpoints_dir"], split.id, seed=1)
    elif what == "changes":
        config = replace(CONFIG, augmentation=AugmentationConfig(noise=1, gain=1))
    else:
        split = replace(split, train=split.train[::-1])
        save_teacher(options["checkpoints_dir"], split.id)
    after = taught(config, split, options)[1].taught
    if what == "clips":
        assert torch.equal(before.flip(0), after)
    else:
        assert not torch.allclose(before, after)


def damage(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def other_emotions(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"emotions": ["ANG", "BOR"]}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (shutil.rmtree, r"--teacher teacher: There is no checkpoint 'teacher'. Available: none"),
        (damage, r"--teacher teacher: The weights of checkpoint teacher can't be loaded"),
        (other_emotions, r"its emotions are \['ANG', 'BOR'\], and not ANG, DIS"),
        (
            lambda folder: save_teacher(folder.parent, REPORT_SPLIT_ID),
            f"on the split {REPORT_SPLIT_ID}, and this run's",
        ),
        (lambda folder: save_teacher(folder.parent, None), "teacher can't be the teacher: .* clips that this run is"),
    ],
)
def test_a_teacher_that_can_not_be_one_is_refused_before_anything_is_done(
    options: dict[str, Any], change: Callable[[Path], Any], says: str
):
    change(options["checkpoints_dir"] / "teacher")
    with pytest.raises(ConfigError, match=says):
        run_experiment(CONFIG, **options)
    assert not options["cache_dir"].exists()
    assert not list(options["runs_dir"].glob("[!.]*"))


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_a_teacher_has_the_name_of_a_checkpoint(name: str):
    with pytest.raises(ConfigError, match="teacher is the name of a checkpoint, or none"):
        TrainConfig(teacher=name)


class Killed(Watcher):
    """Is ended when the teacher has answered for one copy, or after an epoch."""

    def __init__(self, by: str):
        self.by, self.copies = by, 0

    def taught(self, done: int, total: int) -> None:
        self.copies += 1
        if self.by == "teacher" and self.copies == 2:
            raise KeyboardInterrupt

    def epoch(self, epoch: Epoch) -> None:
        if self.by == "epoch":
            raise KeyboardInterrupt


@pytest.mark.parametrize("by", ["teacher", "epoch"])
def test_a_taught_run_that_was_killed_ends_as_one_that_was_not(options: dict[str, Any], by: str, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        run_experiment(CONFIG, **options, watchers=[Killed(by)])
    resumed = run_experiment(CONFIG, **options, resume=True)
    whole = run_experiment(CONFIG, **(options | {"cache_dir": tmp_path / "other"}), name="whole")
    for column, values in whole.history.items():
        if column != "seconds":
            np.testing.assert_array_equal(resumed.history[column], values)
    np.testing.assert_array_equal(resumed.predictions().probabilities, whole.predictions().probabilities)
    alone = run_experiment(replace(CONFIG, teacher="none"), **options)
    assert alone.history["val_loss"].tolist() != whole.history["val_loss"].tolist()


def test_a_run_does_not_go_on_with_a_teacher_that_has_changed(options: dict[str, Any], split: Split):
    with pytest.raises(KeyboardInterrupt):
        run_experiment(CONFIG, **options, watchers=[Killed("epoch")])
    save_teacher(options["checkpoints_dir"], split.id, seed=1)
    with pytest.raises(RunError, match=r"was begun with another teacher as teacher. Start over with --restart"):
        run_experiment(CONFIG, **options, resume=True)
    run_experiment(CONFIG, **options, restart=True)


def test_a_record_says_its_teacher(options: dict[str, Any], split: Split):
    run = run_experiment(CONFIG, **options)
    assert "-taught-by-teacher" in run.name
    teacher = run.environment.teacher
    assert teacher is not None
    assert (teacher.name, teacher.model, teacher.pretrained) == ("teacher", "1d", False)
    checkpoint = load_config(options["checkpoints_dir"] / run.name)
    assert checkpoint.provenance["environment"]["teacher"] == asdict(teacher)
    card = (options["checkpoints_dir"] / run.name / "README.md").read_text(encoding="utf-8")
    assert f"| Teacher | `teacher` ({teacher.checksum}), the report's 1D CNN" in card
    assert "50\u00a0% of each target |" in card
    assert "Whisper" not in card


def test_what_a_pretrained_network_has_taught_knows_more_than_its_clips(options: dict[str, Any], split: Split):
    """Also by a network in between."""
    save_teacher(options["checkpoints_dir"], split.id, teacher=asdict(WHISPER))
    run = run_experiment(CONFIG, **options)
    assert run.environment.teacher
    assert run.environment.teacher.pretrained
    card = model_card(run, split)
    assert "what it knows is not from these clips alone |" in card
    assert "Its teacher's first weights were those of Whisper" in card


def test_records_before_there_were_teachers_had_none(tmp_path: Path):
    write_run(tmp_path / "run")
    config = tmp_path / "run" / "config.json"
    older(config, "environment", "teacher")
    values = json.loads(config.read_text())
    for name in ("teacher", "teacher_share", "teacher_temperature"):
        del values["train"][name]
    config.write_text(json.dumps(values | {"version": 4}))
    run = load_run(tmp_path / "run")
    assert run.environment.teacher is None
    assert run.train == TrainConfig()


def test_taught_networks_stand_in_rows_of_their_own(tmp_path: Path):
    config = usual_config("conformer")
    write_run(tmp_path / "alone", config, val_accuracy=0.4)
    learned = replace(config, teacher=WHISPER.name)
    write_run(tmp_path / "taught", learned, environment={"teacher": WHISPER}, val_accuracy=0.6)
    runs, unreadable = load_runs(tmp_path)
    assert not unreadable
    assert {network_label(run): run.name for run in runs} == {
        "Conformer": "alone",
        "Conformer with a teacher": "taught",
    }
    rows = readme.best(runs).splitlines()[2:]
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| Conformer with a teacher", "`taught`"],
        ["| Conformer", "`alone`"],
    ]
    assert [run.name for run in runs if _attends(run)] == ["alone"]
    assert "| `taught` (with a teacher) |" in readme.results(runs)
    assert run_table(runs).set_index("run")["architecture"].nunique() == 2
    assert run_table(runs)["teacher"].fillna("").tolist() == ["", WHISPER.name]


def test_a_log_says_how_many_clips_the_teacher_has_answered(capsys: pytest.CaptureFixture):
    ProgressBar().taught(3, 6)
    assert capsys.readouterr().err == "teacher  3 of 6 clips\n"
