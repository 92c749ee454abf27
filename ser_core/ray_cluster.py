"""A Ray cluster (`pip install -r requirements-ray.txt`): finding it, and taking this code to its machines."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Mapping
from importlib.util import find_spec
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
    require(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    root = checkout()
    environment = {
        **({"working_dir": str(root)} if root else {"py_modules": [str(PACKAGE)]}),
        "excludes": LEFT_BEHIND,
        "env_vars": dict(variables or {}),
    }
    try:
        ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError) as error:
        why = str(error).partition(". ")[0]
        raise ConfigError(f"No Ray cluster answers at {address} ({why}). Start one: `ray start --head`.") from None
    return ray


def require_share(ray: Any, what: str, cpus: float, gpus: float) -> None:
    """Refuse what would wait for ever.

    Args:
        what: that asks for so many cores and GPUs, as a sentence begins with it.

    Raises:
        ConfigError: the whole cluster has fewer.
    """
    has = ray.cluster_resources()
    if has.get("CPU", 0) < cpus or has.get("GPU", 0) < gpus:
        raise ConfigError(
            f"{what} asks for {cpus:g} CPU and {gpus:g} GPU, and the cluster has {has.get('CPU', 0):g} and "
            f"{has.get('GPU', 0):g}."
        )


def require(address: str) -> None:
    """Find out in seconds whether anything listens there; Ray itself would try for minutes.

    Raises:
        ConfigError: nothing does, or Ray is not installed.
    """
    if find_spec("ray") is None:
        raise ConfigError("Ray is not installed. Get it with `pip install -r requirements-ray.txt`.")
    match = re.fullmatch(r"(?:ray://)?(?P<host>[^/]+):(?P<port>\d+)", address)
    if not match:
        return
    try:
        socket.create_connection((match["host"].strip("[]"), int(match["port"])), PROBE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"No Ray cluster answers at {address} ({error}).") from None
