"""Studies, what a grid finds on disk, and small grids that are really trained, killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from ser_core import places
from ser_core.analysis.report import REPORT_RESULTS
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.clips import load_index
from ser_core.corpus.splits import load_split
from ser_core.errors import RunError
from ser_core.records.runs import alone, load_run, load_runs, partial_folder
from ser_core.records.schema import UNKNOWN
from ser_core.training import command as train
from ser_core.training import grid_command as grid
from ser_core.training import grid_progress
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.device import Device
from ser_core.training.estimate import Estimator, training_flops
from ser_core.training.future import future_study
from ser_core.training.jobs import default_jobs
from ser_core.training.pool import MAX_ATTEMPTS, LocalPool, log_of, remove_logs, train_all
from ser_core.training.study import STUDIES, report_study, with_epochs
from ser_core.training.survey import Entry, How, epochs_in_progress, how_to_start, survey
from tests.helpers import LONG, QUICK, ROOT
from tests.made_records import write_run, write_state

SAVE_ALWAYS = (
    "import sys, ser_core.training.experiment as e; e.SAVE_EVERY_SECONDS = 0\n"
    "from ser_core.training.command import main; main(sys.argv[1:])"
)


def test_a_split_of_ones_own_is_trained_once(tmp_path: Path):
    """The study of speakers has five splits, each of which it takes the place of."""
    names = list(load_index())
    (tmp_path / "mine.json").write_text(json.dumps({"train": names[:4], "val": names[4:6], "test": names[6:8]}))
    configs = grid.configurations(grid.parse_arguments(["speakers", "--split", str(tmp_path / "mine.json")]))
    assert len({config.name for config in configs}) == len(configs) == len(STUDIES["speakers"]()) / 5


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    """A grid takes fewer threads; the tests after it don't."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def local_pool(args: grid.GridCommand, runs_dir: Path, slots: int = 2) -> LocalPool:
    """Train as `grid.py` does, but save after every epoch."""

    def command(entry: Entry, how: How) -> Sequence[str]:
        return [sys.executable, "-c", SAVE_ALWAYS, *grid.train_command(entry, how, args)[4:]]

    return LocalPool(command, runs_dir, slots, threads=1)


def test_the_report_is_32_runs_with_its_names_and_its_best_first():
    names = [config.name for config in report_study()]
    assert len(names) == len(set(names)) == 32
    assert set(REPORT_RESULTS) <= set(names)
    assert names[:2] == ["lr0.001-SiLU-2D", "lr0.01-ELU-1D"]
    assert sum(name.endswith(("-1D", "-2D", "-Combined")) for name in names) == 27


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("epochs", [3, 150])
def test_train_is_told_exactly_what_the_grid_means(study: str, epochs: int):
    args = grid.parse_arguments([study, "--epochs", str(epochs)])
    *others, last = grid.configurations(args)
    usual = [*(config for config in others if config.seed == 42), last]
    if epochs != 3:  # all else has been told with the others
        usual = usual[:3]
    unusual = [replace(usual[0], batch_size=8, weight_decay=0.5, audio=AudioConfig(vad="none", normalize=False))]
    for entry in survey([*usual, *unusual], Path("/nowhere")):
        command = grid.train_command(entry, "resume", args)
        assert command[:4] == [sys.executable, "-m", "ser_core", "train"]
        parsed = train.parse_arguments(command[4:])
        assert parsed.config == entry.config
        assert parsed.config.name == entry.config.name
        assert parsed.resume
        assert not parsed.restart


def test_a_grid_knows_what_is_recorded(tmp_path: Path):
    config = TrainConfig(epochs=3, warmup_epochs=3)
    (entry,) = survey([config], tmp_path)
    assert (entry.state, entry.epochs_left, how_to_start(config, tmp_path)) == ("missing", 3, "start")

    write_run(tmp_path / config.name, config)
    (entry,) = survey([config], tmp_path)
    assert (entry.state, entry.epochs_left) == ("recorded", 0)
    (longer,) = survey(with_epochs([config], 5), tmp_path)
    assert (longer.state, longer.epochs_left, how_to_start(longer.config, tmp_path)) == ("shorter", 5, "restart")
    (shorter,) = survey(with_epochs([config], 2), tmp_path)
    assert shorter.state == "recorded"

    (tmp_path / config.name / "test.json").write_text("{")
    (entry,) = survey([config], tmp_path)
    assert entry.state == "unreadable"
    assert "can't be read" in entry.reason


