"""Search for the best settings of the small network: `python grid.py search`, `ser grid search`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from ser_core.command import friendly_errors
from ser_core.command_line import CorpusFolder, Switch, parse
from ser_core.errors import ConfigError
from ser_core.places import how_to_run
from ser_core.records.searches import SUFFIX, Found, SearchRecord, record_file, save_search
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.flags import SPLIT_HELP, Cache, Out, folder_for
from ser_core.training.future import COPIES, MODEL
from ser_core.training.jobs import Cluster, check_corpus, default_jobs
from ser_core.training.search_results import STORAGE, devices_of, found_in, search_in
from ser_core.training.search_storage import require_optuna, storage_errors
from ser_core.words import counted, listed, percent
from ser_core.workers import cores

if TYPE_CHECKING:
    from ser_core.training.device import Device
    from ser_core.training.search import Search

PROG = "ser grid search"
HELP = """Search for the best settings of the small network on the validation clips.

    {prog} --trials 100             train 100 proposals, or as many as are missing of them
    {prog} --trials 100 --jobs 4    four at once
    {prog} --trials 100 --ray auto  on the machines of a Ray cluster
    {prog} --list                   what was found so far

Needs Optuna: pip install -r requirements-search.txt. The first proposal is what the network has by itself. One that is
worse than the median at its epoch is given up. Stop with Ctrl-C, and go on with the same command. What is found is
recorded beside the runs. No test clip is looked at: train the best with the command that is printed. With --ray, this
machine keeps the trials; the others share no folder with it, and find the corpus by --corpus or their own
CREMAD_DIR."""
INTERRUPTED = "Stopped. The trials that ended are kept: go on with the same command."
CLUSTER_PRECISION = "fp32"  # unless another is asked for: its machines may differ in what they are fast in
SHOWN = 5  # of the best
TRIALS = 100


@dataclass(frozen=True)
class SearchCommand:
    """The command line.

    Attributes:
        trials: how many there are to be in all, those given up among them.
        list: train nothing: say what was found.
        epochs: of each trial.
        copies: changed copies of each training clip, int >= 0.
        split: which clips are trained on, see --split of training one.
        seed: of the proposals and the trainings.
        jobs: how many at once.
        storage: file with the trials, of SQLite.
        corpus: folder with the wav files.
        cache: folder for features.
        out: folder that gets the file with the trials.
    """

    trials: Annotated[int | None, arg(metavar="INT", help_behavior_hint=f"(default: {TRIALS})")] = None
    list: Switch = False
    epochs: int = 20
    copies: int = COPIES["copies"]
    split: Annotated[str, arg(metavar="NAME", help=SPLIT_HELP)] = "report"
    seed: int = TrainConfig.seed
    jobs: Annotated[
        int | None,
        arg(metavar="INT", help_behavior_hint="(default: one on each core, on a GPU one; with --ray, all that fit)"),
    ] = None
    storage: Annotated[
        Path | None, arg(metavar="FILE", help_behavior_hint=f"(default: {STORAGE} beside the folder of records)")
    ] = None
    corpus: CorpusFolder = None
    cache: Cache = None
    out: Out = None
    compute: Compute = field(default_factory=Compute)
    cluster: Cluster = field(default_factory=Cluster)

    def search(self, jobs: int) -> Search:
        """What is asked for, with the threads that so many workers have each."""
        from ser_core.training.search import Search

        return Search(
            (self.storage or folder_for("runs", self.out).parent / STORAGE).absolute(),
            self.trials or TRIALS,
            usual_config(MODEL, epochs=self.epochs, copies=self.copies, split=self.split, seed=self.seed),
            self.corpus,
            self.cache,
            self.compute,
            max(1, cores() // jobs),
        )


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> SearchCommand:
    """The command line.

    Raises:
        ConfigError: a number is out of its range.
    """
    args = parse(SearchCommand, arguments, prog=prog, description=HELP.format(prog=prog))
    for flag, value in (("--trials", args.trials), ("--jobs", args.jobs)):
        if value is not None and value < 1:
            raise ConfigError(f"{flag} is 1 or more, not {value}.")
    args.cluster.check()
    args.search(1)  # whose settings have their ranges
    return args


@friendly_errors(interrupted=INTERRUPTED, less_memory="Make --jobs smaller, or close other programs.")
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """List or search as the command line says."""
    args = parse_arguments(arguments, prog)
    from ser_core.training.search import begin_again, only_one, open_study

    require_optuna()
    if args.list:
        print_list(args.search(1), args.trials)
        return
    search = args.search(jobs := 1 if args.cluster.ray else local_jobs(args))
    check_corpus(args.corpus)
    with only_one(search), storage_errors(search.file):
        search = begin_again(search, CLUSTER_PRECISION if args.cluster.ray else device_of(args).precision)
        try:
            if args.cluster.ray:
                search_on_cluster(search, args)
            else:
                search_here(search, jobs)
        finally:  # what was found until it was stopped, or failed, is recorded, too
            study = open_study(search)
            if (found := found_in(study)).all_trials:
                print_found(search, found, search.trials)
                record(search, found, folder_for("runs", args.out), devices_of(study))


def device_of(args: SearchCommand) -> Device:
    """What this machine trains on."""
    from ser_core.training.device import Device

    return Device.of(args.compute)


def local_jobs(args: SearchCommand) -> int:
    """How many trials at once on this machine."""
    device = device_of(args)
    return min(args.jobs or (1 if device.device.type == "cuda" else default_jobs(device)), args.trials or TRIALS)


def search_here(search: Search, jobs: int) -> None:
    """Train what is missing in processes of this machine."""
    from ser_core.training.search import work
    from ser_core.workers import map_in_processes

    list(map_in_processes(work, [(search, number) for number in range(jobs)], jobs, spawn=True))


def search_on_cluster(search: Search, args: SearchCommand) -> None:
    """Train what is missing on the machines of a Ray cluster."""
    from ser_core.training.ray_search import Machines, search_on

    assert args.cluster.ray
    search_on(Machines(args.cluster.ray, search, args.cluster.cpus, args.cluster.gpus), search, args.jobs)


def record(search: Search, found: Found, folder: Path, devices: Sequence[str]) -> None:
    """Write down what was found, for the app and for others: nothing, if no trial was trained to its end.

    Args:
        devices: what trained the trials.
    """
    if not found.trials:
        return
    from ser_core.corpus.splits import load_split
    from ser_core.training.provenance import git_commit, versions

    device = listed(devices, "and") if devices else "unknown"  # of trials by an earlier version
    split_id = load_split(search.base.split).id
    libraries = {"optuna": version("optuna"), **versions()}
    made = SearchRecord(search.base, found, device, platform.python_version(), libraries, git_commit(), split_id)
    if file := save_search(folder, made):
        print(f"Recorded in {file}: the app shows it on Runs → Search.")
        if file != (usual := folder / f"{found.name}{SUFFIX}") and usual.is_file():
            print(
                f"{usual.name} stays as it is: it is of another search, comes with the project, or is of another "
                "version of it."
            )
    else:
        print(f"{record_file(folder, found)} is of more trials, and stays as it is.")


def print_list(search: Search, asked: int | None) -> None:
    """What is in the file, which stays as it is.

    Args:
        asked: how many trials there are to be, None if nobody said.
    """
    found, others = search_in(search.file, search.name)
    if found:
        print_found(search, found, asked)
        return
    print(f"No trial of {search.name} yet in {search.file}.")
    if others:
        print(f"What was searched there: {', '.join(others)}. --epochs, --copies and --split say which is listed.")


def print_found(search: Search, found: Found, asked: int | None) -> None:
    """The best trials, what matters most, and how to train the best.

    Args:
        asked: how many trials there are to be, None if nobody said.
    """
    from ser_core.training.search_space import how_to_train

    trials = counted(found.all_trials, "trial") + (f" of {asked}" if asked else "")
    print(f"{trials}, {found.given_up} of them given up. {search.file}")
    for trial in found.trials[:SHOWN]:
        settings = ", ".join(f"{name} {trial.shown(name)}" for name in trial.settings)
        print(f"{percent(trial.accuracy)}  trial {trial.number}: {settings}")
    if found.importance:
        print(found.what_matters)
    if found.trials:
        flags = how_to_train(search.config(found.trials[0].settings), found.precision)
        print(f"Train the best: {how_to_run('train')} {flags}")
