"""Peak memory of the app with one checkpoint loaded, and of training the 2D network on the whole corpus."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.app_server import AppServer, find_chromium, launch, wait_until_idle

TRAIN = """
import torch
from pathlib import Path
from ser_core.training.allocator import keep_freed_memory
from ser_core.corpus.folder import Corpus
from ser_core.training.experiment import run_experiment
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device
keep_freed_memory()
run_experiment(TrainConfig(epochs=1, warmup_epochs=0), corpus=Corpus.open(), device=Device.choose("cpu"),
               runs_dir=Path({folder!r}) / "runs", checkpoints_dir=Path({folder!r}) / "checkpoints",
               cache_dir=Path({folder!r}) / "cache")
print(Path("/proc/self/status").read_text())
"""


def megabytes(status: str, field: str) -> float:
    """A field of /proc/<pid>/status in MB."""
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field)) / 1000


def main() -> None:
    """Print both."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    with AppServer() as server, sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        page = browser.new_page()
        page.goto(f"{server.url}/classify")
        wait_until_idle(page)
        page.get_by_role("radio", name="Example").click()
        expect(page.get_by_test_id("stMetricValue")).to_be_visible(timeout=60_000)
        wait_until_idle(page)
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        print(f"app after classifying with one checkpoint: {megabytes(status, 'VmHWM'):,.0f} MB at its peak")
        browser.close()
    with tempfile.TemporaryDirectory() as folder:
        script = TRAIN.format(folder=folder)
        status = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    print(f"training 2D on the whole corpus, features included: {megabytes(status, 'VmHWM'):,.0f} MB at its peak")


if __name__ == "__main__":
    main()
