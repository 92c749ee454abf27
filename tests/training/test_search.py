"""A search for settings: resumed, by several workers, and without a look at the test clips."""

import json
import re
import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from ser_core.errors import ConfigError, DiskFullError, RunError
from ser_core.models.registry import build_model
from ser_core.records.searches import load_search
from ser_core.training import grid_command, search_command, search_storage
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.flags import command_line
from ser_core.training.ray_search import Board, Report, search_on
from ser_core.training.search import (
    FIRST_TRIALS,
    Loaded,
    Search,
    Trained,
    begin_again,
    only_one,
    open_study,
    take,
    train_trial,
    work,
)
from ser_core.training.search_results import FEWEST_FOR_IMPORTANCE, can_be_read, devices_of, found_in, searches_in
from ser_core.training.search_space import SPACE, Range, how_to_train, retypable, suggest
from ser_core.training.search_storage import storage_errors, tables_in
from ser_core.training.trainer import Trainer
from tests.helpers import LONG
from tests.training.small import CPU, tensors

BASE = usual_config("conformer", epochs=4, warmup_epochs=1, copies=0, width=64, blocks=1)
QUICK = {"width": 32, "blocks": 1, "head": "none"}


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path / "search.sqlite", 3, BASE)


def values() -> dict:
    """Some proposal of the whole space."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    return suggest(study.ask())


def test_every_proposal_is_a_training_that_differs_in_nothing_but_what_is_searched(search: Search):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    usual = search.base.flat
    for _ in range(50):
        proposed = suggest(study.ask())
        config = search.config(proposed)
        assert proposed.keys() == SPACE.keys()
        assert {name for name, value in config.flat.items() if value != usual[name]} <= SPACE.keys()
        assert config.features == search.base.features  # computed once
        assert config.audio == search.base.audio


@pytest.mark.parametrize("end", ["low", "high"])
def test_the_ends_of_all_ranges_are_trainings(search: Search, end: str):
    ends = {name: getattr(kind, end) if isinstance(kind, Range) else kind[-1] for name, kind in SPACE.items()}
    config = search.config({name: int(value) if name in ("blocks", "width") else value for name, value in ends.items()})
    build_model(config.model, config.activation, config.form, config.features, config.network)


def test_the_best_is_trained_by_the_command_that_is_printed(search: Search, tiny: Path, tmp_path: Path):
    config = search.config(values())
    from ser_core.training.command import parse_arguments

    usual = usual_config(config.model)
    whole = replace(config, epochs=usual.epochs, warmup_epochs=usual.warmup_epochs)  # a search is shorter
    assert parse_arguments(how_to_train(config).split()).config == whole
    mine = tmp_path / "my split.json"
    mine.write_bytes(tiny.read_bytes())
    asked = parse_arguments(shlex.split(how_to_train(replace(config, split=str(mine)), "bf16")))
    assert (asked.config, asked.compute.precision) == (replace(whole, split=str(mine)), "bf16")
    assert len(how_to_train(config).split()) < len(command_line(config))
    assert not re.search(r"\d{7}", how_to_train(config))  # nobody types 0.15000000000000002


def test_there_are_never_more_trials_than_asked_for_and_the_next_search_goes_on(search: Search):
    study = open_study(search)
    first, second = take(study, search), take(open_study(search, 1), search)
    assert first
    assert second
    study.tell(first, 0.5)
    study.tell(second, state=TrialState.PRUNED)
    assert take(study, search)
    assert take(study, search) is None  # the third is still being trained
    with only_one(search), pytest.raises(ConfigError, match="Another search goes on"):
        only_one(search)


def test_what_was_trained_when_a_search_was_killed_is_trained_again(search: Search):
    study = open_study(search)
    killed = take(study, search)
    assert killed
    proposed = suggest(killed)
    begin_again(search, "fp32")
    states = [trial.state for trial in open_study(search).trials]
    assert states == [TrialState.FAIL, *2 * [TrialState.WAITING]]  # and what the network has by itself
    again = take(open_study(search), search)
    assert again
    assert suggest(again) == proposed


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, RuntimeError])
def test_a_search_that_is_stopped_or_fails_at_its_first_trial_begins_with_it_again(
    stopped: type[BaseException], corpus, tiny: Path, feature_cache: Path, tmp_path: Path, monkeypatch
):
    def stop(*_):
        raise stopped

    base = usual_config("conformer", epochs=1, copies=0, split=str(tiny))
    search = Search(tmp_path / "search.sqlite", 3, base, corpus.folder, feature_cache)
    monkeypatch.setattr("ser_core.training.search.train_trial", stop)
    for _ in range(2):
        begin_again(search, "fp32")
        with pytest.raises(stopped):
            work((search, 0))
    begin_again(search, "fp32")
    waiting = open_study(search).get_trials(states=(TrialState.WAITING,))
    assert len(waiting) == 1  # and not one for each time
    trial = take(open_study(search), search)
    assert trial
    assert search.config(suggest(trial)) == base


def test_trials_of_a_split_that_had_the_same_name_are_not_gone_on_with(tiny: Path, tmp_path: Path):
    split = tmp_path / "mine.json"
    split.write_text(tiny.read_text())
    search = Search(tmp_path / "search.sqlite", 3, usual_config("conformer", epochs=1, copies=0, split=str(split)))
    begin_again(search, "fp32")
    begin_again(search, "fp32")
    split.write_text(json.dumps({part: names[:12] for part, names in json.loads(tiny.read_text()).items()}))
    with pytest.raises(ConfigError, match=r"of other clips: another split had the name .*mine\.json"):
        begin_again(search, "fp32")


def test_all_trials_of_a_search_are_of_one_precision(search: Search):
    begun = begin_again(search, "fp32")
    assert begun.compute.precision == "fp32"
    assert found_in(open_study(search)).precision == "fp32"
    assert begin_again(search, "bf16") == begun  # on a machine where another is usual
    with pytest.raises(ConfigError, match="trained in fp32, and figures of bf16 aren't compared"):
        begin_again(replace(search, compute=Compute(precision="bf16")), "bf16")


def test_a_search_with_other_ranges_is_another_one(search: Search, monkeypatch: pytest.MonkeyPatch):
    begin_again(search, "fp32")
    monkeypatch.setattr("ser_core.training.search.THIS_SPACE", "another")
    with pytest.raises(ConfigError, match="of another version of this project, with other settings"):
        begin_again(search, "fp32")


def test_where_a_worker_fails_the_others_take_no_more_until_the_search_goes_on(
    search: Search, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr("ser_core.training.search.load", fail)
    with pytest.raises(RuntimeError):
        work((search, 0))
    assert take(open_study(search), search) is None
    begin_again(search, "fp32")
    assert take(open_study(search), search)


@contextmanager
def full_at(file: Path, pages: int) -> Iterator[None]:
    """A disk that has room for so many pages of a file with trials."""

    def connect(*_):
        connection = sqlite3.connect(file, timeout=0, check_same_thread=False)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ser_core.training.search_storage._connect", connect)
        yield


def test_a_full_disk_is_said_and_the_trials_are_kept(search: Search):
    study = open_study(search)
    study.tell(study.ask(), 0.5)

    def fill() -> None:
        with storage_errors(search.file):
            for _ in range(1000):
                suggest(open_study(search).ask())

    with full_at(search.file, 1), pytest.raises(DiskFullError, match="is full"):
        fill()
    assert found_in(open_study(search)).all_trials == 1


def test_a_file_that_takes_nothing_is_not_called_damaged(search: Search, monkeypatch: pytest.MonkeyPatch):
    open_study(search)
    connect = search_storage._connect
    monkeypatch.setattr(search_storage, "_connect", lambda file, mode: connect(file, "ro"))
    with pytest.raises(RunError, match=r"search\.sqlite can't be used \(attempt to write a readonly database\)"):
        begin_again(search, "fp32")


def test_a_file_that_another_program_holds_is_not_called_damaged(search: Search, monkeypatch: pytest.MonkeyPatch):
    open_study(search)
    monkeypatch.setattr("ser_core.training.search_storage.WAIT_SECONDS", 0)
    with closing(sqlite3.connect(search.file, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RunError, match="Another program holds"):
            open_study(search)
        database.execute("ROLLBACK")
    assert open_study(search).trials == []


def test_a_search_that_goes_on_and_another_worker_propose_something_else(search: Search):
    proposed = []
    for worker in (0, 1, 0):
        study = open_study(search, worker)
        trial = take(study, search)
        assert trial
        proposed.append(suggest(trial))
        study.tell(trial, 0.5)
    assert proposed[0] != proposed[1] != proposed[2] != proposed[0]


def test_what_was_found_says_what_matters(search: Search):
    study = open_study(search)
    for number in range(FEWEST_FOR_IMPORTANCE + 3):
        assert found_in(study).importance == {}
        trial = study.ask()
        dropout = suggest(trial)["dropout"]
        if number < 3:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, 0.7 - dropout / 2)
    (found,) = searches_in(search.file)
    assert (found.name, len(found.trials), found.given_up) == (search.name, FEWEST_FOR_IMPORTANCE, 3)
    accuracies = [trial.accuracy for trial in found.trials]
    assert accuracies == sorted(accuracies, reverse=True)
    assert found.trials[0].settings["dropout"] == min(trial.settings["dropout"] for trial in found.trials)
    assert sum(found.importance.values()) == pytest.approx(1)
    assert set(found.importance) <= SPACE.keys()
    assert found.matters == ["dropout"]
    assert found.chance
    assert 0.1 < found.chance < found.importance["dropout"]


def test_of_noise_no_setting_is_said_to_matter(search: Search):
    """Shares add up to 1 of noise, too."""
    study, random = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)), np.random.default_rng(0)
    for accuracy in random.normal(0.6, 0.02, FEWEST_FOR_IMPORTANCE):
        trial = study.ask()
        suggest(trial)
        study.tell(trial, float(accuracy))
    found = found_in(study)
    assert sum(found.importance.values()) == pytest.approx(1)
    assert found.matters == []
    assert "no setting matters more than chance" in found.what_matters
    assert found_in(study) == found  # however often it is asked
    assert len(SPACE) < FEWEST_FOR_IMPORTANCE


@pytest.mark.parametrize("name", ["ema", "width", "lr", "head"])
def test_what_decides_alone_is_the_setting_that_matters(name: str):
    """And not another one that got its share."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(2 * FEWEST_FOR_IMPORTANCE):
        trial = study.ask()
        value, kind = suggest(trial)[name], SPACE[name]
        place = kind.index(value) / 10 if isinstance(kind, tuple) else value / kind.high / 5
        study.tell(trial, 0.5 + place)
    assert found_in(study).matters == [name]


