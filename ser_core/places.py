"""Where runs and checkpoints are found, and where training puts them.

setting     $SER_RUNS_DIR, $SER_CHECKPOINTS_DIR
checkout    runs/ and checkpoints/ beside this package, in a copy of the project
shipped     those that the installed package brings along; training then writes to the current folder
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

Kind = Literal["runs", "checkpoints"]

RUNS_VARIABLE = "SER_RUNS_DIR"
"""Environment variable that says which folder of records is used."""
CHECKPOINTS_VARIABLE = "SER_CHECKPOINTS_DIR"
"""Environment variable that says which folder of checkpoints is used."""
VARIABLES: dict[Kind, str] = {"runs": RUNS_VARIABLE, "checkpoints": CHECKPOINTS_VARIABLE}

PACKAGE = Path(__file__).parent


def checkout() -> Path | None:
    """The folder of the project, if this package lies in a copy of it and not where packages are installed."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "checkpoints").is_dir() else None


def own(kind: Kind) -> Path:
    """The project's own folder, which no setting changes: the checkout's, or what the package ships."""
    return (checkout() or PACKAGE / "shipped") / kind


def found(kind: Kind) -> Path:
    """The folder that is read."""
    return setting(kind) or own(kind)


def written(kind: Kind) -> Path:
    """The folder that training writes to: the one that is read, or one in the current folder if that is the package."""
    return setting(kind) or (checkout() or Path.cwd()) / kind


def setting(kind: Kind) -> Path | None:
    """What the environment says, if anything."""
    configured = os.environ.get(VARIABLES[kind])
    return Path(configured).expanduser() if configured else None
