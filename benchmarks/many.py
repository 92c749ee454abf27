"""A folder of files into a table: on one and on two cores, against a loop over `Predictor`; what 1,000 hours cost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import torch

from benchmarks import open_corpus
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.errors import SERError
from ser_core.records.checkpoints import checkpoints_dir
from ser_core.serving.many.blocks import File, in_blocks
from ser_core.serving.many.classifier import Classification
from ser_core.serving.many.settings import ManySettings
from ser_core.serving.predictor import Predictor

CHECKPOINTS = {None: 400, "lr0.001-SiLU-2D": 1_200, "lr0.01-ELU-1D": 2_400}
"""Names, the best without one, and how many clips each gets: half a minute of work for one core."""
FEW = 16  # files, whose time is that of beginning
COST_CLIPS = 64
LONG_MINUTES = 6  # of a recording that is read part by part
WINDOWED_MINUTES = 1
MANY, FEWER = 100_000, 1_000  # files for the measurement of memory
LOOK_SECONDS = 0.05


class Took(NamedTuple):
    """What a command took.

    Attributes:
        seconds: by the clock.
        megabytes: of its main process, at most.
    """

    seconds: float
    megabytes: float


def table(folder: Path, checkpoint: str, workers: int) -> Took:
    """Run `ser predict FOLDER --out` in a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "ser_core.predict", str(folder), "--out", f"{out}/results.parquet"]
        command += ["--checkpoint", checkpoint, "--workers", str(workers)]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        megabytes = 0.0
        while process.poll() is None:
            megabytes = max(megabytes, resident_peak(process.pid))
            time.sleep(LOOK_SECONDS)
        assert process.returncode in (0, 2)
        return Took(time.perf_counter() - started, megabytes)


def resident_peak(pid: int) -> float:
    """Most megabytes that a process has had in memory; what `wait4` says of it begins with those of its parent."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0.0
    return int(found[1]) / 1000 if (found := re.search(r"VmHWM:\s*(\d+)", status)) else 0.0


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


def compare(root: Path, predictor: Predictor, files: Sequence[Path]) -> None:
    """Print files a second of each way."""
    name, n = predictor.config.name, len(files)
    loop(predictor, files[:FEW])  # what is loaded when it is needed first is not counted
    rate = n / loop(predictor, files)
    print(f"  a loop over Predictor, one core      {rate:7.1f} files/s", flush=True)
    few, all_files = linked(root / f"few-{name}", files[:FEW]), linked(root / f"all-{name}", files)
    one = 0.0
    for workers in (1, 2):
        begin, whole = table(few, name, workers).seconds, table(all_files, name, workers).seconds
        now = (n - FEW) / (whole - begin)
        one = one or now
        ratios = f"{now / rate:.2f} x the loop" + (f", {now / one:.2f} x one process" if workers > 1 else "")
        processes = f"{workers} process{'es' if workers > 1 else ''}"
        print(
            f"  ser predict --out, {processes:18}{now:7.1f} files/s, {ratios}; it begins within {begin:.1f} s",
            flush=True,
        )


def cost(predictor: Predictor, clips: Sequence[Path], long: Path, short: Path) -> None:
    """Print core hours for 1,000 hours of sound: the processor time of one thread, whatever else the machine does."""
    plain = ManySettings(predictor.config.name, "", 0.4, 180.0)
    windows = replace(plain, windows=3.0, hop=1.0)
    for what, settings, files in (
        ("short clips", plain, clips),
        ("long recordings", plain, [long]),
        ("those, --windows 3 --hop 1", windows, [short]),
    ):
        classifier = Classification(settings, root=checkpoints_dir()).begin()
        blocks = list(in_blocks(File(0, os.fsencode(file), file.stat().st_size) for file in files))
        started = time.process_time()
        for block in blocks:
            classifier(block)
        hours = sum(soundfile.info(file).duration for file in files) / 3600
        core_hours = 1000 * (time.process_time() - started) / 3600 / hours
        print(f"  1,000 hours of {what}: {core_hours:.0f} core hours", flush=True)


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
        speech = np.concatenate([load_audio(file) for file in files[:400]])
        long, short = root / "long.flac", root / "short.flac"
        soundfile.write(long, speech[: LONG_MINUTES * 60 * SAMPLE_RATE], SAMPLE_RATE)
        soundfile.write(short, speech[: WINDOWED_MINUTES * 60 * SAMPLE_RATE], SAMPLE_RATE)
        for checkpoint, n in CHECKPOINTS.items():
            predictor = Predictor.load(checkpoint)
            chosen = files[:: max(1, len(files) // n)][:n]
            print(f"{predictor.config.name}: {len(chosen):,} clips")
            compare(root, predictor, chosen)
            cost(predictor, chosen[:COST_CLIPS], long, short)
        memory(root, "lr0.01-ELU-1D")


if __name__ == "__main__":
    main()
