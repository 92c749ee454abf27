"""Train many configurations and record them all: `python grid.py`, `ser grid`."""

from __future__ import annotations

import fnmatch
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from ser_core.command import friendly_errors
from ser_core.command_line import CorpusFolder, Switch, choice, parse
from ser_core.errors import ConfigError
from ser_core.places import require_folder, searched
from ser_core.records.runs import load_runs
from ser_core.training import search_command
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.flags import SPLIT_HELP, Cache, Out, command_line, folder_for
from ser_core.training.future import MODEL as FUTURE
from ser_core.training.grid_progress import Display, other_precision, print_list, what_to_do
from ser_core.training.jobs import Cluster, check_corpus, default_jobs
from ser_core.training.pool import LocalPool, Pool, remove_logs, train_all
from ser_core.training.study import STUDIES, with_epochs
from ser_core.training.survey import Entry, How, survey
from ser_core.words import counted
from ser_core.workers import cores

if TYPE_CHECKING:
    from ser_core.training.estimate import Estimator

PROG = "ser grid"
HELP = """Train many configurations and record them all.

    {prog} report                       the report's 27 configurations and its variations, 150 epochs each
    {prog} report --list                what exists, what is missing, and how long that will take
    {prog} report --only '*-2D' '*-1D'  some of them
    {prog} speakers                     our best of each of the report's networks on speakers it never heard, five folds
    {prog} recordings --epochs 12       what each step gives towards hearing the voice, not the recording
    {prog} future                       what each ingredient gives the small network of our own, three seeds
    {prog} search --trials 100          the best settings of that network, see {prog} search --help
    {prog} report --ray auto            on the machines of a Ray cluster

Recorded runs are skipped, and interrupted ones go on. A record of fewer epochs is trained anew; when the
longer one is whole, it takes the name, and the shorter stays as NAME-30. A run with other settings that has
the name of one of them is left alone. Stop with Ctrl-C, and go on with the same command."""
LESS_MEMORY = "Make --jobs smaller, or close other programs."
INTERRUPTED = "Stopped. What was trained is saved: go on with the same command."

SEARCH = "search"
StudyName: Any = choice(tuple(STUDIES))
USUAL_EPOCHS = f"{TrainConfig.epochs}; future: {usual_config(FUTURE).epochs}"


@dataclass(frozen=True)
class GridCommand:
    """The command line.

    Attributes:
        study: which configurations.
        list: train nothing: say what exists and what is missing.
        only: those with these names; * stands for anything.
        epochs: of each run.
        split: train on another split, see --split of training one.
        jobs: how many at once.
        corpus: folder with the wav files.
        cache: folder for features.
        out: folder that gets runs/ and checkpoints/; what is recorded elsewhere is trained again.
    """

    study: Positional[StudyName]
    list: Switch = False
    only: Annotated[tuple[str, ...], arg(metavar="NAME [NAME ...]", help_behavior_hint="(default: all)")] = ()
    epochs: Annotated[int | None, arg(metavar="INT", help_behavior_hint=f"(default: {USUAL_EPOCHS})")] = None
    split: Annotated[str | None, arg(metavar="NAME", help=SPLIT_HELP, help_behavior_hint="(default: the study's)")] = (
        None
    )
    jobs: Annotated[
        int | None, arg(metavar="INT", help_behavior_hint="(default: as the GPU holds, or one on each core)")
    ] = None
    corpus: CorpusFolder = None
    cache: Cache = None
    out: Out = None
    compute: Compute = field(default_factory=Compute)
    cluster: Cluster = field(default_factory=Cluster)

    @property
    def runs_dir(self) -> Path:
        """Where records go."""
        return folder_for("runs", self.out)


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> GridCommand:
    """The command line.

    Raises:
        ConfigError: a number is out of its range.
    """
    args = parse(GridCommand, arguments, prog=prog, description=HELP.format(prog=prog))
    if args.epochs is not None:
        usual_config(epochs=args.epochs)
    if args.jobs is not None and args.jobs < 1:
        raise ConfigError(f"--jobs is 1 or more, not {args.jobs}.")
    args.cluster.check()
    return args


def configurations(args: GridCommand) -> list[TrainConfig]:
    """What the command line asks for."""
    configs = STUDIES[args.study]()
    if args.epochs is not None:
        configs = with_epochs(configs, args.epochs)
    if args.split:
        # Of a study of several splits, each configuration is left once.
        configs = list(dict.fromkeys(replace(config, split=args.split) for config in configs))
    if args.only:
        chosen = [c for c in configs if any(fnmatch.fnmatchcase(c.name, pattern) for pattern in args.only)]
        if not chosen:
            raise ConfigError(f"No run of {args.study} is called {' or '.join(args.only)}. See --list for names.")
        configs = chosen
    return configs