@pytest.mark.parametrize("status", ["diverged", "chance"])
def test_a_run_that_learned_nothing_is_not_trained_again(tmp_path: Path, status: str):
    config = TrainConfig(epochs=3, warmup_epochs=3)
    write_run(tmp_path / config.name, config, status=status)
    (entry,) = survey([config], tmp_path)
    assert entry.state == "recorded"
    assert entry.run.status == status


OTHERS = {"seed 7 instead of 42": {"seed": 7}, "vad energy instead of silero": {"audio": AudioConfig(vad="energy")}}


@pytest.mark.parametrize(("difference", "settings"), OTHERS.items())
@pytest.mark.parametrize("folder", ["record", "interrupted"])
def test_a_name_that_is_taken_by_other_settings_is_told_from_what_is_recorded(
    folder: str, difference: str, settings: dict, tmp_path: Path
):
    config = TrainConfig(epochs=3, warmup_epochs=3)
    place = tmp_path / config.name if folder == "record" else partial_folder(tmp_path, config.name)
    write_run(place, replace(config, **settings))
    if folder == "interrupted":
        write_state(place, config)
    for epochs in (2, 3, 5):
        (entry,) = survey(with_epochs([config], epochs), tmp_path)
        assert (entry.state, entry.run, entry.epochs_left, entry.to_train) == ("other settings", None, 0, False)
        assert f"{place} holds a run that is not {config.name} as asked for ({difference})." == entry.reason
    pool = Mock(slots=1)
    assert train_all([entry], pool, Mock()) == {}
    pool.start.assert_not_called()


@pytest.mark.parametrize("folder", ["record", "interrupted"])
def test_a_run_in_another_precision_than_somebody_asks_for_is_not_that_run(folder: str, tmp_path: Path):
    config = TrainConfig(epochs=3, warmup_epochs=3)
    place = tmp_path / config.name if folder == "record" else partial_folder(tmp_path, config.name)
    write_run(place, config, environment={"precision": "fp32"})
    if folder == "interrupted":
        write_state(place, config)
    for precision in ("auto", "fp32"):
        assert survey([config], tmp_path, Compute(precision=precision))[0].state in ("recorded", "interrupted")
    (entry,) = survey([config], tmp_path, Compute(precision="bf16"))
    assert (entry.state, entry.to_train) == ("other settings", False)
    assert "as asked for (precision fp32 instead of bf16)." in entry.reason
    assert how_to_start(config, tmp_path, compute=Compute(precision="bf16")) == "restart"


def test_a_split_file_that_changed_is_another_split(tiny: Path, tmp_path: Path):
    path = tmp_path / "tiny.json"
    path.write_text(tiny.read_text())
    config = TrainConfig(split=str(path), epochs=3, warmup_epochs=3)
    write_run(tmp_path / config.name, config, environment={"split_id": load_split(str(path)).id})
    assert survey([config], tmp_path)[0].state == "recorded"
    assert survey([replace(config, split=str(tiny))], tmp_path)[0].state == "recorded"  # the same clips
    parts = json.loads(path.read_text())
    path.write_text(json.dumps(parts | {"test": parts["test"][1:]}))
    (entry,) = survey([config], tmp_path)
    assert entry.state == "other settings"
    assert "with other clips" in entry.reason


