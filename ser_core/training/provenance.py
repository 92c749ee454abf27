"""What computed a record: versions of libraries, and the commit of this code."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import version
from pathlib import Path

from ser_core.features.cache import COMPUTING_LIBRARIES

LIBRARIES = ("torch", "torchmetrics", "scikit-learn", *COMPUTING_LIBRARIES)
COMMIT_VARIABLE = "SER_GIT_COMMIT"
"""Environment variable with the commit, for machines that got the code without its history."""


def versions() -> dict[str, str]:
    """Of the libraries that results depend on, by name."""
    return {library: version(library) for library in LIBRARIES}


def git_commit() -> str | None:
    """The commit of this code, with `-dirty` where it was changed since; None where that can't be known."""
    if given := os.environ.get(COMMIT_VARIABLE):
        return given
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None  # not a checkout, or no git
