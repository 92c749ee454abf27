"""`--resume` of what can't go on leads to a next step that works: what the sentence says is done, and succeeds."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import Split
from ser_core.errors import DiskFullError, RunError
from ser_core.files import SAME_COMMAND
from ser_core.records.runs import Epoch, load_run, partial_folder
from ser_core.training.experiment import Watcher, run_experiment
from ser_core.training.saved_state import DIGEST, STATE_FILE
from ser_core.training.survey import epochs_in_progress, how_to_start
from ser_core.training.trainer import Trainer
from tests.training.small import CPU, TINY

RUN = replace(TINY, epochs=2)


class Killed(Watcher):
    def epoch(self, epoch: Epoch) -> None:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def base(corpus: Corpus, clips, feature_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all runs have in common, with folders that hold `RUN` interrupted and `whole`, the same one finished."""
    root = tmp_path_factory.mktemp("interrupted")
    parts = [[clip.name for clip in clips if not clip.defect][start : start + 6] for start in (0, 6, 12)]
    options: dict[str, Any] = {"corpus": corpus, "device": CPU, "split": Split("tiny", *map(tuple, parts))}
    options |= {"runs_dir": root / "runs", "checkpoints_dir": root / "checkpoints", "cache_dir": feature_cache}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0)
        with pytest.raises(KeyboardInterrupt):
            run_experiment(RUN, **options, watchers=[Killed()])
    run_experiment(RUN, **options, name="whole")
    return options