@LONG
def test_a_grid_lists_a_taken_name_leaves_it_and_trains_the_rest(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
):
    taken = tmp_path / "runs" / QUICK[0]
    write_run(taken, TrainConfig(model="1d", activation="elu", lr=0.01, form="mean", seed=7))
    record = (taken / "test.json").read_bytes()
    options += ["--epochs", "1", "--jobs", "1"]
    grid.main([*options, "--list"])
    listed = capsys.readouterr().out
    assert "1 missing, 1 other settings; 2 in all." in listed
    assert "seed 7 instead of 42" in listed
    grid.main([*options, "--list", "--precision", "fp32"])
    assert "precision bf16 instead of fp32" in capsys.readouterr().out
    for _ in range(2):  # the second time there is nothing to train
        with pytest.raises(SystemExit) as stop:
            grid.main(options)
        assert stop.value.code == 1
        output = capsys.readouterr()
        assert f"not trained: {QUICK[0]}: " in output.err
        assert "seed 7 instead of 42" in output.err
        assert "recorded" not in output.out
    assert load_run(tmp_path / "runs" / QUICK[1]).test.epochs == 1
    assert (taken / "test.json").read_bytes() == record


def test_a_run_that_was_killed_when_all_was_done_is_not_trained_again(tmp_path: Path):
    config = TrainConfig(epochs=3, warmup_epochs=3)
    (entry,) = survey([config], tmp_path)
    pool = LocalPool(lambda *_: ["sh", "-c", "kill -9 $$"], tmp_path, 1, 1)
    pool.start(entry)
    write_run(tmp_path / config.name, config)
    outcomes: dict[str, str | None] = {}
    wait_for(lambda: outcomes.update(pool.ended()) or outcomes)
    assert outcomes == {config.name: None}
    assert pool.attempts[config.name] == 1


def test_a_run_without_memory_gets_advice_that_a_grid_can_follow(tmp_path: Path):
    says = "error: Out of memory. Make --batch-size smaller, or close other programs."
    pool = LocalPool(lambda *_: ["sh", "-c", f"echo '{says}'; exit 2"], tmp_path, 1, 1, grid.LESS_MEMORY)
    (entry,) = survey([TrainConfig()], tmp_path)
    pool.start(entry)
    outcomes: dict[str, str | None] = {}
    wait_for(lambda: outcomes.update(pool.ended()) or outcomes)
    reason = outcomes[entry.name] or ""
    assert reason.startswith("Out of memory. Make --jobs smaller")
    assert "--batch-size" not in reason


def test_a_run_in_progress_for_another_length_is_begun_anew(tmp_path: Path):
    config = TrainConfig(epochs=3, warmup_epochs=3)
    partial = partial_folder(tmp_path, config.name)
    write_run(partial, config)
    write_state(partial, config)
    (entry,) = survey([config], tmp_path)
    assert (entry.state, entry.epochs_done) == ("interrupted", 3)
    assert how_to_start(config, tmp_path) == "resume"
    (longer,) = with_epochs([config], 5)
    assert how_to_start(longer, tmp_path) == "restart"
    assert survey([longer], tmp_path)[0].state == "missing"
    started = json.loads((partial / "config.json").read_text())
    del started["train"]["select"], started["version"]  # the first, which had no such setting
    (partial / "config.json").write_text(json.dumps(started))
    assert how_to_start(config, tmp_path) == "resume"
    (partial / "config.json").write_text("{")
    assert how_to_start(config, tmp_path) == "restart"


