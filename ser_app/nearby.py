"""What is far down a page is made when the visitor gets there, so that what is above doesn't wait for it.

A page's first chart alone takes a browser half a second and more, to start Plotly; each one after it, 0.1 to 0.3 s.
"""

from __future__ import annotations

import streamlit as st

NEAR = "near"  # session state: keys of what was reached
# What is seen at once is said one after another: of several fragments' changes in one message, Streamlit follows one.
# Nothing is said just after a click on a link: it may lead to another page, which would stay empty, for Streamlit
# would look there for the fragment. A crowded server takes longer: while it still makes a page, it is waited for.
# What was said may be lost, as where the server has just begun to make the page anew. A mark that stays for a while
# says it again, with a higher number, so that it is a change; not while the server works, which would begin anew.
JS = """
const APART = 100, LEAVING = 3000, AGAIN = 5000, LONGEST = 60000 // milliseconds
let turn = Promise.resolve()
let left = -LONGEST // when a link was clicked
const sleep = milliseconds => new Promise(wake => setTimeout(wake, milliseconds))
const leave = event => { if (event.composedPath().some(one => one.tagName === "A")) left = performance.now() }
addEventListener("click", leave, true)
const makesAPage = () => {
  const state = document.querySelector("[data-test-script-state]")?.dataset.testScriptState
  return state !== undefined && state !== "notRunning"
}
const leads = () => {
  const since = performance.now() - left
  return since < LEAVING || (since < LONGEST && makesAPage())
}

export default function ({ parentElement, setStateValue }) {
  let here = true
  let times = 0
  const say = async () => {
    while (here && leads()) await sleep(APART)
    if (!here) return
    setStateValue("near", ++times)
    setTimeout(again, AGAIN)
    await sleep(APART)
  }
  const inTurn = () => {
    turn = turn.then(say, say)
  }
  const again = () => {
    if (!here) return
    if (makesAPage()) setTimeout(again, APART)
    else inTurn()
  }
  const observer = new IntersectionObserver(seen => {
    if (!seen.some(one => one.isIntersecting)) return
    observer.disconnect()
    inTurn()
  })
  observer.observe(parentElement.querySelector("p"))
  return () => {
    here = false
    observer.disconnect()
  }
}
"""
_mark = st.components.v2.component("nearby", html="<p>…</p>", css="p { height: 100%; margin: 0 }", js=JS)


def is_near(key: str, height: int | None = None) -> bool:
    """Whether this place of the page was on the screen in this session.

    When it gets there, the script runs again, or the fragment that calls this.

    Args:
        key: of the place.
        height: of what will be there, in pixels, for which room is kept; None for a line.
    """
    reached: set[str] = st.session_state.setdefault(NEAR, set())
    place = st.empty()
    if key not in reached:
        with place:
            mark = _mark(key=f"near-{key}", height=height or "content", on_near_change=lambda: None)
        if mark.near:
            reached.add(key)
            place.empty()
    return key in reached
