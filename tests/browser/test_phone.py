"""Every page on a phone, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.app_server import ADDRESSES, LABELS, PHONE, OpenTab, scroll_through, wait_until_idle
from tests.helpers import BROWSER_TOO

pytestmark = BROWSER_TOO
WHITE = "rgb(255, 255, 255)"


def test_on_a_touch_screen_no_toolbar_covers_anything_and_no_button_names_a_key(open_tab: OpenTab):
    for touch in (False, True):
        page = open_tab(
            f"{ADDRESSES['Samples']}?clip=1001_DFA_ANG_XX", viewport=PHONE, has_touch=touch, is_mobile=touch
        )
        wait_until_idle(page)
        page.get_by_test_id("stDataFrame").first.hover()
        shown = page.evaluate(
            "[...document.querySelectorAll('[data-testid=stElementToolbar], [data-testid=stButton] kbd')]"
            ".some(one => one.getClientRects().length)"
        )
        assert shown is not touch


@pytest.mark.parametrize(("label", "dark_first"), [(label, i % 2 == 0) for i, label in enumerate(LABELS)])
def test_pages_fit_a_phone_in_light_and_in_dark(open_tab: OpenTab, label: str, dark_first: bool):
    """Every other page is opened in the dark scheme; then the phone changes to the other one, as in the evening.

    axe-core finds nothing in either: contrast, names, roles, order of headings.
    """
    page = open_tab(ADDRESSES[label], viewport=PHONE, color_scheme="dark" if dark_first else "light")
    wait_until_idle(page)
    for dark in (dark_first, not dark_first):
        page.emulate_media(color_scheme="dark" if dark else "light")
        app = expect(page.get_by_test_id("stApp"))
        (app.not_to_have_css if dark else app.to_have_css)("background-color", WHITE)
        scroll_through(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