@pytest.mark.parametrize(("cores", "gigabytes", "jobs"), [(2, 24, 2), (16, 24, 6), (4, 2, 1)])
def test_a_cpu_trains_a_run_on_each_core_that_has_memory(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: int, jobs: int
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": gigabytes * 2**18}.__getitem__)
    assert default_jobs(Device.choose("cpu")) == jobs


@pytest.mark.parametrize("jobs", ["0", "-1"])
@pytest.mark.parametrize("more", [[], ["--list"]])
def test_no_run_at_once_is_a_sentence(jobs: str, more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        grid.main(["report", "--device", "cpu", "--out", str(tmp_path), "--jobs", jobs, *more])
    assert f"--jobs is 1 or more, not {jobs}." in capsys.readouterr().err


@LONG
def test_two_runs_are_trained_recorded_and_then_skipped(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
):
    options += ["--epochs", "2", "--jobs", "2"]
    grid.main([*options, "--list"])
    listed = capsys.readouterr().out
    assert "2 missing; 2 in all." in listed
    assert f"left on {Device.choose('cpu').label}, 2 runs at once (a guess" in listed
    grid.main(options)
    runs, unreadable = load_runs(tmp_path / "runs")
    assert sorted(run.name for run in runs) == sorted(QUICK)
    assert not unreadable
    for run in runs:
        assert run.test.epochs == 2
        assert (tmp_path / "checkpoints" / run.name / "model.safetensors").is_file()
    assert "2 of 2 runs" in capsys.readouterr().err
    before = (runs[0].folder / "test.json").stat().st_mtime_ns
    grid.main(options)
    assert "Nothing is left to train: 2 runs recorded." in capsys.readouterr().out
    assert (runs[0].folder / "test.json").stat().st_mtime_ns == before
    grid.main([*options, "--list"])
    assert "2 recorded; 2 in all." in capsys.readouterr().out


@LONG
def test_a_grid_that_was_stopped_and_whose_run_was_killed_ends_as_if_nothing_had_happened(
    options: list[str], tmp_path: Path
):
    args = grid.parse_arguments([*options, "--epochs", "12"])
    configs, runs_dir = grid.configurations(args), tmp_path / "runs"
    trained: list[tuple[str, int]] = []

    class Stop(Exception):  # noqa: N818
        pass

    def stop_midway(running: Sequence[Entry], ended: object) -> None:
        if any(epochs_in_progress(runs_dir, entry.name) >= 3 for entry in running):
            raise Stop

    with pytest.raises(Stop):
        train_all(survey(configs, runs_dir), local_pool(args, runs_dir), stop_midway)
    entries = survey(configs, runs_dir)
    assert "interrupted" in {entry.state for entry in entries}
    assert load_runs(runs_dir) == ([], {})

    pool = local_pool(args, runs_dir)

    def kill_one(running: Sequence[Entry], ended: dict[str, str | None]) -> None:
        trained.extend((name, len(pool.processes)) for name in ended)
        for name, process in pool.processes.items():
            if pool.attempts[name] == 1 and epochs_in_progress(runs_dir, name) >= 5:
                os.kill(process.pid, signal.SIGKILL)
                time.sleep(0.5)
                return

    assert train_all(entries, pool, kill_one) == {}
    assert max(pool.attempts.values()) == 2
    assert sorted(name for name, _ in trained) == sorted(QUICK)
    assert {entry.state for entry in survey(configs, runs_dir)} == {"recorded"}

    whole = tmp_path / "whole"
    args = replace(args, out=whole)
    torch.set_num_threads(1)  # as the pool's
    for entry in survey(configs, whole / "runs"):
        train.main(grid.train_command(entry, "start", args)[4:])
    for name in QUICK:
        broken, unbroken = load_run(runs_dir / name), load_run(whole / "runs" / name)
        for column in ("epoch", "train_loss", "val_loss", "lr"):
            np.testing.assert_array_equal(broken.history[column], unbroken.history[column])
        assert broken.metrics == unbroken.metrics


@pytest.mark.parametrize("how", ["the grid is stopped", "the run is killed"])
def test_the_workers_of_a_run_end_with_it(how: str, tmp_path: Path):
    """A run computes features in processes of its own, which a signal to the run alone doesn't reach."""
    worker = tmp_path / "worker"
    pool = LocalPool(
        lambda *_: ["sh", "-c", f"sleep 300 & echo $! > {worker}.new; mv {worker}.new {worker}; wait"], tmp_path, 1, 1
    )
    entry = survey([TrainConfig()], tmp_path)[0]
    pool.attempts[entry.name] = MAX_ATTEMPTS
    pool.start(entry)
    wait_for(worker.exists)
    if how == "the grid is stopped":
        pool.stop()
    else:
        pool.processes[entry.name].kill()
        wait_for(pool.ended)
    pid = int(worker.read_text())
    wait_for(lambda: not is_running(pid))


KILLED_GRID = """
import sys, time
from pathlib import Path
from ser_core.training.config import TrainConfig
from ser_core.training.pool import LocalPool
from ser_core.training.survey import survey
hang = "import os, sys, time; from pathlib import Path; import ser_core.training.command as train; "
hang += "train.parse_arguments = lambda *_: (Path(sys.argv[1]).write_text(str(os.getpid())), time.sleep(300)); "
hang += "train.main()"
folder = Path(sys.argv[1])
pool = LocalPool(lambda entry, how: [sys.executable, "-c", hang, str(folder / entry.name)], folder / "runs", 2, 1)
for entry in survey([TrainConfig(model=model, activation="elu") for model in ("1d", "2d")], folder / "runs"):
    pool.start(entry)
time.sleep(300)
"""


def test_the_runs_of_a_killed_grid_end_with_it(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", KILLED_GRID, str(tmp_path)], cwd=ROOT) as process:
        wait_for(lambda: len([path for path in tmp_path.glob("lr*") if path.read_text()]) == 2)
        runs = [int(path.read_text()) for path in tmp_path.glob("lr*")]
        assert all(map(is_running, runs))
        process.kill()
    wait_for(lambda: not any(map(is_running, runs)))


def test_the_log_of_a_run_that_was_recorded_when_its_grid_was_killed_is_removed(tmp_path: Path):
    configs = [TrainConfig(model=model, activation="elu", epochs=3, warmup_epochs=3) for model in ("1d", "2d")]
    logs = [log_of(tmp_path, config.name) for config in configs]
    write_run(tmp_path / configs[0].name, configs[0])
    for log in logs:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("what it said")
    entries = survey(configs, tmp_path)
    with alone(tmp_path, configs[0].name):  # somebody trains it
        remove_logs(entries, tmp_path)
    assert all(log.exists() for log in logs)
    remove_logs(entries, tmp_path)
    assert [log.exists() for log in logs] == [False, True]  # why the other failed can still be read


def wait_for(holds: Callable[[], object]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process exists and has not ended; one that nobody waits for stays listed as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@LONG
def test_a_failure_does_not_stop_the_rest_and_is_listed(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / QUICK[0]).write_text("a file where a folder should be")
    with pytest.raises(SystemExit) as stop:
        grid.main([*options, "--epochs", "1", "--jobs", "1"])
    assert stop.value.code == 1
    assert f"failed: {QUICK[0]}: " in capsys.readouterr().err
    assert [run.name for run in load_runs(tmp_path / "runs")[0]] == [QUICK[1]]


def test_one_run_is_trained_by_one_process(options: list[str], tmp_path: Path):
    with alone(tmp_path, "x"), pytest.raises(RunError, match="another process"), alone(tmp_path, "x"):
        pass
    with alone(tmp_path, "x"):
        pass


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "--out", "README.md"], "README.md is none. Choose another folder."),
        (["report", "--out", "README.md", "--list"], "README.md is none. Choose another folder."),
        (["report", "--out", "/proc/x"], "Nothing can be written to /proc"),
        (["report", "--cache", "README.md"], "README.md is none. Choose another folder."),
        (["report", "--only", "lr9-*"], "No run of report is called lr9"),
        (["report", "--epochs", "0"], "epochs is a number"),
        (["report", "--split", "/nowhere.json", "--list"], "no split file"),
        (["report", "--ray", "127.0.0.1:9"], "No Ray cluster answers at 127.0.0.1:9"),
        (["everything"], "study takes future, recordings, report or speakers, not 'everything'"),
    ],
)
def test_the_command_fails_with_a_sentence(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture
):
    with pytest.raises(SystemExit) as stop:
        grid.main([*arguments, *([] if "--out" in arguments else ["--out", str(tmp_path)])])
    assert stop.value.code == 2
    output = capsys.readouterr().err
    assert says in output
    assert "Traceback" not in output


