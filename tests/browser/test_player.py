"""Sounds and their pictures in real Chromium: the line, clicks, keys, and one sound at a time."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Locator, Page, expect

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import preprocess
from ser_core.audio.synthetic import EXAMPLES, synthesize
from tests.browser.app_server import OpenTab, scroll_through, wait_until_idle
from tests.helpers import BROWSER_TOO

pytestmark = BROWSER_TOO
LINE = ".sound-cursor"
SPACE_IS_FREE = """
(document.body.append(document.createElement("audio")),
document.body.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true })))
"""  # even where there is a sound, nobody takes the key
OVER_TIME = "[...document.querySelectorAll('.js-plotly-plot')].filter(p => p._fullLayout?.meta?.kept)"


def picture(page: Page, number: int) -> Locator:
    """One of the pictures that go with a sound."""
    page.evaluate(f"{OVER_TIME}.forEach((p, i) => p.dataset.number = i)")
    return page.locator(f".js-plotly-plot[data-number='{number}']")


def lines(page: Page) -> list[float]:
    """Seconds at which the lines stand that are seen, by their picture's own axis."""
    return json.loads(
        page.evaluate(
            f"""JSON.stringify({OVER_TIME}.flatMap(p => [...p.querySelectorAll("{LINE}")].filter(l => !l.hidden).map(
            l => p._fullLayout.xaxis.p2l(parseFloat(l.style.transform.slice(11)) - p._fullLayout.xaxis._offset))))"""
        )
    )


def seconds(page: Page, sound: int = 0) -> float:
    return page.locator("audio").nth(sound).evaluate("sound => sound.currentTime")


def playing(page: Page) -> list[int]:
    return page.evaluate("[...document.querySelectorAll('audio')].flatMap((sound, i) => sound.paused ? [] : [i])")


def click(picture: Locator, share: float) -> None:
    """Click at a share of a picture's width."""
    plot = picture.locator(".nsewdrag").first
    plot.scroll_into_view_if_needed()
    size = plot.bounding_box()
    plot.click(position={"x": size["width"] * share, "y": size["height"] / 2})


def test_a_line_follows_the_sound_a_click_seeks_and_keys_play_and_go_on(open_tab: OpenTab):
    page = open_tab("/samples?clip=1001_DFA_ANG_XX")
    wait_until_idle(page)
    page.wait_for_function("document.querySelector('audio')?.readyState >= 1")
    expect(page.get_by_text("Click a picture to hear from there.")).to_be_visible()
    assert lines(page) == []

    page.get_by_text("Log-mel spectrogram").scroll_into_view_if_needed()
    expect(page.locator(".js-plotly-plot").nth(1)).to_be_attached()
    wait_until_idle(page)
    page.locator("audio").first.evaluate("sound => { sound.playbackRate = 0.25 }")  # it lasts on a busy machine, too
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    assert playing(page) == [0]
    before = lines(page)
    page.wait_for_function("document.querySelector('audio').currentTime > 0.3")
    after = lines(page)
    assert len(before) == len(after) == 2  # waveform and mel spectrogram
    assert min(after) > max(before)
    page.keyboard.press(" ")
    assert playing(page) == []
    page.wait_for_timeout(100)
    assert lines(page) == pytest.approx([seconds(page)] * 2, abs=0.02)

    click(picture(page, 1), 0.75)
    assert seconds(page) == pytest.approx(0.75 * 2.275, abs=0.05)
    page.keyboard.press("ArrowLeft")
    assert seconds(page) == pytest.approx(0.75 * 2.275 - 1, abs=0.05)
    assert lines(page) == pytest.approx([0.75 * 2.275 - 1] * 2, abs=0.05)

    page.get_by_role("heading", name="The same actor and sentence").scroll_into_view_if_needed()  # they are made then
    expect(page.locator("audio").nth(1)).to_be_attached()
    wait_until_idle(page)
    page.locator("audio").nth(1).evaluate("sound => sound.play()")
    page.locator("audio").nth(0).evaluate("sound => sound.play()")
    assert playing(page) == [0]
    page.locator("audio").nth(1).evaluate("sound => sound.play()")
    assert playing(page) == [1]

    # A widget that has the focus keeps its keys; and on another page nothing listens any more.
    page.keyboard.press(" ")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("slider").first.press(" ")
    assert playing(page) == []
    page.get_by_test_id("stSidebar").get_by_role("link", name="Humans").click()
    wait_until_idle(page)
    assert page.evaluate(SPACE_IS_FREE)


def test_a_picture_of_the_speech_alone_goes_with_the_sound_of_the_speech(open_tab: OpenTab):
    page = open_tab("/features")
    scroll_through(page)
    speech = preprocess(synthesize(next(iter(EXAMPLES.values()))))
    click(picture(page, 1), 0.5)
    kept = 2  # behind the whole sound, and what was dropped
    assert seconds(page, kept) == pytest.approx(speech.seconds / 2, abs=0.05)
    assert seconds(page) == 0
    page.wait_for_timeout(100)
    assert len(lines(page)) >= 2
    assert lines(page) == pytest.approx([seconds(page, kept)] * len(lines(page)), abs=0.02)


def test_a_click_into_the_timeline_of_a_long_recording_seeks(open_tab: OpenTab, corpus, tmp_path: Path):
    clip = corpus.load("1001_DFA_ANG_XX")
    soundfile.write(tmp_path / "long.wav", np.concatenate([clip, clip]), SAMPLE_RATE)
    page = open_tab("/classify")
    wait_until_idle(page)
    page.get_by_role("radio", name="Upload").click()
    wait_until_idle(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "long.wav")
    expect(page.get_by_role("heading", name="Over time")).to_be_visible()
    scroll_through(page)
    click(picture(page, 2), 0.5)
    assert seconds(page) == pytest.approx(len(clip) / SAMPLE_RATE, abs=0.05)
    page.wait_for_timeout(100)
    assert lines(page) == pytest.approx([seconds(page), seconds(page), 1000 * seconds(page)], rel=0.02)
