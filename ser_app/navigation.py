"""The frame around every page.

Streamlit's own page list differs between the first page that is opened and later ones when `st.navigation` and a
folder named `pages/` are both there; links of our own are the same wherever a visitor comes in.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from ser_app.page_scripts import remember_views, warm_charts
from ser_app.room import let_in
from ser_app.visitors import look_after


class AppPage(NamedTuple):
    """A page of the app: its script, its name and icon, and what one can do there (the text of its card on Home)."""

    path: str
    label: str
    icon: str
    description: str


PAGES = (
    AppPage("streamlit_app.py", "Home", ":material/home:", "What this is, and the way in: try it at once."),
    AppPage(
        "pages/classify.py",
        "Classify",
        ":material/mic:",
        "Record yourself, upload files or pick an example, and see which emotion the networks hear.",
    ),
    AppPage(
        "pages/live.py",
        "Live",
        ":material/graphic_eq:",
        "Speak into the microphone, and watch the emotion as you speak.",
    ),
    AppPage(
        "pages/samples.py",
        "Samples",
        ":material/library_music:",
        "Browse the 7,442 clips of CREMA-D: hear them, see them, and compare what people heard with what a model says.",
    ),
    AppPage(
        "pages/guess.py",
        "Guess",
        ":material/psychology_alt:",
        "Hear ten clips and say which emotion it is; then see what people heard, and what the model answers.",
    ),
    AppPage(
        "pages/features.py",
        "Features",
        ":material/equalizer:",
        "Follow one recording through the pipeline, from raw sound to what the networks see, and turn its knobs.",
    ),
    AppPage(
        "pages/runs.py",
        "Runs",
        ":material/query_stats:",
        "Compare all training runs with each other and with the report: settings, confusions, curves.",
    ),
    AppPage(
        "pages/mistakes.py",
        "Mistakes",
        ":material/hearing:",
        "Listen to what a model gets wrong, and see for whom it fails.",
    ),
    AppPage(
        "pages/map.py",
        "Map",
        ":material/scatter_plot:",
        "See which clips a network takes for alike, choose some, and listen whether they are.",
    ),
    AppPage(
        "pages/humans.py",
        "Humans",
        ":material/groups:",
        "See what people heard in the same clips, and whether models are unsure where people are.",
    ),
)
"""All pages, in the order of the navigation: a new one is a script in `pages/` and an entry here."""

LISTENER = "listener"
"""Key of the session state under which Live keeps what it heard: other pages leave it as it is."""

LISTENING_WANTED = "listening-wanted"
"""Key of the session state under which Live keeps whether the microphone is to be on."""


OPEN_PAGE = "open-page"  # session state: the title of the page that was drawn last
IS_NEW = "is-new"  # session state: whether this is the page's first run since it was opened
ASKED_IN_VAIN = "asked-in-vain"
"""Session state: by parameter, what is said of those that this page's address had in vain (`ser_app.address`)."""

ARRIVED = "arrived"
"""Session state: whether the visitor has brought nothing yet since this page was opened (`ser_app.sources`)."""

# A file of our own: browsers would fetch a Material icon from a host of Google's.
FAVICON = Path(__file__).with_name("favicon.svg")

READABLE = """
<style>
div[data-testid="stCaptionContainer"] { opacity: 0.8; }
div[data-testid="stMultiSelect"] [data-tag] {
    background: transparent; color: inherit; box-shadow: inset 0 0 0 1px currentColor;
}
button[data-testid="stBaseButton-primary"] { color: light-dark(#fff, #171614); }
div[data-testid="stButton"] kbd { color: inherit; opacity: 0.8; }
.js-plotly-plot :is([class$="tick"], [class^="g-"][class$="title"], .legend, .cbaxis, .cbtitle, .textpoint) text,
.js-plotly-plot .bartext-outside { fill: currentColor !important; }
@media (hover: none) {
    .modebar-container, div[data-testid="stElementToolbar"], div[data-testid="stButton"] kbd { display: none; }
}
</style>
"""
"""Text with a contrast of 4.5:1 or more in both themes. Streamlit 1.67 has 3.9 for captions, 3.7 for charts' axes, less
for the keys that buttons name, and 2.4 for the main button and for what is chosen in a list, where the theme is dark;
no option of its themes changes only these. And on a touch screen no toolbars over charts and tables, where they cover
what stands there, and no keys in buttons, where there are none to press."""


def start_page(title: str) -> None:
    """Configure a page and draw the navigation, or say that there is no room. Called first on every page."""
    look_after()
    if title != "Live":
        st.session_state.pop(LISTENING_WANTED, None)  # the microphone is closed with its page
    st.set_page_config(page_title=f"{title} · Speech emotion", page_icon=str(FAVICON), layout="wide")
    st.html(READABLE)
    let_in()
    is_new = st.session_state[IS_NEW] = st.session_state.get(OPEN_PAGE) != title
    if is_new:
        st.session_state.pop(ASKED_IN_VAIN, None)
    st.session_state[ARRIVED] = is_new or st.session_state.get(ARRIVED, False)
    st.session_state[OPEN_PAGE] = title
    with st.sidebar:
        st.markdown("**Speech emotion**  \nCREMA-D explorer")
        for page in PAGES:
            st.page_link(page.path, label=page.label, icon=page.icon)
        warm_charts()
        remember_views()
