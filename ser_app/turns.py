"""Who has one short recording goes first: long work of others stands back meanwhile, between two of its steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

import streamlit as st

PATIENCE_SECONDS = 1.0  # that long work stands back at each step: it goes on, if slowly, however many come


class Turns:
    """Counts the short work that is done right now."""

    def __init__(self) -> None:
        self._n = 0
        self._changed = Condition()

    @contextmanager
    def short(self) -> Iterator[None]:
        """The block is short work."""
        with self._changed:
            self._n += 1
        try:
            yield
        finally:
            with self._changed:
                self._n -= 1
                self._changed.notify_all()

    def stand_back(self, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until no short work is done, at most so many seconds; gives how many it were."""
        began = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._n == 0, seconds)
        return time.monotonic() - began


@st.cache_resource(show_spinner=False)
def turns() -> Turns:
    """The server's."""
    return Turns()