@pytest.fixture
def options(base: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """The same in a copy of the folders."""
    shutil.copytree(base["runs_dir"].parent, tmp_path / "copy")
    return base | {"runs_dir": tmp_path / "copy" / "runs", "checkpoints_dir": tmp_path / "copy" / "checkpoints"}


def rewritten(change: Callable[[dict[str, torch.Tensor], dict[str, str]], object]) -> Callable[[Path], None]:
    """Saves the state again, changed."""

    def rewrite(partial: Path) -> None:
        with safe_open(partial / STATE_FILE, "pt") as file:
            state, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
        change(state, metadata)
        save_file(state, partial / STATE_FILE, metadata)

    return rewrite


def cut(file: str, share: float) -> Callable[[Path], None]:
    def shorten(partial: Path) -> None:
        data = (partial / file).read_bytes()
        (partial / file).write_bytes(data[: round(share * len(data))])

    return shorten


def without_weights(state: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    for name in [name for name in state if name.startswith("best.")]:
        del state[name]


STATE_DAMAGE = {
    "empty": cut(STATE_FILE, 0),
    "cut": cut(STATE_FILE, 0.7),
    "zeros": lambda partial: (partial / STATE_FILE).write_bytes(bytes(5000)),
    "a folder": lambda partial: ((partial / STATE_FILE).unlink(), (partial / STATE_FILE).mkdir()),
    "no history": rewritten(lambda state, metadata: metadata.pop("history")),
    "half a history": rewritten(lambda state, metadata: metadata.update(history=metadata["history"][:-9])),
    "other settings": rewritten(lambda state, metadata: metadata.update(config='{"model": "9d"}')),
}


def flip(partial: Path) -> None:
    content = bytearray((partial / STATE_FILE).read_bytes())
    content[-1000] ^= 1
    (partial / STATE_FILE).write_bytes(content)


WEIGHT_DAMAGE = {
    "one bit": flip,
    "another history": rewritten(
        lambda state, metadata: metadata.update(history=metadata["history"].replace("[[1, ", "[[1, 1"))
    ),
    "no weights": rewritten(without_weights),
    "weights of another network": rewritten(
        lambda state, metadata: state.update({next(n for n in state if n.startswith("model.")): torch.zeros(3)})
    ),
}


@pytest.mark.parametrize("damage", [*STATE_DAMAGE, *WEIGHT_DAMAGE])
def test_a_damaged_state_is_a_sentence_and_restart_works(damage: str, options: dict[str, Any]):
    partial = partial_folder(options["runs_dir"], RUN.name)
    (STATE_DAMAGE | WEIGHT_DAMAGE)[damage](partial)
    if damage in STATE_DAMAGE:  # a grid, which can't be told so, does it by itself
        assert how_to_start(RUN, options["runs_dir"], options["split"]) == "restart"
    with pytest.raises(
        RunError, match=r"damaged: the run can't go on\. Start over with --restart instead of --resume\."
    ):
        run_experiment(RUN, **options, resume=True)
    assert run_experiment(RUN, **options, restart=True).test.epochs == 2


@pytest.mark.parametrize(
    "damage",
    [
        cut("config.json", 0),
        cut("config.json", 0.5),
        lambda partial: (partial / "config.json").unlink(),
        lambda partial: (partial / "config.json").write_text(json.dumps({"train": 3})),
        lambda partial: (partial / "config.json").write_bytes(b"\xff\xfe"),
    ],
)
def test_damaged_settings_are_a_sentence_and_restart_works(damage: Callable[[Path], None], options: dict[str, Any]):
    damage(partial_folder(options["runs_dir"], RUN.name))
    says = r"can't go on: its config\.json can't be read\. Start over with --restart instead of --resume, or choose"
    with pytest.raises(RunError, match=says):
        run_experiment(RUN, **options, resume=True)
    assert run_experiment(RUN, **options, restart=True).test.epochs == 2


def test_a_state_of_an_older_version_has_no_digest_and_goes_on(options: dict[str, Any]):
    partial = partial_folder(options["runs_dir"], RUN.name)
    rewritten(lambda state, metadata: metadata.pop(DIGEST))(partial)
    assert run_experiment(RUN, **options, resume=True).test.epochs == 2


@pytest.mark.parametrize(
    "damage", [cut("history.csv", 0.5), lambda partial: (partial / "history.csv").write_bytes(b"\xff\0\n" * 9)]
)
def test_a_damaged_history_is_written_anew(damage: Callable[[Path], None], options: dict[str, Any]):
    damage(partial_folder(options["runs_dir"], RUN.name))
    epochs_in_progress(options["runs_dir"], RUN.name)  # which a grid shows: nothing ends it
    run = run_experiment(RUN, **options, resume=True)
    assert list(run.history["epoch"]) == [1, 2]
    assert load_run(run.folder).metrics == load_run(options["runs_dir"] / "whole").metrics


class Said(Watcher):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def says(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.mark.parametrize("begun", [False, True])
def test_what_was_never_saved_begins_from_the_start(begun: bool, options: dict[str, Any]):
    partial = partial_folder(options["runs_dir"], RUN.name)
    (partial / STATE_FILE).unlink()
    if not begun:
        shutil.rmtree(partial)
    said = Said()
    run = run_experiment(RUN, **options, resume=True, watchers=[said])
    assert said.sentences == [f"There is nothing to resume in {partial}: training begins from the start."]
    assert run.metrics == load_run(options["runs_dir"] / "whole").metrics


def test_one_command_with_resume_finishes_however_often_it_is_stopped(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    class KilledBefore(Watcher):
        def started(self, trainer: Trainer) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0)
    command = options | {"config": RUN, "name": "looped", "resume": True}
    for killed in (KilledBefore(), KilledBefore(), Killed(), KilledBefore()):
        with pytest.raises(KeyboardInterrupt):
            run_experiment(**command, watchers=[killed])
    with pytest.raises(RunError, match=r"holds an interrupted run\. Go on with --resume"):  # which protects it
        run_experiment(**command | {"resume": False})
    said = Said()
    run = run_experiment(**command, watchers=[said])
    assert (run.test.epochs, said.sentences) == (2, [])
    assert run.metrics == load_run(options["runs_dir"] / "whole").metrics


def test_resume_does_not_replace_weights_without_a_record(options: dict[str, Any]):
    shutil.rmtree(partial_folder(options["runs_dir"], RUN.name))
    (options["checkpoints_dir"] / RUN.name).mkdir()
    says = r"weights that have no record .* replace them with --restart instead of --resume\."
    with pytest.raises(RunError, match=says):
        run_experiment(RUN, **options, resume=True)
    assert run_experiment(RUN, **options, restart=True).test.epochs == 2


def test_an_interrupted_run_goes_on_to_its_own_epochs_and_to_no_others(options: dict[str, Any]):
    says = r"run of 2 epochs, .* become one of 3\. Go on with --epochs 2 --resume, or train 3 with --restart instead"
    with pytest.raises(RunError, match=says):
        run_experiment(replace(RUN, epochs=3), **options, resume=True)
    assert run_experiment(RUN, **options, resume=True).test.epochs == 2


def test_a_finished_run_does_not_go_on(options: dict[str, Any]):
    says = r"already holds a finished run\. Replace it with --restart instead of --resume, or choose another --name\."
    with pytest.raises(RunError, match=says):
        run_experiment(RUN, **options, name="whole", resume=True)
    longer = replace(RUN, epochs=3)
    says = (
        r"finished run of 2 epochs, .* become one of 3\. Train 3 with --restart instead of --resume, or under another"
    )
    with pytest.raises(RunError, match=says):
        run_experiment(longer, **options, name="whole", resume=True)
    assert run_experiment(longer, **options, name="longer").test.epochs == 3
    shorter = load_run(options["runs_dir"] / "whole")
    said = Said()
    longer_run = run_experiment(longer, **options, name="whole", restart=True, watchers=[said])
    assert longer_run.test.epochs == 3
    kept = load_run(options["runs_dir"] / "whole-2")
    assert replace(kept, name=shorter.name, folder=shorter.folder) == shorter
    assert said.sentences == [f"Keeps the record of 2 epochs in {shorter.folder}, when it is whole, as whole-2."]


def test_of_a_run_with_other_settings_nothing_is_kept(options: dict[str, Any]):
    run_experiment(replace(RUN, epochs=3, seed=1), **options, name="whole", restart=True)
    assert not (options["runs_dir"] / "whole-2").exists()


@pytest.mark.parametrize(("saved", "resume"), [(0, False), (1, False), (0, True), (1, True)])
def test_a_run_that_a_full_disk_stops_goes_on_as_it_says(
    saved: int, resume: bool, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    """Safetensors has an error of its own for it; what was saved before is not lost."""
    states: list[Path] = []
    partial = partial_folder(options["runs_dir"], RUN.name)
    shutil.rmtree(partial)

    def no_room(tensors: dict, path: Path, metadata: dict) -> None:
        states.append(path)
        if len(states) > saved:
            path.write_bytes(b"half")
            raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
        save_file(tensors, path, metadata)

    with monkeypatch.context() as patch:
        patch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0)
        patch.setattr("safetensors.torch.save_file", no_room)
        again = "the same command with --resume goes on" if saved and not resume else "the same command goes on"
        says = f"The disk of {partial} is full. Make room there, and {again}: what was saved is not lost."
        with pytest.raises(DiskFullError, match=f"^{re.escape(says)}$"):
            run_experiment(RUN, **options, resume=resume)
    assert not list(partial.glob(".*"))
    run = run_experiment(RUN, **options, resume=resume or bool(saved))
    assert run.metrics == load_run(options["runs_dir"] / "whole").metrics


@pytest.mark.parametrize(("saved", "again"), [(True, "the same command with --resume goes on"), (False, SAME_COMMAND)])
def test_a_full_disk_that_python_tells_of_is_the_same_sentence(saved: bool, again: str, options: dict[str, Any]):
    class Full(Watcher):
        def epoch(self, epoch: Epoch) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/logs/today")

    partial = partial_folder(options["runs_dir"], "full")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ser_core.training.experiment.SAVE_EVERY_SECONDS", 0 if saved else 1000)
        with pytest.raises(DiskFullError, match=rf"^The disk of /logs is full\. Make room there, and {again}: what"):
            run_experiment(RUN, **options, name="full", watchers=[Full()])
    assert (partial / STATE_FILE).exists() == saved
    assert run_experiment(RUN, **options, name="full", resume=saved).test.epochs == 2
