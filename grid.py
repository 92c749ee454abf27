"""Train many configurations and record them all.

    python grid.py report                       the report's 27 configurations and its variations, 150 epochs each
    python grid.py report --list                what exists, what is missing, and how long that will take
    python grid.py report --only '*-2D' '*-1D'  some of them
    python grid.py speakers                     the best of each architecture on speakers it never heard, five folds
    python grid.py report --ray auto            on the machines of a Ray cluster

Recorded runs are skipped, interrupted ones go on, and a record of fewer epochs is replaced when the longer one is
whole. A run with other settings that has the name of one of them is left alone. Stop with Ctrl-C, and go on with the
same command.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from ser_core.command import friendly_errors
from ser_core.errors import ConfigError
from ser_core.models.winograd import NUMERICS
from ser_core.records.checkpoints import CHECKPOINTS_DIR
from ser_core.records.runs import RUNS_DIR, load_run, load_runs
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device
from ser_core.training.estimate import Estimator
from ser_core.training.flags import command_line
from ser_core.training.pool import LocalPool, Pool, train_all
from ser_core.training.study import STUDIES, with_epochs
from ser_core.training.survey import Entry, How, epochs_in_progress, survey

ROOT = Path(__file__).parent
MAX_JOBS = 6  # on one GPU
JOB_GPU_BYTES = 6 * 2**30
JOB_CPU_BYTES = 4 * 2**30  # what ResNet-38 takes
LOG_SECONDS = 60
LESS_MEMORY = "Make --jobs smaller, or close other programs."
TAKEN = "Move what has the name elsewhere, or train this one with train.py and another --name, or with --restart."
INTERRUPTED = "Stopped. What was trained is saved: go on with the same command."
WORDS = {"recorded": "recorded", "shorter": "fewer epochs", "interrupted": "interrupted"}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--list", action="store_true", help="train nothing: say what exists and what is missing")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="runs of these names; * stands for anything")
    parser.add_argument("--epochs", type=int, default=TrainConfig.epochs, help="of each run (default %(default)s)")
    parser.add_argument("--split", metavar="NAME", help="another split than the study's, see train.py")
    parser.add_argument("--jobs", type=int, help="runs at once (default: as the GPU holds, or one on each core)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto")
    parser.add_argument(
        "--numerics", choices=("auto", *NUMERICS), default="auto", help="how convolutions are trained on a CPU"
    )
    parser.add_argument("--corpus", metavar="DIR", help="folder with the wav files")
    parser.add_argument("--cache", metavar="DIR", type=Path, help="folder for features")
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT, help="holds runs/ and checkpoints/")
    parser.add_argument("--ray", metavar="ADDRESS", help="train on this Ray cluster")
    parser.add_argument("--cpus", type=float, default=1, help="CPUs a run gets on the cluster (default %(default)g)")
    parser.add_argument("--gpus", type=float, default=0, help="GPUs a run gets there, as 0.25 (default %(default)g)")
    return parser.parse_args(arguments)


def configurations(args: argparse.Namespace) -> list[TrainConfig]:
    """What the command line asks for."""
    configs = with_epochs(STUDIES[args.study](), args.epochs)
    if args.split:
        configs = [TrainConfig(**{**vars(config), "split": args.split}) for config in configs]
    if args.only:
        chosen = [c for c in configs if any(fnmatch.fnmatchcase(c.name, pattern) for pattern in args.only)]
        if not chosen:
            raise ConfigError(f"No run of {args.study} is called {' or '.join(args.only)}. See --list for names.")
        configs = chosen
    return configs


def train_command(entry: Entry, how: How, args: argparse.Namespace) -> list[str]:
    """The command line of train.py that trains an entry."""
    command = [sys.executable, str(ROOT / "train.py"), *command_line(entry.config)]
    for flag, value in (
        ("--device", args.device),
        ("--precision", args.precision),
        ("--numerics", args.numerics),
        ("--corpus", args.corpus),
        ("--cache", args.cache),
        ("--out", args.out),
    ):
        if value is not None:
            command += [flag, str(value)]
    return command if how == "start" else [*command, f"--{how}"]


def print_list(entries: Sequence[Entry], estimator: Estimator, jobs: int) -> None:
    """A line a run, and what is left in all with so many runs at once."""
    seconds = [entry.epochs_left * estimator.epoch_seconds(entry.config) for entry in entries]
    width = max(len(entry.name) for entry in entries)
    print(f"{'run':{width}}  {'state':13}  {'epochs':>8}  {'accuracy':>8}  time left")
    for entry, left in zip(entries, seconds, strict=True):
        accuracy = f"{entry.run.accuracy:.1%}" if entry.run else "–"
        status = f"  ({entry.run.status})" if entry.run and entry.run.status != "finished" else ""
        print(
            f"{entry.name:{width}}  {WORDS.get(entry.state, entry.state):13}  "
            f"{entry.epochs_done:>4}/{entry.config.epochs:<3}  {accuracy:>8}  {duration(left) if left else '–'}{status}"
        )
    for entry in entries:
        if entry.reason:
            print(f"{entry.reason} {TAKEN}" if entry.state == "other settings" else entry.reason)
    counts = Counter(WORDS.get(entry.state, entry.state) for entry in entries)
    print(", ".join(f"{n} {state}" for state, n in counts.items()) + f"; {len(entries)} in all.")
    if sum(seconds):
        basis = "from runs recorded on it" if estimator.measured else "a guess from a few steps"
        at_once = f"{jobs} runs at once" if jobs > 1 else "one run after another"
        left = max(sum(seconds) / jobs, *seconds)
        print(f"About {duration(left)} left on {estimator.device.label}, {at_once} ({basis}).")


def duration(seconds: float) -> str:
    """Hours and minutes, rounded up."""
    hours, minutes = divmod(max(1, -int(-seconds // 60)), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


class Display:
    """One progress display for all runs, in units of the time that each is expected to take.

    Where there is no terminal, as in a log, it is a line a minute, if an epoch has ended in it.
    """

    def __init__(self, entries: Sequence[Entry], estimator: Estimator, runs_dir: Path):
        self.runs_dir, self.done, self.total = runs_dir, 0, len(entries)
        self.cost = {entry.name: estimator.epoch_seconds(entry.config) for entry in entries}
        self.left = {entry.name: entry.epochs_left for entry in entries}
        self.done = sum(entry.state == "recorded" for entry in entries)
        self.work = self._work_left()
        self.bar = tqdm(
            total=self.work,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}",
            disable=None,
        )
        self.logged, self.log_again = "", 0.0

    def watch(self, running: Sequence[Entry], ended: dict[str, str | None]) -> None:
        """Draw how far all are, and write a line for each that ended."""
        for name, error in ended.items():
            self.log_again = 0.0
            self._advance(name, 0)
            self.bar.write(f"{name}: {error or self._result(name)}")
            self.done += error is None
        states = []
        for entry in running:
            epochs = epochs_in_progress(self.runs_dir, entry.name)
            self._advance(entry.name, entry.config.epochs - epochs)
            states.append(f"{entry.name} {epochs}/{entry.config.epochs}")
        done, now = f"{self.done} of {self.total} runs", ", ".join(states[:3]) + (" …" if len(states) > 3 else "")
        if self.bar.disable:
            self._log(", ".join(filter(None, (done, now))))
        else:
            self.bar.set_description_str(done, refresh=False)
            self.bar.set_postfix_str(now)

    def close(self) -> None:
        """Leave the bar as it is."""
        self.bar.close()

    def _log(self, line: str) -> None:
        if line != self.logged and time.monotonic() >= self.log_again:
            print(line, file=sys.stderr, flush=True)
            self.logged, self.log_again = line, time.monotonic() + LOG_SECONDS

    def _result(self, name: str) -> str:
        run = load_run(self.runs_dir / name)
        low, high = run.accuracy_interval
        status = "" if run.status == "finished" else f", {run.status}"
        return f"test accuracy {run.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}){status}"

    def _advance(self, name: str, left: int) -> None:
        if left < self.left[name]:
            self.left[name] = left
            self.bar.n = self.work - self._work_left()

    def _work_left(self) -> float:
        return sum(self.cost[name] * epochs for name, epochs in self.left.items())


def make_pool(args: argparse.Namespace, jobs: int, threads: int) -> Pool:
    """Where the runs are trained."""
    runs_dir, checkpoints_dir = args.out / RUNS_DIR.name, args.out / CHECKPOINTS_DIR.name
    if args.ray:
        from ser_core.training.ray_pool import RayPool

        return RayPool(
            args.ray,
            runs_dir=runs_dir,
            checkpoints_dir=checkpoints_dir,
            corpus=args.corpus,
            cache_dir=args.cache,
            cpus=args.cpus,
            gpus=args.gpus,
            device=args.device,
            precision=args.precision,
            numerics=args.numerics,
        )
    return LocalPool(lambda entry, how: train_command(entry, how, args), runs_dir, jobs, threads, LESS_MEMORY)


def default_jobs(device: Device) -> int:
    """As many runs as the GPU has memory for; one for each core of a CPU that has the memory.

    One run on all cores trains less in the same time: benchmarks/results/grid.txt.
    """
    if device.device.type != "cuda":
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return max(1, min(os.cpu_count() or 1, memory // JOB_CPU_BYTES))
    free, _ = torch.cuda.mem_get_info()
    return max(1, min(MAX_JOBS, free // JOB_GPU_BYTES))


@friendly_errors(interrupted=INTERRUPTED, less_memory=LESS_MEMORY)
def main(arguments: list[str] | None = None) -> None:
    """List or train as the command line says; the exit status is 1 if a run failed, or could not be begun."""
    args = parse_arguments(arguments)
    runs_dir = args.out / RUNS_DIR.name
    entries = survey(configurations(args), runs_dir)
    device = Device.choose(args.device, args.precision, args.numerics)
    waiting = sum(entry.to_train for entry in entries)
    if args.jobs is not None and args.jobs < 1:
        raise ConfigError(f"--jobs is 1 or more, not {args.jobs}.")
    jobs = min(args.jobs or default_jobs(device), max(1, waiting))
    threads = max(1, (os.cpu_count() or 1) // jobs)
    torch.set_num_threads(threads)  # of each run, and so of the speed that is estimated
    estimator = Estimator(load_runs(runs_dir)[0], device)
    if args.list:
        print_list(entries, estimator, jobs)
        return
    taken = [entry for entry in entries if entry.state == "other settings"]
    for entry in taken:
        print(f"not trained: {entry.name}: {entry.reason} {TAKEN}", file=sys.stderr)
    failed = train_waiting(entries, estimator, args, jobs, threads) if waiting else {}
    for name, reason in failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    if failed or taken:
        sys.exit(1)
    if not waiting:
        print(f"All {len(entries)} runs are recorded.")


def train_waiting(
    entries: Sequence[Entry], estimator: Estimator, args: argparse.Namespace, jobs: int, threads: int
) -> dict[str, str]:
    """Train with a progress display; why runs failed, by name."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the processes it started, as Ctrl-C does
    display = Display(entries, estimator, args.out / RUNS_DIR.name)
    try:
        return train_all(entries, make_pool(args, jobs, threads), display.watch)
    finally:
        display.close()


if __name__ == "__main__":
    main()
