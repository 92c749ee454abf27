"""A page as the very first one that a server shows."""

import pytest
from playwright.sync_api import expect

from tests.browser.app_server import ADDRESSES, LABELS, AppServer, OpenTab, navigation, wait_until_idle
from tests.helpers import COLD_SERVERS

pytestmark = COLD_SERVERS
TITLES = {"Home": "Speech emotion recognition", "Humans": "Humans and models"}
FIRST = ("Home", "Classify", "Live", "Runs", "Map")
"""Which import most, each something else: a server of its own for every page takes minutes."""


@pytest.mark.parametrize("label", FIRST)
def test_a_page_opened_first_on_a_cold_server_has_the_whole_app(open_tab: OpenTab, corpus, label: str):
    with AppServer({"CREMAD_DIR": str(corpus.folder)}) as cold:
        page = open_tab(ADDRESSES[label], url=cold.url)
        wait_until_idle(page)
        assert navigation(page) == LABELS
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
        expect(page.get_by_role("heading", name=TITLES.get(label, label), level=1)).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        page.context.close()
