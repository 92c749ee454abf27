"""The frame around every page.

Streamlit's own page list differs between the first page that is opened and later ones when `st.navigation` and a
folder named `pages/` are both there; links of our own are the same wherever a visitor comes in.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

PAGES = (
    ("streamlit_app.py", "Home", ":material/home:"),
    ("pages/samples.py", "Samples", ":material/library_music:"),
    ("pages/features.py", "Features", ":material/equalizer:"),
    ("pages/runs.py", "Runs", ":material/query_stats:"),
    ("pages/mistakes.py", "Mistakes", ":material/hearing:"),
    ("pages/humans.py", "Humans", ":material/groups:"),
    ("pages/classify.py", "Classify", ":material/mic:"),
    ("pages/live.py", "Live", ":material/graphic_eq:"),
)
LISTENER = "listener"
"""Key of the session state under which Live keeps what it hears; gone as soon as another page is opened."""


# A file of our own: browsers would fetch a Material icon from a host of Google's.
FAVICON = Path(__file__).with_name("favicon.svg")


def start_page(title: str) -> None:
    """Configure a page and draw the navigation. Called first on every page."""
    if title != "Live":
        st.session_state.pop(LISTENER, None)
    st.set_page_config(page_title=f"{title} · Speech emotion", page_icon=str(FAVICON), layout="wide")
    with st.sidebar:
        st.markdown("**Speech emotion**  \nCREMA-D explorer")
        for path, label, page_icon in PAGES:
            st.page_link(path, label=label, icon=page_icon)
