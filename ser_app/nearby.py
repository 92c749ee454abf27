"""What is far down a page is made when the visitor gets there, so that what is above doesn't wait for it."""

from __future__ import annotations

import streamlit as st

NEAR = "near"  # session state: keys of what was reached
JS = """
export default function ({ parentElement, setStateValue }) {
  const mark = parentElement.querySelector("p")
  const observer = new IntersectionObserver(seen => {
    if (seen.some(one => one.isIntersecting)) {
      observer.disconnect()
      setStateValue("near", true)
    }
  })
  observer.observe(mark)
  return () => observer.disconnect()
}
"""
_mark = st.components.v2.component("nearby", html="<p>…</p>", js=JS)


def is_near(key: str) -> bool:
    """Whether this place of the page was on the screen in this session. Called in a fragment, which then runs again."""
    reached: set[str] = st.session_state.setdefault(NEAR, set())
    place = st.empty()
    if key not in reached:
        with place:
            mark = _mark(key=f"near-{key}", on_near_change=lambda: None)
        if mark.near:
            reached.add(key)
            place.empty()
    return key in reached