def test_a_search_in_another_file_keeps_the_record_of_the_first(search: Search, tmp_path: Path, capsys):
    for name, trials in (("first", 1), ("second", 2), ("first", 2)):
        one = replace(search, file=tmp_path / f"{name}.sqlite", base=usual_config("conformer", epochs=4))
        begin_again(one, "fp32")
        study = open_study(one)
        while len(study.trials) < trials or study.trials[trials - 1].state == TrialState.WAITING:
            trial = study.ask()
            suggest(trial)
            study.tell(trial, 0.5)
        search_command.record(one, found_in(study), tmp_path / "runs", devices_of(study))
    said = capsys.readouterr().out
    files = [tmp_path / "runs" / f"{one.name}{end}.search.json" for end in ("", "-run2")]
    assert [said.count(f"Recorded in {file}:") for file in files] == [2, 1]
    assert said.count(f"{files[0].name} stays as it is: it is of another search") == 1
    first, second = (load_search(file).found for file in files)
    assert first.search != second.search
    assert (len(first.search), len(first.trials), len(second.trials)) == (16, 2, 2)


def test_a_file_that_holds_no_trials_is_named(search: Search, tmp_path: Path):
    search.file.write_text("nothing of the kind" * 100)
    with pytest.raises(ConfigError, match=r"search\.sqlite holds no trials"):
        open_study(search)
    with pytest.raises(RunError, match=r"search\.sqlite can't be read"):
        searches_in(tmp_path / "search.sqlite")
    assert can_be_read(tmp_path / "search.sqlite")
    assert not can_be_read(tmp_path / "none.sqlite")


