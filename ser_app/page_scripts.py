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

# Two things about Streamlit 1.67. A link with parameters makes two entries: first its parameters beside the page that
# is left, which is no view of anything, and then its page. Here the second takes the place of the first. And what is
# chosen in a widget that the address has replaces the entry: one could not go back to what was chosen before. Here it
# is an entry of its own, if the visitor did something on this page just now; what a page takes out of an address by
# itself is none, or going back would lead there again and again.
HISTORY = """
export default function() {
  if (window.historyIsMended) return
  window.historyIsMended = true
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history)
  const now = () => performance.now()
  let pushed = -Infinity // when parameters alone were, on this page
  let came = now(), acted = -Infinity
  for (const kind of ["pointerdown", "pointerup", "keydown"])
    addEventListener(kind, () => { acted = now() }, { capture: true, passive: true })
  addEventListener("popstate", () => { came = now() }, { capture: true })
  const isHere = url => url == null || new URL(url, location.href).pathname === location.pathname
  const isOther = url => url != null && new URL(url, location.href).search !== location.search
  history.pushState = (state, title, url) => {
    const isSecond = !isHere(url) && !isOther(url) && now() - pushed < 5000
    pushed = isHere(url) ? now() : -Infinity
    if (!isHere(url)) came = now()
    if (isSecond) replace(state, title, url)
    else push(state, title, url)
  }
  history.replaceState = (state, title, url) => {
    const isChoice = isHere(url) && isOther(url) && acted > came && now() - acted < 500
    if (isChoice) push(state, title, url)
    else replace(state, title, url)
  }
}
"""

_ask = st.components.v2.component("ask_before_leaving", js=ASK)
_say = st.components.v2.component("announcement", html=REGION, css=HIDDEN, js=SAY)
_history = st.components.v2.component("views", js=HISTORY)
_warm = st.components.v2.component("warm_charts", js=WARM)


def ask_before_leaving(asks: bool) -> None:
    """Have the browser ask before the tab is closed or loaded again, while there is something to lose."""
    _ask(key="ask-before-leaving", data={"asks": asks})


def announce(text: str) -> None:
    """Have a screen reader say it, once it changes."""
    _say(key="announcement", data={"text": text})


def remember_views() -> None:
    """Have the browser's Back lead to the view before a link that was followed, or a choice that was made."""
    _history(key="views")


def warm_charts() -> None:
    """Have the browser load what draws charts while the visitor reads, so that the first chart doesn't wait for it."""
    _warm(key="warm-charts", data={"chunk": CHUNK})