def test_a_split_file_whose_name_no_run_can_have_is_refused(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "two words.json"
    path.write_bytes(tiny.read_bytes())
    with pytest.raises(SystemExit, match="2"):
        grid.main(["report", "--split", str(path), "--out", str(tmp_path / "out")])
    assert "split's file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_installed_grid_knows_the_records_that_come_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """One's own come first, whatever they are; what is shipped is recorded, or at least a shorter run."""
    monkeypatch.delenv("SER_RUNS_DIR", raising=False)
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "ser_core")
    monkeypatch.chdir(tmp_path)
    mine, shipped, shorter, other, missing = STUDIES["report"]()[:5]
    write_run(tmp_path / "runs" / mine.name, replace(mine, epochs=30))
    for config in (mine, shipped, replace(shorter, epochs=30), replace(other, seed=7)):
        write_run(tmp_path / "ser_core" / "shipped" / "runs" / replace(config, seed=42).name, config)
    before = sorted(tmp_path.rglob("*"))
    names = [config.name for config in (mine, shipped, shorter, other, missing)]
    grid.main(["report", "--list", "--device", "cpu", "--only", *names])
    lines = capsys.readouterr().out.splitlines()
    states = {line.split("  ")[0]: line for line in lines[1:6]}
    for name, state in zip(names, ("fewer epochs", "recorded", "fewer epochs", "missing", "missing"), strict=True):
        assert f"  {state}  " in states[name], name
    grid.main(["report", "--device", "cpu", "--only", shipped.name])
    assert capsys.readouterr().out == "Nothing is left to train: 1 run recorded.\n"
    assert sorted(tmp_path.rglob("*")) == before
    grid.main(["report", "--list", "--device", "cpu", "--only", shipped.name, "--out", str(tmp_path / "else")])
    assert "1 missing" in capsys.readouterr().out