def refused(arguments: list[str], capsys: pytest.CaptureFixture) -> str:
    """What a search says that is refused."""
    with pytest.raises(SystemExit, match="2"):
        search_command.main(arguments)
    return capsys.readouterr().err


def all_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_list_writes_nothing_where_nobody_searched(tmp_path: Path, capsys):
    search_command.main(["--list", "--storage", str(tmp_path / "new.sqlite")])
    search_command.main(["--list", "--storage", str(tmp_path / "folder" / "new.sqlite")])
    assert capsys.readouterr().out.count("No trial of lr") == 2
    assert not list(tmp_path.iterdir())


def test_a_list_of_a_search_that_nobody_began_leaves_the_others_as_they_are(tmp_path: Path, capsys):
    search = Search(tmp_path / "search # of 100%?.sqlite", 1, usual_config("conformer", epochs=3))
    study = open_study(search)
    study.tell(study.ask(), 0.5)
    before = all_in(tmp_path)
    search_command.main(["--list", "--storage", str(search.file), "--epochs", "5"])
    said = capsys.readouterr().out
    assert f"No trial of {search.name.removesuffix('3')}5 yet in" in said
    assert f"What was searched there: {search.name}. --epochs," in said
    search_command.main(["--list", "--storage", str(search.file), "--epochs", "3"])
    assert "1 trial, 0 of them given up." in capsys.readouterr().out
    assert [found.name for found in searches_in(search.file)] == [search.name]
    assert all_in(tmp_path) == before


