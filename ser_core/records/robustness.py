"""What the robustness benchmark printed of labels that stay when clips are changed; in a copy of the project only."""

from __future__ import annotations

import re
from pathlib import Path

from ser_core.audio.changes.registry import CHANGES
from ser_core.places import checkout

STEPS = Path("benchmarks", "results", "steps.txt")
"""Of the networks of `python grid.py recordings`, in the project's folder."""


def columns(text: str) -> dict[str, dict[str, str]]:
    """By label of each row of a printed table, its cells by the checkpoint that its header names."""
    header, *rows = [re.split(r"  +", line.strip()) for line in text.splitlines() if "  " in line.strip()]
    return {row[0]: dict(zip(header, row[1:], strict=True)) for row in rows if len(row) == len(header) + 1}


def kept_by_steps(change: str) -> dict[str, float]:
    """The share of test clips whose label stays when they are changed, 0..1, by run; empty where nothing is printed.

    Args:
        change: one of `ser_core.audio.changes.registry.CHANGES`.
    """
    root = checkout()
    if root is None or not (root / STEPS).is_file():
        return {}
    kept: dict[str, float] = {}
    for printed in (root / STEPS).read_text(encoding="utf-8").split("$ ")[1:]:
        cells = columns(printed)[CHANGES[change].label]
        kept |= {name: float(cell.split("%")[0]) / 100 for name, cell in cells.items()}
    return kept
