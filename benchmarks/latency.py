"""From a file's bytes to probabilities: one clip at a time, and a folder; and 3 s of audio on one core."""

from __future__ import annotations

import time

import numpy as np

from benchmarks import open_corpus
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.serving.latency import one_core_milliseconds
from ser_core.serving.predictor import Predictor

N_CALLS = 200
N_FILES = 300


def main() -> None:
    """Print median and 95th percentile of one 2.5 s clip, and files a second, for each checkpoint."""
    corpus, present = open_corpus()
    clip = min(present, key=lambda clip: abs(clip.seconds - 2.5))
    data = corpus.path(clip).read_bytes()
    files = [corpus.path(clip) for clip in present[:: max(1, len(present) // N_FILES)][:N_FILES]]
    print(f"{clip.filename}, {clip.seconds:.2f} s")
    for name in list_checkpoints(checkpoints_dir()):
        predictor = Predictor.load(name)
        predictor(data)
        milliseconds = []
        for _ in range(N_CALLS):
            started = time.perf_counter()
            predictor(data)
            milliseconds.append(1000 * (time.perf_counter() - started))
        median, slow = np.percentile(milliseconds, [50, 95])
        started = time.perf_counter()
        list(predictor.classify_many(files))
        rate = len(files) / (time.perf_counter() - started)
        print(
            f"{name:26} one clip: median {median:5.1f} ms, 95th percentile {slow:5.1f} ms; folder: {rate:5.1f} "
            f"files/s; 3 s on one core: {one_core_milliseconds(predictor):5.1f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
