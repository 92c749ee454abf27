"""Which voice activity detection gives the better validation accuracy: a paired trial over seeds.

A network is trained on the report's training part, less 1,200 clips that are validated on together with its 261
validation clips: that makes chance differences small enough to see. The test part is not used. Each detector is trained
from the same seeds; the difference to the first detector is the mean over seeds of the difference on each clip, and
its interval resamples speakers and their clips, since clips of one speaker are not independent.

What was trained stays in the folder of `--keep` (beside the feature cache), so that an interrupted trial goes on: empty
it after a change of what is trained.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np

from ser_core.audio.preprocess import AudioConfig, load_audio, preprocess
from ser_core.corpus.clips import Clip, by_name
from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import report_split
from ser_core.emotions import EMOTIONS
from ser_core.features.cache import default_cache_dir, load_features
from ser_core.training.allocator import keep_freed_memory
from ser_core.training.batches import ClipTensors
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device
from ser_core.training.trainer import Trainer, predict_logits

DETECTORS = {
    "silero": AudioConfig(vad="silero"),
    "energy, 30 dB": AudioConfig(vad="energy", vad_top_db=30),
    "none": AudioConfig(vad="none"),
}
HELD_OUT = 1200
N_RESAMPLES = 10_000


def parts(clips: list[Clip]) -> tuple[list[int], list[int]]:
    """Positions of the clips that are trained on, and of those that are validated on."""
    split = report_split()
    positions = {clip.name: i for i, clip in enumerate(clips)}
    train = [positions[name] for name in split.train]
    random.Random(0).shuffle(train)
    return train[HELD_OUT:], [positions[name] for name in split.val] + train[:HELD_OUT]


def right(config: TrainConfig, corpus: Corpus, clips: list[Clip]) -> np.ndarray:
    """Train once; which of the validation clips the last epoch gets right, bool `[clips]`."""
    train, val = parts(clips)
    device = Device.choose()
    inputs = load_features(corpus, ["mel"] if config.model == "2d" else ["spectral"], audio=config.audio, clips=clips)
    data = ClipTensors(inputs, [EMOTIONS.index(clip.emotion) for clip in clips], "fixed", device.device)
    trainer = Trainer(config, data, train, val, device)
    while not trainer.finished:
        trainer.run_epoch()
    predicted = predict_logits(trainer.model, data, trainer.val_clips, device).argmax(1)
    return (predicted == data.labels[trainer.val_clips]).numpy()


def interval(differences: np.ndarray, speakers: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of `[clips]`, drawing speakers with replacement, and clips of each."""
    rng = np.random.default_rng(0)
    groups = [differences[speakers == speaker] for speaker in np.unique(speakers)]
    means = []
    for _ in range(N_RESAMPLES):
        drawn = [groups[i] for i in rng.integers(0, len(groups), len(groups))]
        means.append(np.concatenate([group[rng.integers(0, len(group), len(group))] for group in drawn]).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Print a line a detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--model", choices=("1d", "2d"), default="1d")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    kept = default_cache_dir().with_name("vad-trial")
    parser.add_argument("--keep", type=Path, default=kept, metavar="DIR", help="folder for what each training gives")
    args = parser.parse_args()
    keep_freed_memory()
    args.keep.mkdir(parents=True, exist_ok=True)
    corpus, split = Corpus.open(), report_split()
    clips = by_name(sorted(split.train + split.val))
    train, val = parts(clips)
    print(
        f"{args.model}, {args.epochs} epochs, seeds {', '.join(map(str, args.seeds))}; "
        f"{len(train):,} clips to train on, {len(val):,} to validate on"
    )
    results: dict[str, list[np.ndarray]] = {}
    for seed in args.seeds:  # seed by seed, so that a trial that is cut short is balanced
        for name in args.detectors:
            path = args.keep / f"{args.model}-{args.epochs}-{name}-{seed}.npy"
            if not path.exists():
                config = TrainConfig(
                    model=args.model, epochs=args.epochs, warmup_epochs=2, seed=seed, audio=DETECTORS[name]
                )
                np.save(path, right(config, corpus, clips))
            results.setdefault(name, []).append(np.load(path))
    some = [load_audio(corpus.path(clip)) for clip in clips[::25]]
    speakers = np.array([clips[i].actor.id for i in val])
    first = np.mean(results[args.detectors[0]], axis=0)
    for name, seeds in results.items():
        preprocess(some[0], DETECTORS[name])
        started = time.perf_counter()
        seconds = [preprocess(clip, DETECTORS[name]).seconds for clip in some]
        cost = 1000 * (time.perf_counter() - started) / len(some)
        line = (
            f"{name:14} accuracy {np.mean(seeds):.1%} (seeds {', '.join(f'{s.mean():.1%}' for s in seeds)}); "
            f"{cost:.2f} ms and {sum(seconds) / len(seconds):.2f} s of speech a clip"
        )
        if name != args.detectors[0]:
            difference = np.mean(seeds, axis=0) - first
            low, high = interval(difference, speakers)
            line += f"; against {args.detectors[0]} {100 * difference.mean():+.1f} points"
            line += f" (95 % interval over speakers {100 * low:+.1f} to {100 * high:+.1f})"
        print(line, flush=True)


if __name__ == "__main__":
    main()
