"""Training clips a second on a CPU: as many runs at once as there are cores, against one run on all cores."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from threading import Barrier

import torch

from benchmarks.training import N_CLIPS, data
from ser_core.training.allocator import keep_freed_memory
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device
from ser_core.training.trainer import Trainer

SECONDS = 10.0
PATIENCE = 120.0  # seconds for all to be ready
MODELS = ("1d", "2d", "combined", "resnet101")

ready: Barrier  # of a process, which gets it when it starts: it can't be an argument of what it does then


def prepare(barrier: Barrier) -> None:
    """What a process does first."""
    global ready
    ready = barrier
    keep_freed_memory()


def train(model: str, threads: int) -> float:
    """Clips a second of one run, from the moment that all are ready."""
    torch.set_num_threads(threads)
    clips = range(N_CLIPS // 4)
    config = TrainConfig(model=model, activation="silu", epochs=10_000)
    trainer = Trainer(config, data(model, config.form), clips, range(1), Device.choose("cpu"))
    trainer.run_epoch()
    ready.wait(PATIENCE)
    started, epochs = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        trainer.run_epoch()
        epochs += 1
    return epochs * len(clips) / (time.perf_counter() - started)


def together(model: str, processes: int, threads: int) -> float:
    """Clips a second of all processes."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, prepare, (spawn.Barrier(processes),)) as pool:
        return sum(pool.map(train, [model] * processes, [threads] * processes))


def main() -> None:
    """Print both for each network."""
    cores = os.cpu_count() or 1
    print(f"{Device.choose('cpu').label}; {SECONDS:g} s each")
    for model in MODELS:
        one, many = together(model, 1, cores), together(model, cores, 1)
        print(f"{model:9}  one run {one:6.1f}/s   {cores} runs {many:6.1f}/s, ratio {many / one:4.2f} x", flush=True)


if __name__ == "__main__":
    main()
