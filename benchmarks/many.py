"""A folder of files into a table: on one and on two cores, against a loop over `Predictor`; what 1,000 hours cost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import torch

from benchmarks import open_corpus
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.errors import SERError
from ser_core.serving.predictor import Predictor

CHECKPOINTS = {None: 400, "lr0.001-SiLU-2D": 1_200, "lr0.01-ELU-1D": 2_400}
"""Names, the best without one, and how many clips each gets: half a minute of work for one core."""
FEW = 16  # files, whose time is that of beginning
LONG_MINUTES = 6  # which is read part by part
LONG_FILES = 2
MANY, FEWER = 100_000, 1_000  # files for the measurement of memory
WINDOWS = ("--windows", "3", "--hop", "1")


class Took(NamedTuple):
    """What a command took.

    Attributes:
        seconds: by the clock.
        cpu: seconds of processors.
        megabytes: of its main process, at most.
    """

    seconds: float
    cpu: float
    megabytes: float


def table(folder: Path, checkpoint: str, workers: int, *flags: str) -> Took:
    """Run `ser predict FOLDER --out` in a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "ser_core.predict", str(folder), "--out", f"{out}/results.parquet"]
        command += ["--checkpoint", checkpoint, "--workers", str(workers), *flags]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode in (0, 2)
        cpu = usage.ru_utime + usage.ru_stime
        return Took(time.perf_counter() - started, cpu, usage.ru_maxrss / 1000)


def linked(folder: Path, files: Sequence[Path]) -> Path:
    """A folder of so many files, which may be the same."""
    folder.mkdir()
    for number, file in enumerate(files):
        (folder / f"{number:06}{file.suffix}").symlink_to(file)
    return folder


def loop(predictor: Predictor, files: Sequence[Path]) -> float:
    """Seconds that one file after another takes."""
    started = time.perf_counter()
    for file in files:
        try:
            predictor(file)
        except SERError:
            continue
    return time.perf_counter() - started


def compare(root: Path, checkpoint: str | None, n: int, files: Sequence[Path], long: Sequence[Path]) -> None:
    """Print files a second of each way, and the cost of 1,000 hours."""
    predictor = Predictor.load(checkpoint)
    name = predictor.config.name
    n = min(n, len(files))
    chosen = files[:: len(files) // n][:n]
    loop(predictor, chosen[:FEW])  # what is loaded when it is needed first is not counted
    hours = sum(soundfile.info(file).duration for file in chosen) / 3600
    few, some = linked(root / f"few-{name}", chosen[:FEW]), linked(root / f"some-{name}", chosen)
    rate = n / loop(predictor, chosen)
    print(f"{name}: {n:,} clips of {3600 * hours / n:.1f} s")
    print(f"  a loop over Predictor, one core      {rate:7.1f} files/s")
    rates, cost = [rate], {}
    for workers in (1, 2):
        begin, whole = table(few, name, workers), table(some, name, workers)
        rates.append((n - FEW) / (whole.seconds - begin.seconds))
        ratios = f"{rates[-1] / rate:.2f} x the loop"
        ratios += f", {rates[-1] / rates[1]:.2f} x one process" if workers > 1 else ""
        processes = f"{workers} process{'es' if workers > 1 else ''}"
        print(
            f"  ser predict --out, {processes:18}{rates[-1]:7.1f} files/s, {ratios}; it begins within "
            f"{begin.seconds:.1f} s",
            flush=True,
        )
        if workers == 1:
            cost["such clips"] = (whole.cpu - begin.cpu) / hours * n / (n - FEW)
    one, several = linked(root / f"one-{name}", long[:1]), linked(root / f"several-{name}", long)
    more_hours = LONG_MINUTES / 60 * (len(long) - 1)
    for what, flags in ((f"recordings of {LONG_MINUTES} min", ()), ("them, " + " ".join(WINDOWS), WINDOWS)):
        cost[what] = (table(several, name, 1, *flags).cpu - table(one, name, 1, *flags).cpu) / more_hours
    for what, seconds in cost.items():
        print(f"  1,000 hours of {what}: {seconds * 1000 / 3600:.1f} core hours", flush=True)


def memory(root: Path, checkpoint: str) -> None:
    """Print what the main process takes for a few and for very many files."""
    tiny = root / "tiny.wav"
    soundfile.write(tiny, np.zeros(SAMPLE_RATE // 4, np.float32), SAMPLE_RATE)
    for n in (FEWER, MANY):
        took = table(linked(root / f"tiny-{n}", [tiny] * n), checkpoint, os.cpu_count() or 1)
        print(f"{n:,} tiny files: {took.megabytes:.0f} MB in the main process, {took.seconds:.0f} s", flush=True)


def main() -> None:
    """Print all comparisons."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    corpus, clips = open_corpus()
    files = [corpus.path(clip) for clip in clips]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        speech = np.concatenate([load_audio(file) for file in files[:400]])[: LONG_MINUTES * 60 * SAMPLE_RATE]
        long = []
        for number in range(LONG_FILES):
            long.append(root / f"long-{number}.flac")
            soundfile.write(long[-1], speech, SAMPLE_RATE)
        for checkpoint, n in CHECKPOINTS.items():
            compare(root, checkpoint, n, files, long)
        memory(root, "lr0.01-ELU-1D")


if __name__ == "__main__":
    main()
