"""Run benchmarks and keep what they print.

    python -m benchmarks                     all of them
    python -m benchmarks features latency    some

The corpus is taken from $CREMAD_DIR or the user's cache. Results go to benchmarks/results/<name>.txt.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from ser_core.training.device import processor_name

NAMES = (
    "features",
    "training",
    "latency",
    "cold_start",
    "memory",
    "grid",
    "runs",
    "live",
    "live_memory",
    "vad",
    "robustness",
)
RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    """What the figures were measured on."""
    return f"{processor_name()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    """Run the named benchmarks, each in a process of its own."""
    names = sys.argv[1:] or NAMES
    if unknown := set(names) - set(NAMES):
        sys.exit(f"error: there is no benchmark {', '.join(sorted(unknown))}. Choose from {', '.join(NAMES)}.")
    RESULTS.mkdir(exist_ok=True)
    for name in names:
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
