"""The page Map, whose points only a browser can choose."""

import re

from playwright.sync_api import Page, expect

from ser_core.corpus.clips import find_clip
from ser_core.emotions import EMOTION_NAMES
from tests.browser.app_server import OpenTab, wait_until_idle
from tests.helpers import BROWSER_TOO

pytestmark = BROWSER_TOO
WHERE = """() => {
    const plot = document.querySelector('.js-plotly-plot'), [trace] = plot._fullData, layout = plot._fullLayout
    const frame = plot.getBoundingClientRect(), size = layout._size
    return trace.customdata.map((about, i) => ({
        name: about[0],
        x: frame.left + size.l + layout.xaxis.d2p(trace.x[i]),
        y: frame.top + size.t + layout.yaxis.d2p(trace.y[i]),
    }))
}"""
MARGIN = 20  # pixels around a point


def points(page: Page) -> list[dict]:
    """Names of the clips that were meant as anger, and where their points are."""
    page.wait_for_function("!!document.querySelector('.js-plotly-plot')?._fullLayout?.xaxis?.d2p")
    return page.evaluate(WHERE)


def test_a_point_and_a_lasso_choose_clips(open_tab: OpenTab):
    page = open_tab("/map?model=lr0.001-SiLU-2D")
    wait_until_idle(page)
    expect(page.get_by_text("All 2,233 test clips.")).to_be_visible()
    point = points(page)[20]
    page.mouse.move(point["x"] - 3, point["y"])
    page.mouse.move(point["x"], point["y"])
    expect(page.locator(".hoverlayer")).to_contain_text(point["name"])
    page.mouse.click(point["x"], point["y"])
    expect(page.get_by_text("1 of 2,233 clips chosen.")).to_be_visible()
    clip = find_clip(point["name"])
    emotion = EMOTION_NAMES[clip.emotion].capitalize()
    heading = page.get_by_role("heading", name=re.compile(f"{emotion}, (as predicted|predicted as)"))
    expect(heading).to_contain_text(clip.text)
    wait_until_idle(page)
    expect(page).to_have_url(re.compile(f"clip={point['name']}"))

    page.locator(".js-plotly-plot").first.hover()
    page.locator('.modebar-btn[data-title="Lasso Select"]').first.click()
    point = points(page)[20]  # the page may have scrolled
    x, y = point["x"] - MARGIN, point["y"] - MARGIN
    page.mouse.move(x, y)
    page.mouse.down()
    for right, down in ((2, 0), (2, 2), (0, 2), (0, 0)):
        page.mouse.move(x + right * MARGIN, y + down * MARGIN, steps=4)
    page.mouse.up()
    chosen = page.get_by_text("of 2,233 clips chosen.")
    expect(chosen).not_to_contain_text(re.compile("^1 of"))
    assert 1 < int(chosen.inner_text().split()[0]) < 500