def test_who_trains_in_another_precision_than_is_recorded_is_told_so(tmp_path: Path, capsys):
    configs = STUDIES["future"]()[:2]
    write_run(tmp_path / configs[0].name, configs[0], environment={"precision": "fp32"})
    entries = survey(configs, tmp_path)
    told = "1 run of these is recorded in fp32, and new ones are trained in bf16 here."
    for compute, said in ((Compute("cpu", "bf16"), True), (Compute("cpu", "fp32"), False)):
        estimator = Mock(device=Device.of(compute), epoch_seconds=lambda config: 1.0)
        grid_progress.print_list(entries, estimator, 1, [])
        assert (told in capsys.readouterr().out) == said
    bf16 = Device.of(Compute("cpu", "bf16"))
    assert grid_progress.other_precision(entries, bf16).endswith("--precision fp32 trains such.")
    assert not grid_progress.other_precision(survey(configs[1:], tmp_path), bf16)  # nothing is recorded


def test_a_record_that_was_computed_otherwise_than_most_is_named(tmp_path: Path):
    configs = [config for config in STUDIES["report"]() if config.model != "1d"][:3]
    for config, numerics in zip(configs, ("pytorch", "winograd", "winograd"), strict=True):
        write_run(tmp_path / config.name, config, environment={"numerics": numerics})
    (said,) = grid_progress.unlike_most(survey(configs, tmp_path), load_runs(tmp_path)[0])
    assert said.startswith(f"Other numerics than most has {configs[0].name} (pytorch, they have winograd)")
    assert "--numerics winograd" in said
    assert not grid_progress.unlike_most(survey(configs[1:], tmp_path), load_runs(tmp_path)[0])
    write_run(tmp_path / "its-twin", configs[0], environment={"numerics": "winograd"})
    assert not grid_progress.unlike_most(survey(configs, tmp_path), load_runs(tmp_path)[0])
    write_run(tmp_path / configs[0].name, configs[0], environment={"numerics": UNKNOWN})
    assert not grid_progress.unlike_most(survey(configs, tmp_path), [])


def test_the_list_has_the_validation_accuracy_by_which_settings_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    config = STUDIES["report"]()[0]
    write_run(tmp_path / "runs" / config.name, config, val_accuracy=0.625)
    grid.main(["report", "--list", "--device", "cpu", "--only", config.name, "--out", str(tmp_path)])
    header, first, *_ = capsys.readouterr().out.splitlines()
    assert header.split() == ["run", "state", "epochs", "validation", "time", "left"]
    assert first.split()[-2] == "62.5%"
    assert header.index("validation") + len("validation") == first.index("62.5%") + len("62.5%")


