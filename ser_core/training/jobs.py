"""What commands have in common that train many networks: on which corpus, and how many at once."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from ser_core.errors import ConfigError
from ser_core.workers import cores

if TYPE_CHECKING:
    from ser_core.training.device import Device

MAX_JOBS = 6  # on one GPU
JOB_GPU_BYTES = 6 * 2**30
JOB_CPU_BYTES = 4 * 2**30  # what ResNet-38 takes


@dataclass(frozen=True)
class Cluster:
    """Training on the machines of a Ray cluster.

    Attributes:
        ray: address of the cluster, as `ray start --head` prints it; `auto` for the one on this machine.
        cpus: processor cores for each run.
        gpus: GPUs for each run; four share one at 0.25.
    """

    ray: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: this machine, without Ray)")] = None
    cpus: float = 1.0
    gpus: float = 0.0

    def check(self) -> None:
        """Raises ConfigError if a number is out of its range."""
        if not 0 < self.cpus < math.inf:
            raise ConfigError(f"--cpus is a number above 0, not {self.cpus:g}.")
        if not 0 <= self.gpus < math.inf:
            raise ConfigError(f"--gpus is 0 or more, not {self.gpus:g}.")


def check_corpus(folder: Path | None) -> None:
    """Refuse a corpus that is not CREMA-D: its runs would not be those of the study.

    Raises:
        ConfigError: it is another one.
    """
    from ser_core.corpus.registry import CREMAD, holds_audio, kind_of

    if folder and holds_audio(folder) and kind_of(folder) != CREMAD:
        raise ConfigError(f"A grid trains on CREMA-D, and {folder} is another corpus. Train single runs on it.")


def default_jobs(device: Device) -> int:
    """As many runs as the GPU has memory for; one for each core of a CPU that has the memory.

    One run on all cores trains less in the same time: benchmarks/results/grid.txt.
    """
    if device.device.type != "cuda":
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return max(1, min(cores(), memory // JOB_CPU_BYTES))
    import torch

    free, _ = torch.cuda.mem_get_info()
    return max(1, min(MAX_JOBS, free // JOB_GPU_BYTES))
