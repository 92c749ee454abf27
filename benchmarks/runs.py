"""A hundred records: reading them all, finding that none changed, and the page that lists them, against one record."""

from __future__ import annotations

import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ser_core.file_state import fingerprint
from ser_core.places import RUNS_VARIABLE
from ser_core.records.runs import RUNS_DIR, load_runs

N = 100
ROUNDS = 5


def seconds(action: Callable[[], object]) -> float:
    """Median time of an action."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def fill(folder: Path, n: int) -> Path:
    """Copies of the project's records under numbered names."""
    records = sorted(path for path in RUNS_DIR.glob("[!.]*") if path.is_dir())
    for i in range(n):
        shutil.copytree(records[i % len(records)], folder / f"run-{i:03}")
    return folder


def open_page(folder: Path) -> None:
    """Run the page's script as a new visitor's browser would."""
    from streamlit.testing.v1 import AppTest

    os.environ[RUNS_VARIABLE] = str(folder)
    app = (
        AppTest.from_file(str(RUNS_DIR.parent / "streamlit_app.py"), default_timeout=60)
        .switch_page("pages/runs.py")
        .run()
    )
    assert not app.exception


def main() -> None:
    """Print times and their ratios."""
    logging.disable(logging.WARNING)  # Streamlit says that no server is running
    with tempfile.TemporaryDirectory() as root:
        many, one = fill(Path(root) / "many", N), fill(Path(root) / "one", 1)
        open_page(one)  # imports
        for what, action in (
            ("read records", load_runs),
            ("see that none changed", lambda folder: fingerprint(*folder.glob("*/*"))),
            ("the page, read before", open_page),
        ):
            long, short = seconds(lambda: action(many)), seconds(lambda: action(one))  # noqa: B023
            print(f"{what:22} {N} in {1000 * long:6.1f} ms, 1 in {1000 * short:6.1f} ms, ratio {long / short:5.1f}")


if __name__ == "__main__":
    main()