def test_estimates_follow_the_records(tmp_path: Path):
    cpu, config = Device.choose("cpu"), TrainConfig(epochs=3, warmup_epochs=3)
    write_run(tmp_path / "other", config, device="another machine")
    assert not Estimator(load_runs(tmp_path)[0], cpu).measured
    numerics = ("pytorch", "winograd")
    expected, other = numerics[cpu.winograd], numerics[not cpu.winograd]
    write_run(tmp_path / "otherwise", config, device=cpu.label, environment={"numerics": other})
    assert not Estimator(load_runs(tmp_path)[0], cpu).measured
    write_run(tmp_path / "same", config, device=cpu.label, environment={"numerics": expected})
    runs = load_runs(tmp_path)[0]
    begun = [replace(run, history={column: values[:1] for column, values in run.history.items()}) for run in runs]
    assert not Estimator(begun, cpu).measured  # the first epoch is slow
    estimator = Estimator(runs, cpu)
    assert estimator.measured
    clips = 4948 / 3  # the record is of 3 clips an epoch, at 2 seconds
    assert estimator.epoch_seconds(config) == pytest.approx(2 * clips)
    ratio = training_flops(replace(config, model="combined")) / training_flops(config)
    assert estimator.epoch_seconds(replace(config, model="combined")) == pytest.approx(2 * clips * ratio)
    assert [grid_progress.duration(s) for s in (1, 60, 61, 3600, 9000)] == [
        "1 min",
        "1 min",
        "2 min",
        "1 h 00 min",
        "2 h 30 min",
    ]


def test_the_bar_ends_at_its_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Shares of 59.3 s, added up one by one, exceed their total by a rounding error."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    missing = survey([TrainConfig(epochs=30), TrainConfig(epochs=30, model="1d")], tmp_path)
    display = grid_progress.Display(missing, Mock(epoch_seconds=Mock(return_value=59.3)), tmp_path)
    for left in range(29, -1, -1):
        for entry in missing:
            display._advance(entry.name, left)
    assert display.bar.n == display.bar.total
    display.close()


def test_progress_is_drawn_on_a_terminal_and_a_line_a_minute_in_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(grid_progress, "time", clock := Mock())
    missing = survey([TrainConfig(epochs=30), TrainConfig(epochs=30, model="1d")], tmp_path)
    history = partial_folder(tmp_path, missing[0].name) / "history.csv"
    history.parent.mkdir(parents=True)

    def output_of_three_epochs() -> str:
        display = grid_progress.Display(missing, Mock(epoch_seconds=Mock(return_value=60)), tmp_path)
        for second, epochs in ((0, 0), (30, 1), (70, 2), (131, 2), (132, 3)):
            clock.monotonic.return_value = second
            history.write_text("epoch\n" + "1\n" * epochs)
            display.watch(missing, {})
        display.close()
        return capsys.readouterr().err

    names = [entry.name for entry in missing]
    lines = [f"0 of 2 runs, {names[0]} {epochs}/30, {names[1]} 0/30" for epochs in (0, 2, 3)]
    assert output_of_three_epochs().splitlines() == lines
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert "\r0 of 2 runs   5%|" in output_of_three_epochs()


def test_the_operations_of_a_network_are_counted():
    """Three products (forward, and gradients of input and weights) of the 1D network's convolutions."""
    convolutions = sum(2 * 3 * i * o * n for i, o, n in ((27, 128, 301), (128, 256, 150), (256, 512, 75)))
    assert training_flops(TrainConfig(model="1d")) == pytest.approx(3 * convolutions, rel=0.05)


def test_the_operations_of_a_network_are_those_of_its_settings():
    """The base looks at every third frame and has no head; the larger network is wider, and has another block."""
    small, large = (training_flops(usual_config(name)) for name in ("conformer", "conformer-large"))
    base = training_flops(next(config for config in future_study() if "-base" in config.name))
    assert 3 * base < small < large
