"""The real app on a port of its own, and a real browser to look at it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from playwright.sync_api import Browser, Error, Page, Playwright, ViewportSize, expect

from ser_app.navigation import PAGES

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LABELS = [page.label for page in PAGES]
ADDRESSES = {label: "/" if label == "Home" else f"/{label.lower()}" for label in LABELS}
OpenTab = Callable[..., Page]

ROOT = Path(__file__).parents[2]

CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STREAMLIT = """
import faulthandler, runpy, signal
faulthandler.register(signal.SIGUSR1)
runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
"""
START_SECONDS = 60
expect.set_options(timeout=30_000)  # a busy machine draws slowly
PAGE_SECONDS = 60


class AppServer:
    """`streamlit run streamlit_app.py` on a free port, as a context manager.

    Args:
        environment: variables to set for the app, beyond this process's.
        script: another one.
        before: Python that runs in the app's process first.
        prefix: of its paths, as `/ser`.
    """

    def __init__(
        self,
        environment: dict[str, str] | None = None,
        script: Path | str = "streamlit_app.py",
        before: str = "",
        prefix: str = "",
    ):
        self.program, self.script = f"{before}\n{STREAMLIT}", str(script)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://localhost:{self.port}{prefix}"
        self.environment = {**os.environ, "STREAMLIT_SERVER_BASE_URL_PATH": prefix, **(environment or {})}

    def __enter__(self) -> AppServer:
        self.output = tempfile.TemporaryFile()
        command = [sys.executable, "-c", self.program, "run", self.script]
        options = ["--server.port", str(self.port), "--server.headless", "true", "--server.fileWatcherType", "none"]
        self.process = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return self
            except OSError:
                time.sleep(0.1)
        self.process.kill()
        self.process.wait()
        raise RuntimeError(f"The app did not start: {self._said_since(0)}")

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
        self.output.close()

    def stacks(self) -> str:
        """Where each of its threads is, as `faulthandler` writes it."""
        start = os.fstat(self.output.fileno()).st_size
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        return self._said_since(start)

    def _said_since(self, position: int) -> str:
        size = os.fstat(self.output.fileno()).st_size
        return os.pread(self.output.fileno(), size - position, position).decode(errors="replace")


def find_chromium() -> str | None:
    """Path of the system's Chromium, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def launch(playwright: Playwright, chromium: str, *flags: str) -> Browser:
    """Start Chromium without a screen; Playwright gives it a new profile."""
    return playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, *flags], headless=True)


def wait_until_idle(page: Page) -> None:
    """Wait until Streamlit has run the page's script and drawn what it made."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=PAGE_SECONDS * 1000)
    page.wait_for_timeout(300)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PAGE_SECONDS * 1000)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PAGE_SECONDS * 1000)
    page.wait_for_timeout(500)


def scroll_through(page: Page) -> None:
    """Scroll to all that is made when the visitor gets there (`ser_app.nearby`), until it is there."""
    wait_until_idle(page)
    marks = page.get_by_test_id("stMain").get_by_text("…", exact=True).filter(visible=True)
    deadline = time.monotonic() + PAGE_SECONDS
    while marks.count():
        assert time.monotonic() < deadline, "a part of the page is never made"
        with contextlib.suppress(Error):  # it is already made, and its mark is gone
            marks.first.scroll_into_view_if_needed(timeout=1_000)
        wait_until_idle(page)


def navigation(page: Page) -> list[str]:
    """What the links in the sidebar are called."""
    links = page.get_by_test_id("stSidebar").get_by_role("link")
    return [link.inner_text().split("\n")[-1].strip() for link in links.all()]
