"""Puts the shipped records and checkpoints into what `pip` builds: those that git tracks, and no others.

`.gitignore` names all checkpoints, of which some are tracked all the same; a rule for files can't tell them apart.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("checkpoints", "evaluations", "runs")


class ShippedFiles(BuildHookInterface):
    """Adds them to a wheel as `ser_core/shipped/`, and to a source distribution where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        if version == "editable":
            return  # the checkout itself is used
        inside = "ser_core/shipped/" if self.target_name == "wheel" else ""
        for path in shipped_files(Path(self.root)):
            build_data["force_include"][str(Path(self.root, path))] = inside + path


def shipped_files(root: Path) -> list[str]:
    """Paths below the project's folder, with `/`; all that is there in a source distribution, or if git can't say."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", *SHIPPED]
        try:
            tracked = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):  # no git here, or a copy that belongs to somebody else
            pass
        else:
            return sorted(path for path in tracked.split("\0") if path and (root / path).is_file())
    # Not what is hidden: runs/.partial holds what is in progress.
    files = (path.relative_to(root) for folder in SHIPPED for path in (root / folder).rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in files if not any(part.startswith(".") for part in path.parts[:-1]))
