"""Evaluate checkpoints on a corpus: `ser evaluate`, `python -m ser_core.evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from ser_core.command import friendly_errors, printable
from ser_core.command_line import CheckpointName, Labels, Switch, parse
from ser_core.errors import ConfigError
from ser_core.evaluation.asked import asked_checkpoints, refuse_both
from ser_core.places import require_writable, written
from ser_core.words import counted

PROG = "ser evaluate"


@dataclass(frozen=True)
class EvaluateCommand:
    """Evaluate a checkpoint on a corpus of any kind, and record it.

    Of a corpus that it was trained on, its test clips are taken; of any other, all clips. The record is a folder
    CORPUS/CHECKPOINT with evaluation.json and predictions.csv, and takes the place of an earlier one of the same clips.

    Several checkpoints together, or one that hears each clip at three speeds, stand in a record of their own: networks
    that need no training.

    Attributes:
        corpus: its folder, or a table in CSV with the columns file and emotion, and maybe speaker and sex.
        checkpoint: the trained network, a folder's name in checkpoints/.
        every_checkpoint: evaluate all that can be used, one after the other.
        together: evaluate these as one network, which says the mean of their probabilities.
        tta: hear each clip also 10 % slower and 10 % faster, and take the mean of the probabilities.
        validation: of CREMA-D, take the validation clips and not the test clips: to choose between networks.
        change: first change each clip in a way that `python -m benchmarks robustness` does, as `pink-15`, noise.
        labels: what labels mean, beside what they usually do.
        name: what records call the corpus.
        out: folder for records.
        replace: replace a record of other clips, too, whose corpus has the same name.
    """

    corpus: Annotated[Path, arg(metavar="PATH")]
    checkpoint: CheckpointName = None
    every_checkpoint: Switch = False
    together: Annotated[tuple[str, ...] | None, arg(metavar="NAME NAME [NAME ...]", help_behavior_hint="")] = None
    tta: Switch = False
    validation: Switch = False
    change: Annotated[str, arg(metavar="NAME", help_behavior_hint="(default: none)")] = ""
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
        ConfigError: it asks for checkpoints in two ways, or for fewer than two together.
    """
    args = parse(EvaluateCommand, arguments, prog=prog)
    refuse_both(args.checkpoint, args.every_checkpoint)
    if args.together and (args.checkpoint or args.every_checkpoint):
        raise ConfigError("Give --together or other checkpoints, not both.")
    if args.together is not None and len(set(args.together)) < max(2, len(args.together)):
        raise ConfigError("--together is of two checkpoints or more, each named once.")
    return args


@friendly_errors()
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Evaluate what the command line says."""
    args = parse_arguments(arguments, prog)
    from tqdm import tqdm

    from ser_core.corpus.copies import CONTRADICTED, COPY
    from ser_core.corpus.describe import open_described
    from ser_core.evaluation.unheard import require_validated, validated
    from ser_core.records.checkpoints import checkpoint_folder, checkpoints_dir, load_config
    from ser_core.records.evaluations import folder_of, save_evaluation

    recordings = open_described(args.corpus, args.labels)
    if args.validation:
        require_validated(recordings)
    for reason in (COPY, CONTRADICTED):
        if names := recordings.left_out.get(reason):
            said = f"{recordings.title}: left out: {counted(len(names), 'clip')}, {reason} ({names[0]})"
            print(printable(said), file=sys.stderr)
    root, out = checkpoints_dir(), args.out or written("evaluations")
    require_writable(out)
    if args.together:
        asked = [[checkpoint_folder(root, name) for name in args.together]]
    else:
        asked = [[root / name] for name in asked_checkpoints(root, args.checkpoint, args.every_checkpoint)]
    if args.validation:
        for folder in chain.from_iterable(asked):
            validated(recordings, load_config(folder))
    from ser_core.evaluation.evaluate import evaluate_together  # torch takes seconds to load
    from ser_core.evaluation.hearing import SPEEDS, Way
    from ser_core.evaluation.same_corpus import refuse_another_corpus
    from ser_core.evaluation.summary import summary

    way = Way(args.validation, args.change, SPEEDS) if args.tta else Way(args.validation, args.change)
    corpus = way.corpus_name(args.name or recordings.name)
    places = [folder_of(out, corpus, way.name(folders)) for folders in asked]
    if not args.replace:
        for folders, place in zip(asked, places, strict=True):
            refuse_another_corpus(place, recordings, folders[0])
    for folders, place in zip(asked, places, strict=True):
        with tqdm(total=len(recordings.clips), unit=" clips", desc=place.name, leave=False) as bar:
            evaluation, predictions = evaluate_together(recordings, folders, way, bar.update)
        if args.name:
            named = replace(evaluation.corpus, name=corpus, title=way.corpus_title(args.name))
            evaluation = replace(evaluation, corpus=named)
        save_evaluation(place, evaluation, predictions)
        print("\n".join([*summary(evaluation), f"  recorded in {place}", ""]))
