from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, sync_playwright

from tests.browser.app_server import DESKTOP, AppServer, OpenTab, find_chromium, launch
from tests.helpers import skip_or_fail


@pytest.fixture(scope="session")
def chromium() -> str:
    path = find_chromium()
    if path is None:
        skip_or_fail("needs Chromium")
    return str(path)


@pytest.fixture(scope="session")
def playwright(chromium: str) -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    browser = launch(playwright, chromium)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def server(corpus) -> Iterator[AppServer]:
    """The app with the shared clips as its corpus."""
    with AppServer({"CREMAD_DIR": str(corpus.folder)}) as server:
        yield server


@pytest.fixture(scope="session")
def profiles(browser: Browser) -> Callable[..., BrowserContext]:
    """A profile for each set of options: in one that knows the app a page opens a second sooner."""
    return cache(browser.new_context)


@pytest.fixture
def open_tab(
    browser: Browser, profiles: Callable[..., BrowserContext], request: pytest.FixtureRequest
) -> Iterator[OpenTab]:
    """Open a tab of the app that all tests share, or of the one at `url`, and then in a profile of its own.

    Requests that leave this machine fail the test.
    """
    strangers: list[str] = []
    pages: list[Page] = []

    def open_it(path: str, *, url: str | None = None, viewport: ViewportSize = DESKTOP, **options: Any) -> Page:
        if url:
            context = browser.new_context(viewport=viewport, **options)
            request.addfinalizer(context.close)
        else:
            context = profiles(**options)
            url = request.getfixturevalue("server").url
        page = context.new_page()
        page.set_viewport_size(viewport)
        pages.append(page)
        page.on("request", lambda request: strangers.append(request.url) if is_foreign(request.url) else None)
        page.goto(url + path)
        return page

    yield open_it
    for page in pages:
        page.close()
    assert strangers == []


def is_foreign(url: str) -> bool:
    return url.startswith(("http", "ws")) and not url.split("//")[1].startswith(("localhost", "127.0.0.1"))


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")
