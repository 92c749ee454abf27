"""Train one configuration and record it.

    python train.py --model 2d --act silu                  the report's best, 150 epochs
    python train.py --model 1d --act elu --lr 0.01
    python train.py --model 2d --act silu --resume         go on after an interruption

Writes runs/<name>/ and checkpoints/<name>/, as lr0.001-SiLU-2D. The corpus is taken from --corpus, $CREMAD_DIR or the
user's cache; `python -m ser_core.cremad download` gets it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ser_core.command import friendly_errors
from ser_core.corpus.folder import Corpus
from ser_core.models.winograd import NUMERICS
from ser_core.records.checkpoints import CHECKPOINTS_DIR
from ser_core.records.runs import RUNS_DIR, Run
from ser_core.training.allocator import keep_freed_memory
from ser_core.training.device import Device
from ser_core.training.experiment import Watcher, run_experiment
from ser_core.training.flags import add_settings, settings
from ser_core.training.trainer import Epoch, Trainer

if TYPE_CHECKING:
    from torch import Tensor

ROOT = Path(__file__).parent
INTERRUPTED = (
    "Stopped. Finished epochs are saved, but for those of the last few seconds: "
    "go on with the same command and --resume."
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; every setting of the report is a default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_settings(parser)
    parser.add_argument("--name", help="name of the run (default: made from the settings, as lr0.001-SiLU-2D)")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    again.add_argument("--restart", action="store_true", help="replace a run of the same name, whatever its settings")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto")
    parser.add_argument(
        "--numerics", choices=("auto", *NUMERICS), default="auto", help="how convolutions are trained on a CPU"
    )
    parser.add_argument("--corpus", metavar="DIR", help="folder with the wav files")
    parser.add_argument("--cache", metavar="DIR", type=Path, help="folder for features")
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT, help="holds runs/ and checkpoints/")
    parser.add_argument("--wandb", choices=("off", "offline", "online"), default="off", help="log to Weights & Biases")
    return parser.parse_args(arguments)


class ProgressBar(Watcher):
    """One bar for the features, one for the training: loss, accuracy, clips/s and time left.

    A line an epoch is written as well; where there is no terminal, as in a log, it is all that is written.
    """

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.seen = 0

    def replaces(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)

    def features(self, done: int, total: int) -> None:
        if self.bar is None or self.bar.total != total:
            self.bar = tqdm(total=total, desc="Features", unit="clip", disable=None)
        self.bar.update(done - self.bar.n)
        if done == total:
            self.bar.close()
            self.bar = None

    def started(self, trainer: Trainer) -> None:
        clips, done = len(trainer.train_clips), len(trainer.history)
        self.bar = tqdm(
            total=clips * trainer.config.epochs,
            initial=clips * done,
            unit="clip",
            unit_scale=True,
            mininterval=0.5,
            disable=None,
        )
        self.epochs, self.number = trainer.config.epochs, done + 1
        self.bar.set_description(f"Epoch {self.number}/{self.epochs}")

    def step(self, clips: int, loss_sum: Tensor, right: Tensor) -> None:
        assert self.bar is not None
        self.seen += clips
        if self.bar.update(clips):  # it was redrawn: only then are the figures fetched from the device
            self.bar.set_postfix(
                loss=f"{float(loss_sum) / self.seen:.3f}", acc=f"{float(right) / self.seen:.1%}", refresh=False
            )

    def epoch(self, epoch: Epoch) -> None:
        assert self.bar is not None
        self.seen = 0
        self.bar.write(
            f"epoch {epoch.epoch:3d}  loss {epoch.train_loss:.3f}  acc {epoch.train_accuracy:.1%}  "
            f"val loss {epoch.val_loss:.3f}  val acc {epoch.val_accuracy:.1%}  {epoch.seconds:.1f} s"
        )
        self.bar.set_description(f"Epoch {min(epoch.epoch + 1, self.epochs)}/{self.epochs}")

    def finished(self, run: Run) -> None:
        assert self.bar is not None
        self.bar.close()


@friendly_errors(interrupted=INTERRUPTED, less_memory="Make --batch-size smaller, or close other programs.")
def main(arguments: list[str] | None = None) -> None:
    """Train as the command line says."""
    args = parse_arguments(arguments)
    watchers: list[Watcher] = [ProgressBar()]
    if args.wandb != "off":
        from ser_core.training.wandb_log import WandbLog

        watchers.append(WandbLog(args.wandb, args.name))
    keep_freed_memory()
    run = run_experiment(
        settings(args),
        corpus=Corpus.open(args.corpus),
        device=Device.choose(args.device, args.precision, args.numerics),
        resume=args.resume,
        restart=args.restart,
        runs_dir=args.out / RUNS_DIR.name,
        checkpoints_dir=args.out / CHECKPOINTS_DIR.name,
        cache_dir=args.cache,
        name=args.name,
        watchers=watchers,
    )
    low, high = run.accuracy_interval
    print(f"{run.name}: test accuracy {run.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}), {run.folder}")


if __name__ == "__main__":
    main()
