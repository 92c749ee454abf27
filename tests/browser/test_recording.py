"""Recording oneself on the page Classify in real Chromium, whose fake microphone plays a real clip."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Playwright, expect

from ser_core.emotions import EMOTION_NAMES
from ser_core.records.checkpoints import default_checkpoint
from ser_core.serving.predictor import Predictor
from tests.browser.app_server import AppServer, launch, wait_until_idle
from tests.helpers import REAL_TIME

pytestmark = REAL_TIME


@pytest.mark.parametrize("name", ["1001_DFA_ANG_XX", "1002_IWL_FEA_XX"])
def test_a_recording_gets_the_label_of_the_file_it_was_made_of(
    playwright: Playwright, chromium: str, server: AppServer, corpus, tmp_path: Path, name: str
):
    """Chromium's fake microphone plays a real clip, again and again; the silence after it separates the rounds."""
    audio, rate = soundfile.read(corpus.path(name), dtype="float32")
    sound = tmp_path / "microphone.wav"
    soundfile.write(sound, np.concatenate([audio, np.zeros(rate * 5, np.float32)]), rate, subtype="PCM_16")
    microphone = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    )
    browser = launch(playwright, chromium, *microphone)
    try:
        page = browser.new_context(permissions=["microphone"]).new_page()
        page.goto(server.url + "/classify")
        wait_until_idle(page)
        page.get_by_role("button", name="Record").click()
        page.wait_for_timeout(round(1000 * len(audio) / rate) + 1500)
        page.get_by_role("button", name="Stop recording").click()
        expect(page.get_by_test_id("stMetricValue")).to_be_visible(timeout=30_000)
        heard = page.get_by_test_id("stMetricValue").inner_text().lower()
    finally:
        browser.close()
    assert heard == EMOTION_NAMES[Predictor.load(default_checkpoint())(corpus.path(name)).emotion]
