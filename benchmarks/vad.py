"""Which voice activity detection gives the better validation accuracy, and at what cost.

The 2D network is trained for a few epochs on the report's training part, less 1,200 clips that are validated on
together with its 261 validation clips: that makes chance differences small enough to see. The test part is not used.
"""

from __future__ import annotations

import argparse
import math
import random
import time

import torch

from ser_core.audio import AudioConfig, load_audio, preprocess
from ser_core.cremad import Corpus, by_name
from ser_core.dataset import load_features
from ser_core.emotions import EMOTIONS
from ser_core.splits import report_split
from ser_core.train_config import TrainConfig
from ser_core.training import ClipTensors, Device, Trainer

DETECTORS = {
    "silero": AudioConfig(vad="silero"),
    "energy, 20 dB": AudioConfig(vad="energy", vad_top_db=20),
    "energy, 30 dB": AudioConfig(vad="energy", vad_top_db=30),
    "none": AudioConfig(vad="none"),
}
HELD_OUT = 1200


def main() -> None:
    """Print a line a detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--model", choices=("1d", "2d"), default="2d")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    args = parser.parse_args()
    corpus, split, device = Corpus.open(), report_split(), Device.choose()
    clips = by_name(sorted(split.train + split.val))
    positions = {clip.name: i for i, clip in enumerate(clips)}
    train = [positions[name] for name in split.train]
    random.Random(0).shuffle(train)
    val = [positions[name] for name in split.val] + train[:HELD_OUT]
    train = train[HELD_OUT:]
    some = [load_audio(corpus.path(clip)) for clip in clips[::25]]
    print(f"{args.model}, {args.epochs} epochs, {len(train):,} clips to train on, {len(val):,} to validate on")
    for name in args.detectors:
        audio = DETECTORS[name]
        preprocess(some[0], audio)
        started = time.perf_counter()
        seconds = [preprocess(clip, audio).seconds for clip in some]
        cost = 1000 * (time.perf_counter() - started) / len(some)
        config = TrainConfig(model=args.model, epochs=args.epochs, warmup_epochs=1, audio=audio)
        inputs = load_features(corpus, ["mel"] if args.model == "2d" else ["spectral"], audio=audio, clips=clips)
        data = ClipTensors(inputs, [EMOTIONS.index(clip.emotion) for clip in clips], "fixed", device.device)
        trainer = Trainer(config, data, train, val, device)
        while not trainer.finished:
            trainer.run_epoch()
        last = trainer.history[-1]
        error = math.sqrt(last.val_accuracy * (1 - last.val_accuracy) / len(val))
        print(
            f"{name:14} accuracy {last.val_accuracy:.1%} ± {error:.1%} (standard error), loss {last.val_loss:.3f}; "
            f"{cost:.2f} ms and {sum(seconds) / len(seconds):.2f} s of speech a clip",
            flush=True,
        )
        del data, trainer
        torch.manual_seed(0)


if __name__ == "__main__":
    main()
