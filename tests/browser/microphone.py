"""What a visitor does with a microphone, on the pages."""

import contextlib
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.browser.app_server import wait_until_idle

CONNECT_SECONDS = 20


def microphone_flags(tape: Path) -> tuple[str, ...]:
    """Chromium's flags for a microphone that plays it."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={tape}",
    )


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def press(page: Page, name: str) -> None:
    button(page, name).click()


def record(page: Page, seconds: float, which: int = 0) -> None:
    """Press a recorder's button, the first one's unless said otherwise, and again when the clip is over.

    A click at the moment at which the page is drawn anew is lost, as people know too: they click again.
    """
    stop = page.get_by_role("button", name="Stop recording")
    for _ in range(3):
        page.get_by_role("button", name="Record", exact=True).nth(which).click()
        with contextlib.suppress(TimeoutError):
            stop.wait_for(timeout=8_000)
            break
    page.wait_for_timeout(round(1000 * seconds) + 1500)
    stop.click()


def start(page: Page) -> None:
    """Start listening; once in a while no sound comes, and the page offers to connect again."""
    press(page, "Start listening")
    sound = page.get_by_text(re.compile(r"Level: -\d+ dBFS"))
    again = page.get_by_role("button", name="Connect again")
    expect(sound.or_(again).first).to_be_visible(timeout=CONNECT_SECONDS * 1000)
    if not sound.is_visible():
        with contextlib.suppress(TimeoutError):  # sound comes just now, and the button goes
            again.click(timeout=2_000)
        page.wait_for_timeout(4_500)
        expect(sound).to_be_visible(timeout=CONNECT_SECONDS * 1000)
    expect(button(page, "Stop listening")).to_be_enabled(timeout=CONNECT_SECONDS * 1000)
    expect(again).to_have_count(0)


def keep_audio(page: Page) -> None:
    """Switch on that audio is kept; a click on what has just unfolded is lost once in a while."""
    label = page.locator("label", has_text="Keep this session's audio")
    for _ in range(3):
        if not label.locator("input").is_checked():
            label.get_by_text("Keep").click()
            page.wait_for_timeout(500)
    expect(label.locator("input")).to_be_checked()
    wait_until_idle(page)


def stop(page: Page) -> None:
    press(page, "Stop listening")
    expect(page.get_by_role("heading", name="This session")).to_be_visible()
    wait_until_idle(page)