def survey_all(configs: Sequence[TrainConfig], folders: Sequence[Path], compute: Compute) -> list[Entry]:
    """What there is of each configuration in the first folder, or else what is recorded in the others."""
    first, *others = (survey(configs, folder, compute) for folder in folders)
    for entries in others:
        first = [
            theirs if mine.state == "missing" and theirs.run else mine
            for mine, theirs in zip(first, entries, strict=True)
        ]
    return first


def train_command(entry: Entry, how: How, args: GridCommand) -> list[str]:
    """The command line that trains an entry under its own name, also in place of a shorter one that is shipped."""
    command = [sys.executable, "-m", "ser_core", "train", *command_line(entry.config), f"--name={entry.name}"]
    for flag, value in (
        ("--device", args.compute.device),
        ("--precision", args.compute.precision),
        ("--numerics", args.compute.numerics),
        ("--corpus", args.corpus),
        ("--cache", args.cache),
        ("--out", args.out),
    ):
        if value is not None:
            command.append(f"{flag}={value}")
    return command if how == "start" else [*command, f"--{how}"]


def make_pool(args: GridCommand, jobs: int, threads: int) -> Pool:
    """Where the runs are trained."""
    if args.cluster.ray:
        from ser_core.training.ray_pool import RayPool

        return RayPool(
            args.cluster.ray,
            runs_dir=args.runs_dir,
            checkpoints_dir=folder_for("checkpoints", args.out),
            corpus=args.corpus,
            cache_dir=args.cache,
            cpus=args.cluster.cpus,
            gpus=args.cluster.gpus,
            compute=args.compute,
        )
    return LocalPool(lambda entry, how: train_command(entry, how, args), args.runs_dir, jobs, threads, LESS_MEMORY)


@friendly_errors(interrupted=INTERRUPTED, less_memory=LESS_MEMORY)
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """List or train as the command line says; the exit status is 1 if a run failed, or could not be begun."""
    if (given := sys.argv[1:] if arguments is None else arguments)[:1] == [SEARCH]:
        search_command.main(given[1:], f"{prog} {SEARCH}")
        return
    args = parse_arguments(arguments, prog)
    # Not before the command line is read: torch takes seconds to load, and `--help` is not to wait for it.
    import torch

    from ser_core.training.device import Device
    from ser_core.training.estimate import Estimator
    from ser_core.training.run_folders import check_folders, check_name

    check_corpus(args.corpus)
    configs = configurations(args)
    for config in configs:
        check_name(config.name, given=False)
    require_folder(args.runs_dir)
    folders = (args.runs_dir,) if args.out else searched("runs")
    entries = survey_all(configs, folders, args.compute)
    device = Device.of(args.compute)
    waiting = sum(entry.to_train for entry in entries)
    jobs = min(args.jobs or default_jobs(device), max(1, waiting))
    threads = max(1, cores() // jobs)
    torch.set_num_threads(threads)  # of each run, and so of the speed that is estimated
    recorded = [run for folder in folders for run in load_runs(folder)[0]]
    estimator = Estimator(recorded, device)
    if args.list:
        print_list(entries, estimator, jobs, recorded)
        return
    if waiting and not args.cluster.ray:  # other machines have their own
        check_folders(args.runs_dir, folder_for("checkpoints", args.out), args.cache)
    remove_logs(entries, args.runs_dir)
    taken = [entry for entry in entries if entry.state == "other settings"]
    for entry in taken:
        print(f"not trained: {entry.name}: {entry.reason} {what_to_do()}", file=sys.stderr)
    if waiting and not args.cluster.ray and (sentence := other_precision(entries, device)):
        print(sentence)
    failed = train_waiting(entries, estimator, args, jobs, threads) if waiting else {}
    for name, reason in failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    if failed or taken:
        sys.exit(1)
    if not waiting:
        print(f"Nothing is left to train: {counted(len(entries), 'run')} recorded.")


def train_waiting(
    entries: Sequence[Entry], estimator: Estimator, args: GridCommand, jobs: int, threads: int
) -> dict[str, str]:
    """Train with a progress display; why runs failed, by name."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the processes it started, as Ctrl-C does
    display = Display(entries, estimator, args.runs_dir)
    try:
        return train_all(entries, make_pool(args, jobs, threads), display.watch)
    finally:
        display.close()
