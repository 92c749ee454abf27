"""Logging to Weights & Biases, an optional requirement (requirements-wandb.txt); off unless asked for."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies

from ser_core.errors import ConfigError
from ser_core.places import require_writable
from ser_core.records.runs import Epoch, Run
from ser_core.training.trainer import Trainer
from ser_core.training.watching import Watcher

PROJECT = "ser-cremad"
REACH_SECONDS = 3.0  # in which the service has to answer, before any work


class WandbLog(Watcher):
    """Logs every epoch, and the test figures at the end.

    What would stop it is found before any work: a missing or wrong key, a folder that can't be written to. Where the
    service can't be reached, a warning says so, and it logs as `offline` does; `wandb sync` sends that later.

    Args:
        mode: `offline` writes to ./wandb (or `$WANDB_DIR`) only, `online` sends it to the service.
        name: of the run, if not the configuration's own.

    Raises:
        ConfigError: wandb is not installed, or has no key that the service knows; or nothing can be written.
    """

    def __init__(self, mode: Literal["offline", "online"], name: str | None = None):
        try:
            import wandb
        except ImportError:
            raise ConfigError("--wandb needs Weights & Biases: `pip install -r requirements-wandb.txt`.") from None
        require_writable(Path(os.environ.get("WANDB_DIR", "wandb")))
        self.wandb, self.name = wandb, name
        self.mode = _log_in(wandb) if mode == "online" else mode

    def started(self, trainer: Trainer) -> None:
        name = self.name or trainer.config.name
        self.log = self.wandb.init(project=PROJECT, name=name, config=asdict(trainer.config), mode=self.mode)

    def epoch(self, epoch: Epoch) -> None:
        self.log.log(asdict(epoch), step=epoch.epoch)

    def finished(self, run: Run) -> None:
        self.log.summary.update({f"test/{name}": value for name, value in run.metrics.summary.items()})
        self.log.finish()


def _log_in(wandb: Any) -> Literal["offline", "online"]:
    """Log in to the service; `offline`, with a warning, if it can't be reached.

    Raises:
        ConfigError: there is no key, or the service doesn't know it.
    """
    advice = "Log in with `wandb login`, or set WANDB_API_KEY, or log with --wandb offline."
    try:
        wandb.login(verify=False)
    except wandb.errors.UsageError as error:
        raise ConfigError(f"--wandb online needs a key of Weights & Biases ({error}). {advice}") from None
    host = wandb.setup().settings.base_url
    if why := _unreachable(host):
        print(f"warning: {host} can't be reached ({why}): logging to ./wandb only, as offline.", file=sys.stderr)
        return "offline"
    try:
        wandb.login(verify=True)
    except wandb.errors.AuthenticationError as error:
        raise ConfigError(f"Weights & Biases refuses the key ({error}). {advice}") from None
    return "online"


def _unreachable(address: str) -> str | None:
    """Why nothing answers at an address; None if something does, or if a proxy is asked in its place."""
    parts = urlsplit(address)
    if parts.scheme in getproxies():
        return None
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), REACH_SECONDS).close()
    except OSError as error:
        return error.strerror or str(error)
    return None
