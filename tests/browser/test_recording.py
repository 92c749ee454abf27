"""Recording oneself on Home and on Classify in real Chromium, whose fake microphone plays a real clip."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, Playwright, expect

from ser_core.corpus.clips import find_clip
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTION_NAMES
from ser_core.records.checkpoints import default_checkpoint
from ser_core.serving.predictor import Predictor
from tests.browser.app_server import AppServer, launch, wait_until_idle
from tests.browser.microphone import microphone_flags, record
from tests.helpers import REAL_TIME

pytestmark = REAL_TIME


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(
    playwright: Playwright, chromium: str, server: AppServer, corpus: Corpus, tmp_path: Path
) -> Iterator[OpenPage]:
    """Open a page in a browser whose fake microphone plays a real clip, again and again, with silence between."""
    browsers = []

    def open_it(name: str, path: str = "/classify") -> Page:
        audio, rate = soundfile.read(corpus.path(name), dtype="float32")
        sound = tmp_path / "microphone.wav"
        soundfile.write(sound, np.concatenate([audio, np.zeros(rate * 5, np.float32)]), rate, subtype="PCM_16")
        browser = launch(playwright, chromium, *microphone_flags(sound))
        browsers.append(browser)
        page = browser.new_context(permissions=["microphone"]).new_page()
        page.goto(server.url + path)
        wait_until_idle(page)
        return page

    yield open_it
    for browser in browsers:
        browser.close()


@pytest.mark.parametrize(("name", "path"), [("1001_DFA_ANG_XX", "/classify"), ("1002_IWL_FEA_XX", "/")])
def test_a_recording_gets_the_label_of_the_file_it_was_made_of(
    open_page: OpenPage, corpus: Corpus, name: str, path: str
):
    page = open_page(name, path)
    record(page, find_clip(name).seconds)
    expect(page.get_by_test_id("stMetricValue")).to_be_visible(timeout=30_000)
    heard = page.get_by_test_id("stMetricValue").inner_text().lower()
    assert heard == EMOTION_NAMES[Predictor.load(default_checkpoint())(corpus.path(name)).emotion]


def test_a_voice_that_is_forgotten_does_not_come_back(open_page: OpenPage):
    name = "1001_DFA_ANG_XX"
    page = open_page(name)
    page.get_by_role("radio", name="Example").click()  # which has no recorder of its own
    wait_until_idle(page)
    page.get_by_text("Tune to my voice").click()
    record(page, find_clip(name).seconds)
    tuned = page.get_by_text("is tuned to 1 recording in a neutral voice.")
    expect(tuned).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Forget my voice").click()
    expect(tuned).to_have_count(0)
    page.get_by_role("radio", name="Upload").click()  # the browser sends all it has
    wait_until_idle(page)
    expect(tuned).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
