"""Follow a file as if it were a live signal: `ser stream`, `python -m ser_core.stream`."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from tyro.conf import Positional, arg

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.decode import Recording
from ser_core.audio.mono import mono_parts
from ser_core.command import friendly_errors, printable
from ser_core.command_line import CheckpointName, Switch, flags_of, parse
from ser_core.emotions import EMOTIONS
from ser_core.serving.prediction import MIN_CONFIDENCE, require_probability
from ser_core.serving.rows import stream_row
from ser_core.serving.stream import SpeechStream, StreamConfig, StreamPrediction, blocks

BLOCK_SECONDS = 0.02  # as a browser sends it
PART_SECONDS = 10.0  # that are read of the file at a time


PROG = "ser stream"
SPECIAL: dict[str, Any] = {
    "window_seconds": Annotated[float, arg(name="window", help="seconds that are classified at a time, 1 to 5.")],
    "hop_seconds": Annotated[float, arg(name="hop", help="seconds from one answer to the next, > 0.")],
}


@dataclass(frozen=True)
class StreamCommand:
    """Say which emotion is heard as a recording goes on.

    A line tells the second that was reached, and what was heard just before it: – where nobody speaks.

    Attributes:
        file: an audio file.
        checkpoint: the trained network to ask, a folder's name in checkpoints/.
        min_confidence: from which probability on an emotion is answered, 0 to 1; below it the answer is `unsure`.
        config: how the signal is followed.
        real_time: take as long as the recording lasts, as if it were heard now.
        format: how the answers are printed; `json` is one object a line.
    """

    file: Positional[Annotated[Path, arg(metavar="FILE")]]
    config: Annotated[StreamConfig, arg(name="", constructor=flags_of(StreamConfig, StreamConfig, SPECIAL))]
    checkpoint: CheckpointName = None
    min_confidence: float = MIN_CONFIDENCE
    real_time: Switch = False
    format: Literal["table", "json"] = "table"


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> StreamCommand:
    """The command line.

    Raises:
        ConfigError: a setting is out of its range.
    """
    args = parse(StreamCommand, arguments, prog=prog)
    require_probability(args.min_confidence)
    return args


@friendly_errors(less_memory="Give it a shorter recording, or close other programs.")
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Follow the file that the command line names."""
    args = parse_arguments(arguments, prog)
    recording = Recording(args.file)
    parts = mono_parts(recording, PART_SECONDS)
    first = next(parts)  # what can't be read is said before anything else is done
    from ser_core.serving.predictor import Predictor  # torch takes seconds to load: `--help` doesn't wait for it

    stream = SpeechStream(Predictor.load(args.checkpoint, min_confidence=args.min_confidence), args.config)
    if args.format == "table":
        print(f"  time  answer    conf.  {'  '.join(f'{e:>4}' for e in EMOTIONS)}")
    heeded = _heeding(recording, itertools.chain((first,), parts), args.file)
    for prediction in follow(stream, heeded, real_time=args.real_time):
        row = stream_row(prediction)
        if args.format == "json":
            print(json.dumps(row), flush=True)
        elif row["answer"] is None:
            print(f"{row['end']:6.1f}  –", flush=True)
        else:
            shares = "  ".join(f"{row[emotion]:4.2f}" for emotion in EMOTIONS)
            print(f"{row['end']:6.1f}  {row['answer']:8} {row['confidence']:6.1%}  {shares}", flush=True)


def _heeding(recording: Recording, parts: Iterable[np.ndarray], file: Path) -> Iterator[np.ndarray]:
    """Its parts; what is wrong with it is said as soon as it is known."""
    said = 0
    for part in itertools.chain(parts, (np.zeros(0, np.float32),)):
        for warning in recording.warnings[said:]:
            print(printable(f"warning: {file}: {warning}"), file=sys.stderr)
        said = len(recording.warnings)
        yield part


def follow(stream: SpeechStream, parts: Iterable[np.ndarray], *, real_time: bool = False) -> Iterator[StreamPrediction]:
    """Push parts of `[samples]` at 16 kHz block by block, and give predictions as they come."""
    size, n_samples, started = round(BLOCK_SECONDS * SAMPLE_RATE), 0, time.monotonic()
    for part in parts:
        for block in blocks(part, size):
            n_samples += len(block)
            if real_time:
                time.sleep(max(0.0, started + n_samples / SAMPLE_RATE - time.monotonic()))
            yield from stream.push(block, SAMPLE_RATE)
    yield from stream.finish()
