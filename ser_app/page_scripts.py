"""What a page does in the browser that Streamlit has no element for; none of it is seen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# The browser words the question itself, and asks only who has clicked on the page.
ASK = """
export default function({ data, parentElement }) {
  const ask = event => { event.preventDefault(); event.returnValue = "" }
  if (parentElement.ask) window.removeEventListener("beforeunload", parentElement.ask)
  parentElement.ask = ask
  if (data.asks) window.addEventListener("beforeunload", ask)
  return () => window.removeEventListener("beforeunload", ask)
}
"""

# The region stays as it is while its text changes: a screen reader says nothing of a region that is new.
REGION = '<div class="announced" role="status" aria-live="polite" aria-atomic="true"></div>'
HIDDEN = ".announced {position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}"
SAY = """
export default function({ data, parentElement }) {
  const region = parentElement.querySelector(".announced")
  if (region.textContent !== data.text) region.textContent = data.text
}
"""

# Streamlit loads its charts' code, half a second of a slow machine, when a page's first chart is drawn.
WARM = """
export default function({ data }) {
  if (!data.chunk || window.chartsAreWarm) return
  window.chartsAreWarm = true
  const script = document.querySelector('script[src*="/static/js/"]')
  const load = () => import(new URL(data.chunk, script.src)).catch(() => {})
  let quiet = 0 // looks, half a second apart, since the page is drawn
  const wait = () => {
    quiet = document.querySelector('[data-test-script-state="notRunning"]') ? quiet + 1 : 0
    if (quiet < 4) setTimeout(wait, 500)
    else if (window.requestIdleCallback) requestIdleCallback(load)
    else load()
  }
  if (script) setTimeout(wait, 500)
}
"""
# The name holds a hash of the release. Where there is no such file, the first chart loads it, as without this.
CHUNK = next((file.name for file in Path(st.__file__).parent.glob("static/static/js/PlotlyChart.*.js")), "")

# A link with parameters makes two entries: first its parameters beside the page that is left, which is no view of
# anything, and then its page. Going back would open the first (Streamlit 1.67). One takes the place of the other.
HISTORY = """
export default function() {
  if (window.historyIsMended) return
  window.historyIsMended = true
  const push = history.pushState.bind(history)
  let pushed = 0 // when parameters alone were, on this page
  history.pushState = (state, title, url) => {
    const next = new URL(url, location.href)
    const samePage = next.pathname === location.pathname
    const isSecond = !samePage && next.search === location.search && performance.now() - pushed < 5000
    if (isSecond) history.replaceState(state, title, url)
    else push(state, title, url)
    pushed = samePage ? performance.now() : -Infinity
  }
}
"""

_ask = st.components.v2.component("ask_before_leaving", js=ASK)
_say = st.components.v2.component("announcement", html=REGION, css=HIDDEN, js=SAY)
_history = st.components.v2.component("one_entry_a_link", js=HISTORY)
_warm = st.components.v2.component("warm_charts", js=WARM)


def ask_before_leaving(asks: bool) -> None:
    """Have the browser ask before the tab is closed or loaded again, while there is something to lose."""
    _ask(key="ask-before-leaving", data={"asks": asks})


def announce(text: str) -> None:
    """Have a screen reader say it, once it changes."""
    _say(key="announcement", data={"text": text})


def one_entry_a_link() -> None:
    """Have the browser's Back lead to the view before a link that was followed."""
    _history(key="one-entry-a-link")


def warm_charts() -> None:
    """Have the browser load what draws charts while the visitor reads, so that the first chart doesn't wait for it."""
    _warm(key="warm-charts", data={"chunk": CHUNK})
