"""Take the README's screenshots: every page, wide and phone, light and dark.

    make screenshots        (or: python tools/screenshots.py [--out docs/screenshots])

The app runs on a port of its own; clips are taken from $CREMAD_DIR or the user's cache, where they are.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from benchmarks.live import press, write_tape
from tests.browser.app_server import AppServer, find_chromium, launch, wait_until_idle
from tests.browser.microphone import microphone_flags

SHOTS = {
    "home": "/",
    "samples": "/samples?clip=1001_DFA_ANG_XX",
    "features": "/features",
    "runs": "/runs?view=Settings&runs=lr0.001-SiLU-2D-winograd",
    "mistakes": "/mistakes?run=lr0.001-SiLU-2D",
    "map": "/map?model=lr6e-05-SiLU-Whisper-base",
    "humans": "/humans?run=lr0.001-SiLU-2D",
    "guess": "/guess?round=7",
    "classify": "/classify",
    "live": "/live",
}
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
FORMS: tuple[tuple[str, ViewportSize, Literal["light", "dark"]], ...] = (
    ("wide", WIDE, "light"),
    ("phone", PHONE, "light"),
    ("dark", WIDE, "dark"),
)


def prepare(page: Page, name: str) -> None:
    """Bring a page into the state its picture shows."""
    if name == "classify":
        page.get_by_role("radio", name="CREMA-D clip").click()
        wait_until_idle(page)
    if name == "guess":
        for button in ("Play round 7", *["Sadness"] * 10):
            page.get_by_role("button", name=button).click()
            wait_until_idle(page)
    if name == "live":
        press(page, "Start listening")
        page.wait_for_timeout(20_000)
        expect(page.locator(".utterance-label")).to_have_text(re.compile(r"^[^…]+$"), timeout=60_000)


def main() -> None:
    """Write one picture a page and form factor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--all", action="store_true", help="dark theme and phone for every page, not just some")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found. Install it and try again.")
    with AppServer() as server, sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        tape = write_tape(Path(folder) / "tape.wav", loop=True)
        browser = launch(playwright, chromium, *microphone_flags(tape))
        for name, path in SHOTS.items():
            for form, viewport, scheme in FORMS:
                if form != "wide" and not args.all and name not in ("samples", "classify", "live"):
                    continue
                page = browser.new_page(viewport=viewport, color_scheme=scheme)
                page.goto(server.url + path)
                wait_until_idle(page)
                prepare(page, name)
                page.screenshot(path=args.out / f"{name}-{form}.png", full_page=False)
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
