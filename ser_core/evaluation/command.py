"""Evaluate checkpoints on a corpus: `ser evaluate`, `python -m ser_core.evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from ser_core.command import friendly_errors
from ser_core.command_line import CheckpointName, Labels, Switch, parse
from ser_core.evaluation.asked import asked_checkpoints, refuse_both
from ser_core.places import require_writable, written

PROG = "ser evaluate"


@dataclass(frozen=True)
class EvaluateCommand:
    """Evaluate a checkpoint on a corpus of any kind, and record it.

    Of a corpus that it was trained on, its test clips are taken; of any other, all clips. The record is a folder
    CORPUS/CHECKPOINT with evaluation.json and predictions.csv, and takes the place of an earlier one of the same clips.

    Attributes:
        corpus: its folder, or a table in CSV with the columns file and emotion, and maybe speaker and sex.
        checkpoint: the trained network, a folder's name in checkpoints/.
        every_checkpoint: evaluate all that can be used, one after the other.
        labels: what labels mean, beside what they usually do.
        name: what records call the corpus.
        out: folder for records.
        replace: replace a record of other clips, too, whose corpus has the same name.
    """

    corpus: Annotated[Path, arg(metavar="PATH")]
    checkpoint: CheckpointName = None
    every_checkpoint: Switch = False
    labels: Labels = None
    name: Annotated[
        str | None, arg(metavar="NAME", help_behavior_hint="(default: of its kind, its folder or its table)")
    ] = None
    out: Annotated[
        Path | None,
        arg(metavar="DIR", help_behavior_hint="(default: $SER_EVALUATIONS_DIR, or evaluations/ beside checkpoints/)"),
    ] = None
    replace: Switch = False


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> EvaluateCommand:
    """The command line.

    Raises:
        ConfigError: it names a checkpoint, and asks for every one.
    """
    args = parse(EvaluateCommand, arguments, prog=prog)
    refuse_both(args.checkpoint, args.every_checkpoint)
    return args


@friendly_errors()
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Evaluate what the command line says."""
    args = parse_arguments(arguments, prog)
    from tqdm import tqdm

    from ser_core.corpus.describe import open_described
    from ser_core.records.checkpoints import checkpoints_dir
    from ser_core.records.evaluations import folder_of, save_evaluation

    recordings = open_described(args.corpus, args.labels)
    root, out = checkpoints_dir(), args.out or written("evaluations")
    require_writable(out)
    names = asked_checkpoints(root, args.checkpoint, args.every_checkpoint)
    from ser_core.evaluation.same_corpus import refuse_another_corpus

    folders = {name: folder_of(out, args.name or recordings.name, name) for name in names}
    if not args.replace:
        for name, folder in folders.items():
            refuse_another_corpus(folder, recordings, root / name)
    from ser_core.evaluation.evaluate import evaluate_checkpoint  # torch takes seconds to load
    from ser_core.evaluation.summary import summary

    for name, folder in folders.items():
        with tqdm(total=len(recordings.clips), unit=" clips", desc=name, leave=False) as bar:
            evaluation, predictions = evaluate_checkpoint(recordings, root / name, bar.update)
        if args.name:
            evaluation = replace(evaluation, corpus=replace(evaluation.corpus, name=args.name, title=args.name))
        save_evaluation(folder, evaluation, predictions)
        print("\n".join([*summary(evaluation), f"  recorded in {folder}", ""]))
