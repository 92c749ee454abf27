"""Run benchmarks and keep what they print: `python -m benchmarks`."""

from __future__ import annotations

import ast
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from ser_core.command import friendly_errors
from ser_core.command_line import choice, parse

PROG = "python -m benchmarks"
HELP = """Run benchmarks and keep what they print.

    {prog}                     all of them
    {prog} features latency    some

{names}

The corpus is taken from $CREMAD_DIR or the user's cache. Results go to benchmarks/results/<name>.txt."""
NAMES = (
    "features",
    "training",
    "augmentation",
    "latency",
    "cold_start",
    "pages",
    "player",
    "classify_page",
    "memory",
    "grid",
    "runs",
    "live",
    "live_ravdess",
    "live_utterances",
    "live_memory",
    "long_life",
    "vad",
    "robustness",
    "fragments",
    "validation",
    "int8",
    "adaptation",
    "non_speech",
    "pitch",
    "explanations",
    "long_recordings",
    "many",
    "kills",
    "load",
)
ALL = "(default: all of them)"
Name: Any = choice(NAMES)
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class BenchmarksCommand:
    """The command line.

    Attributes:
        names: which benchmarks.
    """

    names: Positional[Annotated[tuple[Name, ...], arg(metavar="[NAME ...]", help_behavior_hint=ALL)]] = ()


def parse_arguments(arguments: Sequence[str] | None = None, prog: str = PROG) -> BenchmarksCommand:
    """The command line."""
    names = "\n".join(f"    {name:16}{measures(name)}" for name in NAMES)
    return parse(BenchmarksCommand, arguments, prog=prog, description=HELP.format(prog=prog, names=names))


def measures(name: str) -> str:
    """What a benchmark measures: the first line of its module, which isn't imported for that."""
    path = Path(__file__).with_name(f"{name}.py")
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def machine() -> str:
    """What the figures were measured on."""
    from ser_core.training.device import processor_name  # torch takes seconds to load: `--help` doesn't wait for it

    return f"{processor_name()}, {os.cpu_count()} cores, Python {platform.python_version()}"


@friendly_errors()
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> None:
    """Run the named benchmarks, each in a process of its own."""
    RESULTS.mkdir(exist_ok=True)
    for name in parse_arguments(arguments, prog).names or NAMES:
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        lines = [f"$ python -m benchmarks.{name}", f"({machine()})"]
        print("\n".join(lines), flush=True)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(line.rstrip())
        if process.returncode:
            sys.exit(process.returncode)
        (RESULTS / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
