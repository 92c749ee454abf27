"""Pages with the corpus, warm, in real Chromium: until they are drawn, and until they have followed a choice.

Times are from opening the address, or from the key or the click, to the last change of the page. The browser has a
profile, as people's have: it keeps the code of the app compiled, which a private window does not. An empty Streamlit
page on a server of its own says what of that is Streamlit's and the machine's, and a page with one chart of two bars
what a first chart costs: the browser runs the code of Plotly. What is further down is drawn when the visitor gets there
(`ser_app.nearby`), and isn't in these times. A choice comes when the page has been read for some seconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.app_server import ADDRESSES, CHROMIUM_FLAGS, DESKTOP, AppServer, find_chromium, wait_until_idle

CHART = """
import plotly.graph_objects as go
import streamlit as st

st.title("One chart")
st.plotly_chart(go.Figure(go.Bar(x=[1, 2], y=[2, 3])))
"""
EMPTY = 'import time\n\nimport streamlit as st\n\nst.title("Empty")\nst.button("Press")\nst.write(time.time())\n'
CLIP = "1001_DFA_ANG_XX"
RUN = "lr0.001-SiLU-2D"
OPENED = ADDRESSES | {
    "Samples, a clip": f"/samples?clip={CLIP}",
    "Runs, one run": f"/runs?runs={RUN}",
}
ROUNDS = 3
READ_MS = 4000  # until a visitor chooses something
QUIET_MS = 700  # without a change, after which a page is drawn
WATCH = """
window.lastChange = 0;
const watch = () => new MutationObserver(() => { window.lastChange = performance.now(); })
    .observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
watch();
"""
DRAWN = f"""() => document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    && document.querySelector('h1') && !document.querySelector('[data-testid="stSkeleton"]')
    && performance.now() - window.lastChange > {QUIET_MS}"""


def opened(context: BrowserContext, address: str) -> float:
    """Seconds until a page is drawn, in a new tab of a browser that has seen it before."""
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_function(DRAWN, timeout=60_000)
    seconds: float = page.evaluate("window.lastChange") / 1000
    page.close()
    return seconds


def followed(page: Page, choose: Callable[[Page], None]) -> float:
    """Seconds until an open page has followed a choice."""
    wait_until_idle(page)
    page.wait_for_timeout(READ_MS)
    page.evaluate("window.chosen = performance.now()")
    choose(page)
    page.wait_for_timeout(100)
    page.wait_for_function(DRAWN, timeout=60_000)
    seconds: float = page.evaluate("window.lastChange - window.chosen") / 1000
    return seconds


def press(name: str, role: str = "radio") -> Callable[[Page], None]:
    """A click on what is called so."""
    return lambda page: page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]


def step(name: str) -> Callable[[Page], None]:
    """A slider by one step."""

    def move(page: Page) -> None:
        page.get_by_role("slider", name=name).first.focus()
        page.keyboard.press("ArrowRight")

    return move


CHOICES = {
    "Runs: its settings": ("/runs", press("Settings")),
    "Runs: its findings": ("/runs", press("Findings")),
    "Classify: an example": ("/classify", press("Example")),
    "Features: one more MFCC": ("/features", step("MFCC")),
}


def line(what: str, seconds: list[float], empty: float) -> str:
    """A line of the table: the median, its range, and how often that of the empty page."""
    middle = statistics.median(seconds)
    return f"{what:26} {middle:5.2f} s ({min(seconds):.2f} to {max(seconds):.2f})   {middle / empty:4.1f} times"


def main() -> None:
    """Print the table."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("error: Chromium was not found.")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text(EMPTY)
        context = playwright.chromium.launch_persistent_context(
            f"{folder}/profile", executable_path=chromium, args=list(CHROMIUM_FLAGS), headless=True, viewport=DESKTOP
        )
        context.add_init_script(WATCH)
        chart = Path(folder) / "chart.py"
        chart.write_text(CHART)
        with AppServer(script=script) as nothing, AppServer(script=chart) as bars, AppServer() as server:
            addresses = {"an empty page": nothing.url, "one chart": bars.url}
            addresses |= {what: server.url + path for what, path in OPENED.items()}
            for address in 2 * [*addresses.values()]:  # warms the servers, the system's caches, and the profile
                opened(context, address)
            times: dict[str, list[float]] = {what: [] for what in addresses}
            for _ in range(ROUNDS):
                for what, address in addresses.items():
                    times[what].append(opened(context, address))
            print(f"drawn, median of {ROUNDS} in new tabs of a browser that knows the app, in turn")
            empty = statistics.median(times["an empty page"])
            for what, seconds in times.items():
                print(line(what, seconds, empty))
            print("a choice is followed; a button on the empty page")
            empty = statistics.median(choices(context, nothing.url, press("Press", "button")))
            for what, (path, choose) in CHOICES.items():
                print(line(what, choices(context, server.url + path, choose), empty))
        context.close()


def choices(context: BrowserContext, address: str, choose: Callable[[Page], None]) -> list[float]:
    """Seconds of the same choice in several new tabs; the first, which warms the server, isn't counted."""
    seconds = []
    for _ in range(ROUNDS + 1):
        page = context.new_page()
        page.goto(address)
        wait_until_idle(page)
        if "features" in address:
            page.get_by_text("Parameters", exact=True).click()
            page.wait_for_timeout(1000)
        seconds.append(followed(page, choose))
        page.close()
    return seconds[1:]


if __name__ == "__main__":
    main()
