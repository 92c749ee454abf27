"""A Ray cluster (`pip install -r requirements-ray.txt`): finding it, and taking this code to its machines."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Mapping
from typing import Any

from ser_core.errors import ConfigError
from ser_core.places import PACKAGE, checkout

LEFT_BEHIND = [".git", ".venv", "runs", "checkpoints", "docs", "tests", "wandb", ".*_cache", "shipped"]
PROBE_SECONDS = 5


def connect(address: str, variables: Mapping[str, str] | None = None) -> Any:
    """Join a cluster, whose workers then import this package.

    Args:
        address: as `ray start --head` prints it; `auto` for the one on this machine.
        variables: environment of its workers.

    Returns:
        the module `ray`.

    Raises:
        ConfigError: Ray is not installed, or nothing answers at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError("Ray is not installed. Get it with `pip install 'ray[default,data]'`.") from None
    root = checkout()
    environment = {
        **({"working_dir": str(root)} if root else {"py_modules": [str(PACKAGE)]}),
        "excludes": LEFT_BEHIND,
        "env_vars": dict(variables or {}),
    }
    _probe(address)
    try:
        ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError) as error:
        why = str(error).partition(". ")[0]
        raise ConfigError(f"No Ray cluster answers at {address} ({why}). Start one: `ray start --head`.") from None
    return ray


def _probe(address: str) -> None:
    """Find out in seconds whether anything listens there; Ray itself would try for minutes."""
    match = re.fullmatch(r"(?:ray://)?(?P<host>[^/]+):(?P<port>\d+)", address)
    if not match:
        return
    try:
        socket.create_connection((match["host"].strip("[]"), int(match["port"])), PROBE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"No Ray cluster answers at {address} ({error}).") from None
