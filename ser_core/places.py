"""Where runs, checkpoints and evaluations are found, and where training and evaluating put them.

setting     $SER_RUNS_DIR, $SER_CHECKPOINTS_DIR, $SER_EVALUATIONS_DIR
checkout    runs/, checkpoints/ and evaluations/ beside this package, in a copy of the project
shipped     those that the installed package brings along; training then writes to the current folder, and a grid
            looks there first
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ser_core.errors import ConfigError
from ser_core.files import room_in

Kind = Literal["runs", "checkpoints", "evaluations"]

RUNS_VARIABLE = "SER_RUNS_DIR"
"""Environment variable that says which folder of records is used."""
CHECKPOINTS_VARIABLE = "SER_CHECKPOINTS_DIR"
"""Environment variable that says which folder of checkpoints is used."""
EVALUATIONS_VARIABLE = "SER_EVALUATIONS_DIR"
"""Environment variable that says which folder of evaluations is used."""
VARIABLES: dict[Kind, str] = {
    "runs": RUNS_VARIABLE,
    "checkpoints": CHECKPOINTS_VARIABLE,
    "evaluations": EVALUATIONS_VARIABLE,
}

PACKAGE = Path(__file__).parent
CHECKOUT_COMMANDS = {
    "train": "python train.py",
    "grid": "python grid.py",
    "corpus": "python -m ser_core.cremad",
    "evaluate": "python -m ser_core.evaluate",
    "map": "python -m ser_core map",
    "encoder": "python -m ser_core encoder",
}
"""Commands that advice names, as they are called in a checkout."""


def checkout() -> Path | None:
    """The folder of the project, if this package lies in a copy of it and not where packages are installed."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "checkpoints").is_dir() else None


def how_to_run(command: str) -> str:
    """What to type for one of `CHECKOUT_COMMANDS`: `ser train` where the package is installed or `ser` was typed."""
    installed = checkout() is None or Path(sys.argv[0]).stem == "ser"
    return f"ser {command}" if installed else CHECKOUT_COMMANDS[command]


def own(kind: Kind) -> Path:
    """The project's own folder, which no setting changes: the checkout's, or what the package ships."""
    return (checkout() or PACKAGE / "shipped") / kind


def found(kind: Kind) -> Path:
    """The folder that is read."""
    return setting(kind) or own(kind)


def written(kind: Kind) -> Path:
    """The folder that training writes to: the one that is read, or one in the current folder if that is the package."""
    return setting(kind) or (checkout() or Path.cwd()) / kind


def searched(kind: Kind) -> tuple[Path, ...]:
    """Folders where records are looked for, in this order: the one that training writes to, and the one it ships."""
    return tuple(dict.fromkeys((written(kind), found(kind))))


def require_folder(folder: Path) -> Path:
    """Check that no file stands where a folder is, or is to be.

    Returns:
        the folder, or the nearest above it that is there.

    Raises:
        ConfigError: one does.
    """
    absolute = folder.absolute()
    nearest = next(path for path in (absolute, *absolute.parents) if os.path.lexists(path))
    if not nearest.is_dir():
        raise ConfigError(f"{folder} can't be a folder: {nearest} is none. Choose another folder.")
    return nearest


def require_writable(folder: Path) -> None:
    """Check that files can be put into a folder, which need not be there yet.

    Raises:
        ConfigError: they can't, and why.
        DiskFullError: there is no room.
    """
    nearest = require_folder(folder)
    try:
        with room_in(nearest), TemporaryDirectory(prefix=".", dir=nearest):
            pass
    except OSError as error:
        raise ConfigError(f"Nothing can be written to {nearest} ({error.strerror}). Choose another folder.") from None


def setting(kind: Kind) -> Path | None:
    """What the environment says, if anything."""
    configured = os.environ.get(VARIABLES[kind])
    return Path(configured).expanduser() if configured else None
