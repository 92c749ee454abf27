"""Long work, as a page shows it: how far it is, what is known already, and a way to stop it.

The work is done in the run of the page's script, step by step. Each step draws, and there Streamlit ends the run if
the visitor did anything: what was done is kept, and the next run goes on from there, or, after Cancel, does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager

import streamlit as st

from ser_app.room import stay
from ser_core.audio.limit import duration

CANCELLED = "cancelled"  # session state: keys of work that nobody wants done
DRAW_SECONDS = 1.0  # from one drawing of what is known so far to the next
TELLING_SHARE = 0.02  # of the work, from which on it tells how long the rest takes


class Progress:
    """Draws how far work is, see `long_work`."""

    def __init__(self, where: str, keys: Collection[Hashable]):
        self.keys = list(keys)
        left, right = st.columns([5, 1], vertical_alignment="center")
        self._bar = left.empty()
        right.button(
            "Cancel",
            key=f"cancel-{where}",
            icon=":material/stop_circle:",
            help="What is done is kept.",
            on_click=_cancel,
            args=(self.keys,),
            width="stretch",
        )
        self._place, self._began, self._drawn = st.empty(), time.monotonic(), 0.0
        self._before: float | None = None

    def __call__(self, share: float, text: str, draw: Callable[[], None] | None = None) -> None:
        """So much is done.

        Args:
            share: of the work, 0 to 1.
            text: what is done, as Markdown.
            draw: what is known so far; it isn't called each time.
        """
        now = time.monotonic()
        if self._before is None:
            self._before = share  # an earlier run's work
        mine = share - self._before
        if mine >= TELLING_SHARE:
            text += f" · about {roughly((now - self._began) / mine * (1 - share))} left"
        self._bar.progress(min(1.0, share), text)
        if draw and now - self._drawn > DRAW_SECONDS:
            stay()
            with self._place.container():
                draw()
            self._drawn = time.monotonic()


@contextmanager
def long_work(where: str, keys: Collection[Hashable]) -> Iterator[Progress]:
    """Draw progress while the block works; then nothing is left of it.

    Args:
        where: differs between places of a page.
        keys: of the work, which `cancelled` gives when the visitor doesn't want it any more.
    """
    area = st.empty()
    with area.container(border=True):
        progress = Progress(where, keys)
    yield progress
    area.empty()


def roughly(seconds: float) -> str:
    """A duration in words, no more exact than an estimate is."""
    return duration(60 * round(seconds / 60) if seconds >= 120 else max(1, round(seconds)))


def cancelled() -> set[Hashable]:
    """Keys of work that was cancelled in this visitor's session."""
    return st.session_state.setdefault(CANCELLED, set())


def show_cancelled(where: str, text: str, keys: Collection[Hashable]) -> None:
    """Say what is missing of cancelled work, and offer to go on."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/stop_circle: {text}", width="stretch")
        st.button("Go on", key=f"go-on-{where}", icon=":material/play_arrow:", on_click=_go_on, args=(list(keys),))


def _cancel(keys: list[Hashable]) -> None:
    cancelled().update(keys)


def _go_on(keys: list[Hashable]) -> None:
    cancelled().difference_update(keys)
