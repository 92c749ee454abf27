"""From starting the server to seeing the first page, in real Chromium, for every page; new server each time."""

from __future__ import annotations

import statistics
import sys
import time

from playwright.sync_api import expect, sync_playwright

from ser_app.navigation import PAGES as NAVIGATION
from tests.browser.app_server import AppServer, find_chromium, launch

PAGES = {page.label: "/" if page.label == "Home" else f"/{page.label.lower()}" for page in NAVIGATION}
ROUNDS = 3


def main() -> None:
    """Print the medians, and the first page's parts: server, page."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    with sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        for label, path in PAGES.items():
            server_seconds, page_seconds = [], []
            for _ in range(ROUNDS):
                started = time.perf_counter()
                with AppServer() as server:
                    server_seconds.append(time.perf_counter() - started)
                    page = browser.new_page()
                    page.goto(server.url + path)
                    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
                    page_seconds.append(time.perf_counter() - started)
                    page.close()
            answered, whole = statistics.median(server_seconds), statistics.median(page_seconds)
            print(
                f"{label:9} server answers after {answered:.2f} s, title visible after {whole:.2f} s "
                f"(median of {ROUNDS})"
            )
        browser.close()


if __name__ == "__main__":
    main()
