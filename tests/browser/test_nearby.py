"""What is told of a place on the page that was reached, in a real browser but without the app."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from ser_app.nearby import JS
from tests.helpers import BROWSER_TOO

pytestmark = BROWSER_TOO
PAGE = """
<div data-test-script-state="notRunning"></div>
<a href="#elsewhere">A link</a>
<div id="mark"><p>\N{HORIZONTAL ELLIPSIS}</p></div>
"""
START = """async code => {
  const module = await import("data:text/javascript," + encodeURIComponent(code))
  window.said = []
  const reach = () => module.default({
    parentElement: document.querySelector("#mark"),
    setStateValue: (name, value) => said.push([name, value]),
  })
  document.querySelector("a").addEventListener("click", reach)
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # else it goes on by itself, too, and 59 s become more on a busy machine
    page.set_content(PAGE)
    page.evaluate(START, JS)
    yield page
    page.close()


def said(page: Page, seconds: int) -> list[list]:
    """What was told after so long, name and value, once the browser has seen what is on the screen."""
    page.evaluate("new Promise(seen => new IntersectionObserver(seen).observe(document.querySelector('#mark p')))")
    for _ in range(seconds):
        page.clock.run_for(1000)
    return page.evaluate("said")


def state(page: Page, name: str) -> None:
    """What Streamlit's own page says of the script."""
    page.evaluate("name => document.querySelector('div').dataset.testScriptState = name", name)


def test_a_place_that_is_reached_by_a_click_on_a_link_is_told_when_the_link_led_nowhere(page: Page):
    page.get_by_role("link").click()
    assert said(page, 2) == []
    assert said(page, 2) == [["near", 1]]


def test_nothing_is_told_while_a_crowded_server_makes_the_page_to_which_a_link_leads(page: Page):
    page.get_by_role("link").click()
    state(page, "running")
    assert said(page, 20) == []
    state(page, "notRunning")
    assert said(page, 1) == [["near", 1]]


def test_a_script_that_never_ends_is_not_waited_for(page: Page):
    page.get_by_role("link").click()
    state(page, "running")
    assert said(page, 59) == []
    assert said(page, 3) == [["near", 1]]


def test_a_place_that_stays_unmade_is_told_again_but_not_while_a_page_is_made(page: Page):
    page.get_by_role("link").click()
    assert said(page, 4) == [["near", 1]]
    state(page, "running")
    assert said(page, 20) == [["near", 1]]
    state(page, "notRunning")
    assert said(page, 2) == [["near", 1], ["near", 2]]
