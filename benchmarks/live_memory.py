"""Memory of the server over a 20-minute session on the Live page, and after 50 times start and stop, in Chromium."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.live import open_live, press, write_tape
from benchmarks.memory import megabytes
from tests.browser.app_server import AppServer, find_chromium, launch
from tests.browser.microphone import microphone_flags

SESSION_MINUTES = 20
CYCLES = 50
LISTEN_MS, REST_MS = 2_500, 800


def resident(server: AppServer) -> float:
    """Memory of the server now, in MB."""
    return megabytes(Path(f"/proc/{server.process.pid}/status").read_text(), "VmRSS")


def threads(server: AppServer) -> int:
    """Threads of the server now."""
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def long_session(page: Page, server: AppServer) -> None:
    """Listen, and say every other minute what the server takes."""
    press(page, "Start listening")
    expect(page.get_by_text("Last heard:")).to_be_visible(timeout=60_000)
    for minute in range(SESSION_MINUTES + 1):
        if minute % 2 == 0:
            print(
                f"after {minute:2} min of listening: {resident(server):,.0f} MB, {threads(server)} threads", flush=True
            )
        if minute < SESSION_MINUTES:
            page.wait_for_timeout(60_000)
    press(page, "Stop listening")


def cycles(page: Page, server: AppServer) -> None:
    """Start and stop, and say every ten times what the server takes."""
    for cycle in range(1, CYCLES + 1):
        press(page, "Start listening")
        expect(page.get_by_text("Level:")).to_be_visible(timeout=60_000)
        page.wait_for_timeout(LISTEN_MS)
        press(page, "Stop listening")
        expect(page.get_by_text("This session").first).to_be_visible(timeout=60_000)
        page.wait_for_timeout(REST_MS)
        if cycle % 10 == 0 or cycle == 1:
            print(
                f"after {cycle:2} start(s) and stop(s): {resident(server):,.0f} MB, {threads(server)} threads",
                flush=True,
            )


def main() -> None:
    """Print both, each with a server of its own."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        tape = write_tape(Path(folder) / "tape.wav", loop=True)
        for scenario in (long_session, cycles):
            with AppServer() as server:
                browser = launch(playwright, chromium, *microphone_flags(tape))
                page = open_live(browser, server)
                print(f"page open: {resident(server):,.0f} MB, {threads(server)} threads", flush=True)
                scenario(page, server)
                browser.close()


if __name__ == "__main__":
    main()