@pytest.mark.parametrize("asked", [["--list"], ["--trials", "2"]])
def test_a_database_of_something_else_is_refused_and_stays_as_it_is(tmp_path: Path, asked: list[str], capsys):
    file = tmp_path / "bank.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE accounts (name TEXT)")
    before = all_in(tmp_path)
    assert "bank.sqlite holds " in refused([*asked, "--storage", str(file)], capsys)
    assert all_in(tmp_path) == before


def test_a_database_with_trials_and_something_else_is_not_searched(search: Search):
    open_study(search)
    with closing(sqlite3.connect(search.file)) as database:
        database.execute("CREATE TABLE accounts (name TEXT)")
    before = search.file.read_bytes()
    with pytest.raises(ConfigError, match=r"something else than trials of a search \(a table accounts\)"):
        only_one(search)
    assert all_in(search.file.parent) == {search.file.name: before}
    assert searches_in(search.file) == []  # to look is allowed


@pytest.mark.parametrize("asked", [["--list"], ["--trials", "2"]])
@pytest.mark.parametrize("place", ["text.md", "text.md/search.sqlite", "text.md/folder/search.sqlite", "."])
def test_a_place_where_no_trials_can_be_is_said_in_a_sentence(tmp_path: Path, place: str, asked: list[str], capsys):
    (tmp_path / "text.md").write_text("a text " * 1000)
    arguments = [*asked, "--storage", str(tmp_path / place)]
    if asked == ["--list"] and "/" in place:
        search_command.main(arguments)
        assert "No trial of" in capsys.readouterr().out
    else:
        assert "hoose another" in refused(arguments, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["text.md"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that nobody can write to")
def test_a_folder_that_takes_nothing_is_said_in_a_sentence(capsys):
    assert "Nothing can be written to /proc" in refused(["--trials", "2", "--storage", "/proc/x/s.sqlite"], capsys)
    search_command.main(["--list", "--storage", "/proc/x/s.sqlite"])
    assert "No trial of" in capsys.readouterr().out


def test_a_search_that_was_killed_as_it_wrote_goes_on(search: Search, tmp_path: Path):
    """Its journal is undone by the next that writes."""
    study = open_study(search)
    study.tell(study.ask(), 0.5)
    killed = tmp_path / "killed" / "search.sqlite"
    killed.parent.mkdir()
    with closing(sqlite3.connect(search.file, isolation_level=None)) as database:
        for order in ("PRAGMA cache_size = 1", "BEGIN", "UPDATE trials SET number = 7", "CREATE TABLE half (a)"):
            database.execute(order)
        database.execute("INSERT INTO half SELECT zeroblob(100000)")
        for name in (search.file.name, f"{search.file.name}-journal"):
            shutil.copy(search.file.with_name(name), killed.with_name(name))
    again = replace(search, file=killed)
    assert [trial.number for trial in open_study(again).trials] == [0]
    assert tables_in(killed) == tables_in(search.file)


def test_the_first_trial_of_all_is_what_the_network_has_by_itself(tmp_path: Path):
    search = Search(tmp_path / "search.sqlite", 3, usual_config("conformer"))
    begin_again(search, "fp32")
    begin_again(search, "fp32")
    first, second = (take(open_study(search), search) for _ in range(2))
    assert first
    assert second
    assert search.config(suggest(first)) == search.base
    assert search.config(suggest(second)) != search.base


def test_trainings_of_another_length_are_another_study(search: Search, tmp_path: Path):
    take(open_study(search), search)
    longer = Search(search.file, 3, usual_config("conformer", epochs=8, copies=0, width=32, blocks=1))
    assert open_study(longer).trials == []
    assert len(open_study(search).trials) == 1


def ended(value: float, epochs: int = 4, device: str = "some CPU, fp32") -> Trained:
    """How a trial of four epochs went, or one that was given up."""
    return Trained(value, epochs, epochs == 4, device)


class Elsewhere:
    """Machines that train two trials at once and only report what a test says, see `Trainers`.

    Args:
        outcomes: of trials, by number; of all others, 50 %.
        said: reports of a trial as it ends.
    """

    slots = 2

    def __init__(self, outcomes: dict[int, Trained | str], said: list[Report]):
        self.outcomes, self.said = outcomes, said
        self.started: list[int] = []
        self.configs: list[TrainConfig] = []
        self.running: list[int] = []
        self.given_up: list[int] = []
        self.most = 0
        self.stopped = False

    def start(self, number: int, config: TrainConfig) -> None:
        self.started.append(number)
        self.configs.append(config)
        self.running.append(number)
        self.most = max(self.most, len(self.running))

    def reports(self) -> list[Report]:
        gone = set(self.started) - set(self.running)
        told = [report for report in self.said if report.trial in gone]
        self.said = [report for report in self.said if report.trial not in gone]
        return told

    def give_up(self, number: int) -> None:
        self.given_up.append(number)

    def ended(self) -> dict[int, Trained | str]:
        number = self.running.pop()
        return {number: self.outcomes.get(number, ended(0.5))}

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ser_core.training.ray_search.POLL_SECONDS", 0)


def test_other_machines_train_as_many_trials_as_asked_for_and_go_on(search: Search, capsys):
    first = Elsewhere(
        {1: ended(0.7, device="some GPU, fp32")}, [Report(0, 1, 0.4), Report(0, 1, 0.9), Report(0, 2, 0.5)]
    )
    search_on(first, search)
    assert first.started == [0, 1, 2]
    assert (first.most, first.stopped) == (2, True)
    trials = open_study(search).trials
    assert [trial.value for trial in trials] == [0.5, 0.7, 0.5]
    assert trials[0].intermediate_values == {1: 0.4, 2: 0.5}  # a trial that was begun again reports again
    assert [search.config(retypable(trial.params)) for trial in trials] == first.configs
    assert devices_of(open_study(search)) == ["some CPU, fp32", "some GPU, fp32"]
    assert "trial 1: 70.0\N{NO-BREAK SPACE}% of the validation clips\n" in capsys.readouterr().out
    more = Elsewhere({}, [])
    search_on(more, replace(search, trials=5), jobs=1)
    assert (more.started, more.most) == ([3, 4], 1)


def test_a_trial_elsewhere_that_is_worse_than_the_median_is_told_so(search: Search):
    study = open_study(search)
    for _ in range(FIRST_TRIALS):
        trial = study.ask()
        trial.report(0.6, 2)
        study.tell(trial, 0.6)
    asked = replace(search, trials=FIRST_TRIALS + 2)
    worse, better = FIRST_TRIALS, FIRST_TRIALS + 1
    machines = Elsewhere({worse: ended(0.1, 3)}, [Report(worse, 2, 0.1), Report(better, 2, 0.7)])
    search_on(machines, asked)
    assert machines.given_up == [worse]
    assert [trial.state for trial in open_study(asked).trials[-2:]] == [TrialState.PRUNED, TrialState.COMPLETE]
    board = Board()
    board.give_up(worse)
    assert (board.report(worse, 3, 0.1), board.report(better, 3, 0.7)) == (True, False)
    assert board.taken() == [(worse, 3, 0.1), (better, 3, 0.7)]
    assert board.taken() == []


def test_a_trial_that_fails_elsewhere_ends_the_search_and_the_others_are_begun_again(search: Search):
    machines = Elsewhere({1: "the disk is full."}, [])
    with pytest.raises(RunError, match=r"Trial 1 failed: the disk is full\."):
        search_on(machines, search)
    assert machines.stopped
    assert [trial.state for trial in open_study(search).trials] == [TrialState.RUNNING, TrialState.FAIL]
    begin_again(search, "fp32")
    again = Elsewhere({}, [])
    search_on(again, search)
    assert again.configs[0] == machines.configs[0]
    counted = [trial.state for trial in open_study(search).trials if trial.state == TrialState.COMPLETE]
    assert len(counted) == search.trials


class Fixed:
    """A trial that proposes what it is told, and is given up as one of Optuna is, or not at all."""

    def __init__(self, proposed: dict, judge: optuna.Trial | None = None):
        self.proposed, self.judge = proposed, judge
        self.reported: list[tuple[int, float]] = []

    def suggest_categorical(self, name, choices):
        return self.proposed.get(name, choices[0])

    def suggest_float(self, name, low, high, **how):
        return self.proposed.get(name, low)

    suggest_int = suggest_float

    def report(self, value: float, epoch: int) -> None:
        self.reported.append((epoch, value))
        if self.judge:
            self.judge.report(value, epoch)

    def should_prune(self) -> bool:
        return self.judge is not None and self.judge.should_prune()


def trained(search: Search, trial: Fixed) -> Trained:
    loaded = Loaded(tensors(BASE), range(18), range(18, 24), CPU, ())
    return train_trial(trial, search.config(suggest(trial)), loaded)


def test_a_trial_is_worth_what_a_training_of_its_settings_validates(search: Search):
    trial = Fixed(QUICK | {"soft_labels": 0.0})
    value, epochs, complete, device = trained(search, trial)
    trainer = Trainer(search.config(suggest(Fixed(trial.proposed))), tensors(BASE), range(18), range(18, 24), CPU)
    while not trainer.finished:
        trainer.run_epoch()
    assert trainer.best_epoch
    assert (value, epochs, complete, device) == (trainer.best_epoch.val_accuracy, 4, True, CPU.label)
    assert trial.reported == [(epoch.epoch, epoch.val_accuracy) for epoch in trainer.history]


@pytest.mark.parametrize(
    ("others", "trials", "epochs"), [(1.1, FIRST_TRIALS, 1), (0.0, FIRST_TRIALS, 4), (1.1, FIRST_TRIALS - 1, 4)]
)
def test_a_trial_is_given_up_when_it_is_worse_than_the_median(search: Search, others: float, trials: int, epochs: int):
    """After the first quarter of its four epochs, where there are as many others as a median takes."""
    study = open_study(search)
    for _ in range(trials):
        other = study.ask()
        for epoch in range(1, 5):
            other.report(others, epoch)
        study.tell(other, others)
    assert trained(search, Fixed(QUICK, study.ask()))[1:3] == (epochs, epochs == 4)


@pytest.mark.parametrize("after", [2, 4])
def test_a_trial_that_diverges_is_not_trained_to_its_end(after: int, search: Search, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Trainer, "diverged", property(lambda trainer: len(trainer.history) >= after))
    assert trained(search, Fixed(QUICK))[1:3] == (after, False)


@pytest.mark.timeout(300)
def test_a_search_from_the_command_line_goes_on_and_says_what_it_found(
    corpus, tiny: Path, feature_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr("ser_core.training.search.suggest", lambda trial: suggest(trial, {"lr": SPACE["lr"]}) | QUICK)
    small = tmp_path / "small.json"
    small.write_text(json.dumps({part: names[:12] for part, names in json.loads(tiny.read_text()).items()}))
    options = ["--epochs", "1", "--copies", "0", "--split", str(small), "--device", "cpu", "--jobs", "1"]
    options += ["--corpus", str(corpus.folder), "--cache", str(feature_cache), "--out", str(tmp_path)]
    grid_command.main(["search", "--trials", "1", *options], "python grid.py")
    assert "1 trial of 1" in capsys.readouterr().out
    grid_command.main(["search", "--trials", "2", *options], "python grid.py")
    said = capsys.readouterr().out
    assert said.count("of the validation clips") == 1  # the first is not trained again
    assert "2 trials of 2, 0 of them given up." in said
    assert "Train the best: python train.py --model conformer " in said
    grid_command.main(["search", "--list", *options], "python grid.py")
    assert capsys.readouterr().out.startswith("2 trials, 0 of them given up.")  # nobody asked for 100
    grid_command.main(["search", "--list", "--trials", "6", *options], "python grid.py")
    assert "2 trials of 6, 0 of them" in capsys.readouterr().out
    (file,) = (tmp_path / "runs").iterdir()  # and nothing is tested
    record = load_search(file)
    assert f"Recorded in {file}" in said
    assert (record.found.name, record.found.all_trials) == ("lr0.001-SiLU-Conformer-small-copies0-1", 2)
    assert " thread" in record.device
    grid_command.main(["search", "--trials", "2", *options], "python grid.py")
    assert load_search(file) == record  # which trained nothing
    assert [record.usual] == [trial for trial in record.found.trials if trial.number == 0]  # the settings as they are


def test_workers_begin_from_nothing_since_a_copy_of_this_process_cant_use_cuda(
    search: Search, monkeypatch: pytest.MonkeyPatch
):
    methods = []

    def pool(workers: int, context: BaseContext | None, **_: Any) -> ThreadPoolExecutor:
        methods.append(context and context.get_start_method())
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr("ser_core.workers.ProcessPoolExecutor", pool)
    monkeypatch.setattr("ser_core.training.search.work", lambda job: None)
    search_command.search_here(search, 2)
    assert methods == ["spawn"]


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, RunError("a clip is missing.")])
def test_what_was_found_until_a_search_ended_is_recorded(
    stopped: type[BaseException] | BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    def stop(search: Search, jobs: int) -> None:
        study = open_study(search)
        trial = study.ask()
        suggest(trial)
        study.tell(trial, 0.5)
        raise stopped

    monkeypatch.setattr(search_command, "check_corpus", lambda folder: None)
    monkeypatch.setattr(search_command, "search_here", stop)
    with pytest.raises(SystemExit):
        search_command.main(["--out", str(tmp_path), "--precision", "fp32"])
    (file,) = (tmp_path / "runs").iterdir()
    assert (len(load_search(file).found.trials), load_search(file).found.precision) == (1, "fp32")
    said = capsys.readouterr()
    assert "1 trial of 100" in said.out
    assert "--precision fp32" in said.out
    assert ("Stopped." in said.err) == (stopped is KeyboardInterrupt)


@LONG
def test_several_workers_train_as_many_trials_as_asked_for(
    corpus, tiny: Path, feature_cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture
):
    parts = {part: names[:6] for part, names in json.loads(tiny.read_text()).items()}
    (tmp_path / "small.json").write_text(json.dumps(parts))
    options = ["--epochs", "1", "--copies", "0", "--split", str(tmp_path / "small.json"), "--device", "cpu"]
    options += ["--corpus", str(corpus.folder), "--cache", str(feature_cache), "--out", str(tmp_path)]
    search_command.main(["--trials", "5", "--jobs", "2", *options])
    said = capfd.readouterr().out
    assert sorted(re.findall(r"^trial (\d+):", said, re.MULTILINE)) == ["0", "1", "2", "3", "4"]
    assert "5 trials of 5" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--trials", "0"], "--trials is 1 or more"),
        (["--jobs", "0"], "--jobs is 1 or more"),
        (["--ray", "auto", "--cpus", "0"], "--cpus is a number above 0"),
        (["--epochs", "0"], "epochs is a number from 1"),
        (["--split", "none"], "split is one of"),
    ],
)
def test_what_can_not_be_searched_is_refused(arguments: list[str], sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        search_command.parse_arguments(arguments)


def test_without_optuna_it_is_said_how_to_get_it(search: Search, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ser_core.training.search_storage.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install -r requirements-search\.txt"):
        open_study(search)


def test_without_optuna_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr("ser_core.training.search_storage.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        search_command.main(["--trials", "2", "--storage", str(tmp_path / "search.sqlite")])
    assert "Optuna is not installed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_worker_with_nothing_to_do_ends(search: Search, corpus, tiny: Path, feature_cache: Path):
    base: TrainConfig = usual_config("conformer", epochs=1, copies=0, split=str(tiny))
    done = Search(search.file, 1, base, corpus.folder, feature_cache)
    study = open_study(done)
    study.tell(study.ask(), 0.5)
    work((done, 0))
    assert len(open_study(done).trials) == 1
