"""Which records come with the project, and which are a user's own.

`runs/shipped.txt` lists the names of the first; `tools/readme.py` writes it. A folder without it is all a user's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from ser_core.files import write_text

SHIPPED_FILE = "shipped.txt"


def shipped(runs_dir: Path) -> frozenset[str]:
    """Names of the runs and searches in a folder that come with the project."""
    try:
        return frozenset((runs_dir / SHIPPED_FILE).read_text(encoding="utf-8").split())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def write_shipped(runs_dir: Path, names: Iterable[str]) -> None:
    """Write the list, a name a line."""
    write_text(runs_dir / SHIPPED_FILE, "".join(f"{name}\n" for name in sorted(names)))


def names_for(name: str, runs_dir: Path) -> Iterator[str]:
    """Names for a user's own: this one, then `NAME-run2` and so on; none of one that comes with the project."""
    taken = shipped(runs_dir)
    numbered = (f"{name}-run{n}" for n in itertools.count(2))
    return (free for free in itertools.chain([name], numbered) if free not in taken)


def own_name(name: str, runs_dir: Path) -> str:
    """The name for a user's run: numbered, as `lr0.001-SiLU-2D-run2`, where one that comes with the project has it.

    It is the same before and after that run is trained, so that a run can go on, and isn't trained twice.
    """
    return next(names_for(name, runs_dir))
