"""What a page does in the browser that Streamlit has no element for; neither is seen."""

from __future__ import annotations

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

_ask = st.components.v2.component("ask_before_leaving", js=ASK)
_say = st.components.v2.component("announcement", html=REGION, css=HIDDEN, js=SAY)


def ask_before_leaving(asks: bool) -> None:
    """Have the browser ask before the tab is closed or loaded again, while there is something to lose."""
    _ask(key="ask-before-leaving", data={"asks": asks})


def announce(text: str) -> None:
    """Have a screen reader say it, once it changes."""
    _say(key="announcement", data={"text": text})
