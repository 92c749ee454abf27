"""`python -m ser_core.stream`: follow a file as if it were a live signal."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ser_core.audio.decode import decode
from ser_core.command import friendly_errors
from ser_core.emotions import EMOTIONS
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import stream_row
from ser_core.serving.stream import SpeechStream, StreamConfig, StreamPrediction, blocks

BLOCK_SECONDS = 0.02  # as a browser sends it


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    default = StreamConfig()
    parser = argparse.ArgumentParser(
        prog="python -m ser_core.stream", description="Say which emotion is heard as a recording goes on."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="an audio file")
    parser.add_argument("--checkpoint", metavar="NAME", help="default: the one with the best validation accuracy")
    parser.add_argument("--window", type=float, default=default.window_seconds, help="seconds (default %(default)s)")
    parser.add_argument("--hop", type=float, default=default.hop_seconds, help="seconds (default %(default)s)")
    parser.add_argument("--smoothing", type=float, default=default.smoothing, help="0 to below 1 (default %(default)s)")
    parser.add_argument("--real-time", action="store_true", help="as fast as the recording, not as fast as possible")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="json: one object a line")
    return parser.parse_args(arguments)


@friendly_errors(less_memory="Give it a shorter recording, or close other programs.")
def main(arguments: list[str] | None = None) -> None:
    """Follow the file that the command line names."""
    args = parse_arguments(arguments)
    config = StreamConfig(args.window, args.hop, args.smoothing)
    decoded = decode(args.file)
    for warning in decoded.warnings:
        print(f"warning: {args.file}: {warning}", file=sys.stderr)
    stream = SpeechStream(Predictor.load(args.checkpoint), config)
    if args.format == "table":
        print(f"  time  emotion   conf.  {'  '.join(f'{e:>4}' for e in EMOTIONS)}")
    for prediction in follow(stream, decoded.samples, decoded.rate, real_time=args.real_time):
        row = stream_row(prediction)
        if args.format == "json":
            print(json.dumps(row), flush=True)
        elif row["emotion"] is None:
            print(f"{row['end']:6.1f}  –", flush=True)
        else:
            shares = "  ".join(f"{row[emotion]:4.2f}" for emotion in EMOTIONS)
            print(f"{row['end']:6.1f}  {row['emotion']:8} {row['confidence']:6.1%}  {shares}", flush=True)


def follow(
    stream: SpeechStream, samples: np.ndarray, rate: int, *, real_time: bool = False
) -> Iterator[StreamPrediction]:
    """Push `[channels, samples]` block by block, and give predictions as they come."""
    size = max(1, round(BLOCK_SECONDS * rate))
    started = time.monotonic()
    for i, block in enumerate(blocks(samples, size), 1):
        if real_time:
            time.sleep(max(0.0, started + i * BLOCK_SECONDS - time.monotonic()))
        yield from stream.push(block, rate)
    yield from stream.finish()
