"""Train one configuration and record it: `python train.py`, `ser train`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg, create_mutex_group

from ser_core.command import friendly_errors
from ser_core.command_line import Corpora, Labels, Switch, parse
from ser_core.places import CHECKPOINTS_VARIABLE, found, how_to_run
from ser_core.training.compute import Compute
from ser_core.training.flags import Cache, Out, RunSettings, folder_for, idle_flags
from ser_core.words import counted
from ser_core.workers import end_with_starter

if TYPE_CHECKING:
    from ser_core.training.watching import Watcher

PROG = "ser train"
HELP = """Train one configuration and record it.

    {prog} --model 2d --act silu                  the report's best, 150 epochs
    {prog} --model 1d --act elu --lr 0.01
    {prog} --model 2d --act silu --resume         go on after an interruption, or begin

Writes runs/<name>/ and checkpoints/<name>/, where <name> says the settings, as lr0.001-SiLU-2D; where a record that
comes with the project has that name, yours is numbered, as lr0.001-SiLU-2D-run2. What you have trained is not trained
again: put it into another folder with --out, or give it a --name.

The corpus is taken from --corpus, $CREMAD_DIR or the user's cache; `{corpus} download` gets it."""
INTERRUPTED = (
    "Stopped. Finished epochs are saved, but for those of the last few seconds: "
    "go on with the same command and --resume."
)
AGAIN = create_mutex_group(required=False, title="if there is a run of that name")


@dataclass(frozen=True)
class TrainCommand:
    """The command line; every setting of the report is a default.

    Attributes:
        config: the run.
        name: the run's name.
        wandb: log to Weights & Biases: to ./wandb only, or to the service as well.
        corpus: folder of CREMA-D's wav files. Or of any corpus, or a table; for several, give it several times. CREMA-D
            keeps its split, others are divided by speakers.
        labels: what labels of other corpora than CREMA-D mean, beside what they usually do.
        cache: folder for features.
        out: folder that gets runs/ and checkpoints/.
        resume: go on with it if it was interrupted; begin if there is none. So one command can be given again and
            again until it is done.
        restart: replace it when the new one is whole, whatever its settings.
    """

    config: RunSettings
    name: Annotated[
        str | None, arg(metavar="NAME", help_behavior_hint="(default: made from the settings, as lr0.001-SiLU-2D)")
    ] = None
    wandb: Literal["off", "offline", "online"] = "off"
    corpus: Corpora = ()
    labels: Labels = None
    cache: Cache = None
    out: Out = None
    resume: Annotated[Switch, AGAIN] = False
    restart: Annotated[Switch, AGAIN] = False
    compute: Compute = field(default_factory=Compute)


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> TrainCommand:
    """The command line.

    Raises:
        ConfigError: a setting is out of its range.
    """
    return parse(TrainCommand, arguments, prog=prog, description=HELP.format(prog=prog, corpus=how_to_run("corpus")))


@friendly_errors(interrupted=INTERRUPTED, less_memory="Make --batch-size smaller, or close other programs.")
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Train as the command line says."""
    end_with_starter()
    args = parse_arguments(arguments, prog)
    given = sys.argv[1:] if arguments is None else arguments
    for sentence in idle_flags(given, args.config.idle):
        print(sentence, file=sys.stderr)
    # Not before the command line is read: torch takes seconds to load, and `--help` is not to wait for it.
    from ser_core.corpus.copies import COPY
    from ser_core.corpus.gathered import Gathered, open_corpora
    from ser_core.corpus.labels import parse_labels
    from ser_core.records.shipped import own_name
    from ser_core.training.allocator import keep_freed_memory
    from ser_core.training.device import Device
    from ser_core.training.experiment import run_experiment
    from ser_core.training.progress import ProgressBar

    corpus = open_corpora(args.corpus, parse_labels(args.labels), args.config.split)
    runs_dir, checkpoints_dir = folder_for("runs", args.out), folder_for("checkpoints", args.out)
    name = args.name
    if isinstance(corpus, Gathered):
        unrated = {} if corpus.cremad else {"soft_labels": f"no clip of {corpus.name} was rated"}
        for sentence in idle_flags(given, unrated):
            print(sentence, file=sys.stderr)
        for one in corpus.others:
            if copies := one.left_out.get(COPY):
                print(f"{one.title}: left out: {counted(len(copies), 'clip')}, {COPY} ({copies[0]})", file=sys.stderr)
    if name is None:
        usual = f"{args.config.name}-{corpus.name}" if isinstance(corpus, Gathered) else args.config.name
        if (free := own_name(usual, runs_dir)) != usual:
            print(f"{usual} comes with the project, and stays as it is: this run is {free}.", file=sys.stderr)
        name = free if free != args.config.name else None
    watchers: list[Watcher] = [ProgressBar()]
    if args.wandb != "off":
        from ser_core.training.wandb_log import WandbLog

        watchers.append(WandbLog(args.wandb, name))
    keep_freed_memory()
    run = run_experiment(
        args.config,
        corpus=corpus,
        device=Device.of(args.compute),
        resume=args.resume,
        restart=args.restart,
        runs_dir=runs_dir,
        checkpoints_dir=checkpoints_dir,
        cache_dir=args.cache,
        name=name,
        watchers=watchers,
    )
    low, high = run.accuracy_interval
    print(f"{run.name}: test accuracy {run.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}), {run.folder}")
    if checkpoints_dir.resolve() != found("checkpoints").resolve():
        print(f"To predict with it, set {CHECKPOINTS_VARIABLE}={checkpoints_dir.resolve()}.")
