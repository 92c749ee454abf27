"""Classify files: `ser predict`, `python -m ser_core.predict`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from ser_core.audio.limit import MAX_SECONDS, MINUTES, Limit
from ser_core.command import friendly_errors, printable
from ser_core.command_line import CheckpointName, Switch, parse
from ser_core.emotions import EMOTIONS
from ser_core.errors import AudioError, ConfigError
from ser_core.serving.many.options import Many
from ser_core.serving.prediction import MIN_CONFIDENCE, require_probability
from ser_core.serving.progress import ProgressLine
from ser_core.serving.rows import result_row, to_csv, to_json
from ser_core.sound_files import find_recordings, with_folder
from ser_core.words import first_few

if TYPE_CHECKING:
    from ser_core.serving.predictor import Predictor

PROG = "ser predict"
MINUTES_HINT = f"(default: ${MINUTES}, or {MAX_SECONDS / 60:g})"


@dataclass(frozen=True)
class PredictCommand:
    """Say which emotion is heard in audio files.

    What can't be used is named and doesn't stop the others; the exit status is then 2.

    Attributes:
        files: audio files, or folders of them.
        checkpoint: the trained network to ask, a folder's name in checkpoints/.
        min_confidence: from which probability on an emotion is answered, 0 to 1; below it the answer is `unsure`.
        any_sound: classify recordings in which no voice is recognised, too, as some shouts.
        max_minutes: recordings that last longer are refused.
        format: how the answers are printed.
        adapt: recordings of the same speaker, or made alike, in whatever emotion: a file, or a folder; the network is
            tuned to their voice, room and microphone first. It may be the folder that is classified, and given again.
            The column `adapted_to` of JSON, CSV and tables says to how many recordings, 0 for none.
        adapt_emotion: the one emotion that all recordings of --adapt are in, as `neutral`; leave it out if they are in
            several. A voice that is heard in one emotion only is tuned away from it, unless this says which.
    """

    files: Positional[Annotated[tuple[Path, ...], arg(metavar="FILE [FILE ...]", help_behavior_hint="(one or more)")]]
    checkpoint: CheckpointName = None
    min_confidence: float = MIN_CONFIDENCE
    any_sound: Switch = False
    max_minutes: Annotated[float | None, arg(metavar="FLOAT", help_behavior_hint=MINUTES_HINT)] = None
    format: Literal["table", "json", "csv"] = "table"
    adapt: UseAppendAction[Annotated[tuple[Path, ...], arg(metavar="FILE", help_behavior_hint="")]] = ()
    adapt_emotion: Annotated[str | None, arg(metavar="EMOTION", help_behavior_hint="")] = None
    many: Many = field(default_factory=Many)

    @property
    def max_seconds(self) -> float:
        """How long a recording may be.

        Raises:
            ConfigError: `max_minutes` or the setting in its place is no duration.
        """
        return Limit(None if self.max_minutes is None else 60 * self.max_minutes).seconds


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> PredictCommand:
    """The command line.

    Raises:
        ConfigError: it names no file, a number is out of its range, or flags don't fit together.
    """
    args = parse(PredictCommand, arguments, prog=prog)
    if not args.files:
        raise ConfigError(f"Say which audio files, or folders of them: {prog} FILE. See {prog} --help.")
    require_probability(args.min_confidence)
    _ = args.max_seconds
    args.many.check()
    if args.adapt_emotion is not None and not args.adapt:
        raise ConfigError("--adapt-emotion is for the recordings of --adapt: say which.")
    if args.many.out and args.format != "table":
        raise ConfigError(f"--format {args.format} is for what is printed: the ending of --out says what the table is.")
    return args


def expand(paths: Iterable[Path]) -> list[tuple[Path, AudioError | None]]:
    """Files as given, and the recordings in folders, by name; with what is wrong where a folder holds none, and with
    the reason where a file in it is left out."""
    files: list[tuple[Path, AudioError | None]] = []
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 (a name that no file can have is no folder)
            files.append((path, None))
            continue
        recordings, left_out = find_recordings(path)
        files.extend((file, None) for file in recordings)
        files.extend((file, AudioError(reason)) for file, reason in left_out.items())
        if not recordings and not left_out:
            files.append((path, AudioError(f"{path} is a folder without audio files.")))
    return files


@friendly_errors(less_memory="Give it shorter recordings, or close other programs.")
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Classify the files the command line names."""
    args = parse_arguments(arguments, prog)
    if args.many.out:
        _write_table(args)
        return
    files = expand(args.files)
    predictor = _load(args)
    if args.adapt:
        predictor = _adapted(predictor, args)
    with ProgressLine() as heard:
        results = predictor.classify_many([file for file, error in files if not error], heard=heard)
        rows = [result_row(str(file), error or next(results)) for file, error in files]
    match args.format:
        case "json":
            print(to_json(rows))
        case "csv":
            print(to_csv(rows), end="")
        case _:
            _print_table(rows)
    for row in rows:
        for warning in row["warnings"]:
            print(printable(f"warning: {row['file']}: {warning}"), file=sys.stderr)
        if row["error"]:
            print(printable(f"error: {with_folder(Path(row['file']), row['error'])}"), file=sys.stderr)
    if any(row["error"] for row in rows):
        sys.exit(2)


def _load(args: PredictCommand) -> Predictor:
    from ser_core.serving.predictor import Predictor  # torch takes seconds to load: `--help` doesn't wait for it

    return Predictor.load(
        args.checkpoint,
        min_confidence=args.min_confidence,
        max_seconds=args.max_seconds,
        any_sound=args.any_sound,
    )


def _write_table(args: PredictCommand) -> None:
    from ser_core.serving.many.command import run

    run(
        args.files,
        args.many,
        checkpoint=args.checkpoint,
        min_confidence=args.min_confidence,
        max_minutes=args.max_seconds / 60,
        any_sound=args.any_sound,
        adaptation=_adapted(_load(args), args).adaptation if args.adapt else None,
    )


def _adapted(predictor: Predictor, args: PredictCommand) -> Predictor:
    """Tuned to the recordings that are named; what can't be used of them is named.

    Raises:
        AudioError: none can be used, and why.
    """
    files = expand(args.adapt)
    errors = [error for _, error in files if error]
    try:
        if len(errors) == len(files):
            raise AudioError(first_few(list(map(str, errors))))
        adapted = predictor.adapt([file for file, error in files if not error], emotion=args.adapt_emotion)
    except AudioError as why:
        raise AudioError(f"Nothing that --adapt names can be used. {why}") from None
    for error in errors:
        print(printable(f"warning: {error}"), file=sys.stderr)
    assert adapted.adaptation
    for sentence in adapted.adaptation.left_out:
        print(printable(f"warning: {sentence} The network is tuned without it."), file=sys.stderr)
    return adapted


def _print_table(rows: list[dict[str, Any]]) -> None:
    print(f"answer    conf.  {'  '.join(f'{e:>4}' for e in EMOTIONS)}  file")
    for row in rows:
        if not row["error"]:
            probabilities = "  ".join(f"{row[e]:4.2f}" for e in EMOTIONS)
            print(f"{row['answer']:8} {row['confidence']:6.1%}  {probabilities}  {printable(row['file'])}")
