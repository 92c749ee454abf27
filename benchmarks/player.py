"""Samples with a clip in real Chromium, with its sounds tied to their pictures and without (`ser_app.player`).

How long it takes until all pictures are drawn, and what that and a sound that plays take of a processor core, in the
page's main thread and in the server. Both servers run at the same time and are asked in turn, so that whatever else the
machine does slows both.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, CDPSession, expect, sync_playwright

from tests.browser.app_server import DESKTOP, AppServer, find_chromium, launch, wait_until_idle

PATH = "/samples?clip=1001_DFA_ANG_XX"
PICTURES = 3  # waveform, spectrogram and opinions: the six emotions are made when they are reached
ROUNDS = 8
PLAYING_SECONDS = 1.5
UNTIED = "import ser_app.player; ser_app.player.tie_pictures = lambda: None"


class Opened(NamedTuple):
    """What opening the page once took: seconds until it was drawn, seconds of a core in its main thread and in the
    server, and the main thread's share of a core while a sound plays."""

    drawn: float
    page: float
    server: float
    playing: float


def main_thread(session: CDPSession) -> float:
    """Seconds of a processor core that the page's main thread has taken."""
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return metrics["TaskDuration"]


def processor_seconds(server: AppServer) -> float:
    """Seconds of a processor core that the app has taken."""
    times = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def open_once(browser: Browser, server: AppServer) -> Opened:
    """Open the page in a new profile, wait until it is drawn, and play its first sound."""
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    started, served = time.perf_counter(), processor_seconds(server)
    page.goto(server.url + PATH)
    expect(page.locator(".js-plotly-plot .nsewdrag")).to_have_count(PICTURES, timeout=60_000)
    drawn = time.perf_counter() - started
    wait_until_idle(page)
    busy, served = main_thread(session), processor_seconds(server) - served
    page.locator("audio").first.evaluate("sound => sound.play()")
    began, before = time.perf_counter(), main_thread(session)
    page.wait_for_timeout(1000 * PLAYING_SECONDS)
    playing = (main_thread(session) - before) / (time.perf_counter() - began)
    context.close()
    return Opened(drawn, busy, served, playing)


def main() -> None:
    """Print medians, and the median difference of a round."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    with sync_playwright() as playwright, AppServer() as tied, AppServer(before=UNTIED) as untied:
        browser = launch(playwright, chromium)
        servers = {"tied": tied, "not tied": untied}
        for server in servers.values():  # what is loaded once a server
            open_once(browser, server)
        opened: dict[str, list[Opened]] = {name: [] for name in servers}
        for i in range(ROUNDS):
            for name in sorted(servers, reverse=bool(i % 2)):
                opened[name].append(open_once(browser, servers[name]))
        browser.close()
    for name, found in opened.items():
        drawn, page, server, playing = map(statistics.median, zip(*found, strict=True))
        print(
            f"{name:9} {PICTURES} pictures drawn after {drawn:.2f} s, {page:.2f} s of a core in the page and "
            f"{server:.2f} s in the server; while a sound plays, {playing:.1%} of a core (median of {ROUNDS})"
        )
    pairs = list(zip(opened["tied"], opened["not tied"], strict=True))
    for field in ("drawn", "page", "server"):
        differences = sorted(getattr(one, field) - getattr(other, field) for one, other in pairs)
        quarter = ROUNDS // 4
        print(
            f"tied - not tied, {field:6} {statistics.median(differences):+.2f} s "
            f"(middle half of the rounds: {differences[quarter]:+.2f} to {differences[-1 - quarter]:+.2f})"
        )


if __name__ == "__main__":
    main()
