"""Logging to Weights & Biases, an optional requirement (requirements-wandb.txt); off unless asked for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from ser_core.errors import ConfigError
from ser_core.records.runs import Run
from ser_core.training.experiment import Watcher
from ser_core.training.trainer import Epoch, Trainer

PROJECT = "ser-cremad"


class WandbLog(Watcher):
    """Logs every epoch, and the test figures at the end.

    Args:
        mode: `offline` writes to ./wandb only, `online` sends it to the service.
        name: of the run, if not the configuration's own.

    Raises:
        ConfigError: wandb is not installed.
    """

    def __init__(self, mode: Literal["offline", "online"], name: str | None = None):
        try:
            import wandb
        except ImportError:
            raise ConfigError("--wandb needs Weights & Biases: `pip install wandb`.") from None
        self.wandb, self.mode, self.name = wandb, mode, name

    def started(self, trainer: Trainer) -> None:
        name = self.name or trainer.config.name
        self.log = self.wandb.init(project=PROJECT, name=name, config=asdict(trainer.config), mode=self.mode)

    def epoch(self, epoch: Epoch) -> None:
        self.log.log(epoch._asdict(), step=epoch.epoch)

    def finished(self, run: Run) -> None:
        self.log.summary.update({f"test/{name}": value for name, value in run.metrics.summary.items()})
        self.log.finish()
