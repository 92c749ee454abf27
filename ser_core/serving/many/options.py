"""Flags of `ser predict --out`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from ser_core.command_line import Switch
from ser_core.errors import ConfigError
from ser_core.serving.many.limits import require_windows
from ser_core.serving.prediction import HOP_SECONDS

OUT_HINT = "(default: answers are printed)"


@dataclass(frozen=True)
class Many:
    """Many recordings into one table.

    Attributes:
        out: a file for the table, which ends with .parquet, .csv or .jsonl. Given again, the same command does what is
            missing or has changed; what is known stands in a journal beside the table.
        windows: a row for each window of so many seconds, 0.2 to 300.
        hop: seconds from one window to the next, 0.05 to 300.
        embeddings: a column with the network's embedding.
        workers: processes that classify, each with one core; on a cluster, at most.
        ray: address of a Ray cluster that classifies, as `ray start --head` prints it; `auto` for the one on this
            machine. Its machines see the files under the same paths.
    """

    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint=OUT_HINT)] = None
    windows: Annotated[float | None, arg(metavar="SECONDS", help_behavior_hint="(default: a row a file)")] = None
    hop: Annotated[float | None, arg(metavar="SECONDS", help_behavior_hint=f"(default: {HOP_SECONDS:g})")] = None
    embeddings: Switch = False
    workers: Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: as many as cores)")] = None
    ray: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: this machine, without Ray)")] = None

    def check(self) -> None:
        """Check that the flags fit together.

        Raises:
            ConfigError: they don't.
        """
        if self.out is None:
            for field in fields(self):
                if getattr(self, field.name) not in (None, False):
                    raise ConfigError(f"--{field.name} is for tables: say where it goes with --out results.csv.")
        if self.hop is not None and self.windows is None:
            raise ConfigError("--hop is for windows: say how long they are with --windows 3.")
        require_windows(self.windows, self.hop)
        if self.workers is not None and self.workers < 1:
            raise ConfigError(f"--workers is 1 or more, not {self.workers}.")
