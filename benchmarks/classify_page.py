"""Classify in real Chromium against the command: many clips, ten minutes, a second model, a repeated visit."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks import open_corpus
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.records.checkpoints import checkpoints_dir, survey_checkpoints
from tests.browser.app_server import DESKTOP, AppServer, find_chromium, launch, wait_until_idle

N_CLIPS, MINUTES = 49, 10
WAIT_MS = 600_000
DRAWN_MS = 400  # that nothing has run for, before a page counts as done; it isn't counted
IN_PROCESS = """
import sys, time
from ser_core.serving.predict_command import main
from ser_core.serving.predictor import Predictor
Predictor.load(sys.argv[1])(sys.argv[2])
started = time.perf_counter()
try:
    main([*sys.argv[3:], "--checkpoint", sys.argv[1], "--format", "csv"])
except SystemExit:
    pass
print(time.perf_counter() - started, file=sys.stderr)
"""


def command(checkpoint: str, warm_up: Path, files: Sequence[Path]) -> tuple[float, float]:
    """Seconds that `ser predict` takes for files: all of it, and without what it loads first, as a warm server."""
    call = [sys.executable, "-c", IN_PROCESS, checkpoint, str(warm_up), *map(str, files)]
    warm = subprocess.run(call, capture_output=True, text=True, check=True)
    started = time.perf_counter()
    call = [sys.executable, "-m", "ser_core.predict", *map(str, files), "--checkpoint", checkpoint]
    subprocess.run(call, capture_output=True, check=False)
    return time.perf_counter() - started, float(warm.stderr.split()[-1])


def visit(browser: Browser, url: str) -> Page:
    """Classify, with nothing uploaded yet."""
    page = browser.new_page(viewport=DESKTOP)
    page.goto(f"{url}/classify")
    wait_until_idle(page)
    page.get_by_role("radio", name="Upload").click()
    wait_until_idle(page)
    return page


def seconds_until_drawn(page: Page, label: str) -> float:
    """From now to when a label is there and the page's script has run."""
    started = time.perf_counter()
    expect(page.get_by_text(label).first).to_be_visible(timeout=WAIT_MS)
    app = page.get_by_test_id("stApp")
    while True:
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT_MS)
        done = time.perf_counter()
        page.wait_for_timeout(DRAWN_MS)
        if app.get_attribute("data-test-script-state") == "notRunning":
            return done - started


def upload(page: Page, files: Sequence[Path], label: str) -> float:
    """Seconds from giving files to the page to all that it says about them."""
    page.locator("input[type=file]").first.set_input_files([str(file) for file in files])
    return seconds_until_drawn(page, label)


def compare(browser: Browser, url: str, what: str, files: Sequence[Path], warm_up: Path, label: str) -> None:
    """Print the page's time, the command's, a second model's and a repeated visit's."""
    (first, second, *_), _ = survey_checkpoints(checkpoints_dir())
    page = visit(browser, url)
    drawn = upload(page, files, label)
    whole, warm = command(first, warm_up, files)
    print(f"{what}, {first}:")
    print(f"  the page                             {drawn:6.1f} s")
    print(f"  ser predict                          {whole:6.1f} s: the page takes {drawn / whole:.2f} x as long")
    print(f"  ser predict without what it loads    {warm:6.1f} s: the page takes {drawn / warm:.2f} x as long")
    models = page.get_by_role("combobox", name="Models")
    models.click()
    models.press_sequentially(second)
    page.keyboard.press("Enter")
    page.wait_for_timeout(DRAWN_MS)
    more = seconds_until_drawn(page, second) + DRAWN_MS / 1000
    _, warm = command(second, warm_up, files)
    print(f"  {second} beside it, on the page: {more:.1f} s; without what it loads, the command {warm:.1f} s")
    page.close()
    page = visit(browser, url)
    print(f"  another visitor with the same files  {upload(page, files, label):6.1f} s", flush=True)
    page.close()


def main() -> None:
    """Print all comparisons."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    corpus, clips = open_corpus()
    paths = [corpus.path(clip) for clip in clips[:: max(1, len(clips) // 400)][:400]]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, AppServer() as server:
        talk = np.concatenate([load_audio(path) for path in paths])
        long = Path(folder) / "ten-minutes.wav"
        soundfile.write(long, np.resize(talk, MINUTES * 60 * SAMPLE_RATE), SAMPLE_RATE)
        browser = launch(playwright, chromium)
        warm_up, chosen = paths[0], paths[1:][:: (len(paths) - 1) // N_CLIPS][:N_CLIPS]
        page = visit(browser, server.url)  # what a server loads once is not counted
        upload(page, [warm_up], "Use it in code")
        page.close()
        compare(browser, server.url, f"{len(chosen)} clips", chosen, warm_up, "Click on a recording to see it")
        compare(browser, server.url, f"{MINUTES} minutes", [long], warm_up, "Over time")
        browser.close()


if __name__ == "__main__":
    main()
