"""How many are served at once. Where the machine is full, a newcomer waits in line instead of slowing everybody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Lock

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ser_app.messages import sentence
from ser_core.audio.limit import setting
from ser_core.errors import ConfigError
from ser_core.workers import cores

VISITORS, LISTENERS = "SER_VISITORS", "SER_LISTENERS"
"""Environment variables that say for how many there is room at once, and how many of them may listen live."""

OF_A_CORE = {VISITORS: 10, LISTENERS: 4}
"""How many each core of the processor is for, where the app is served to others (`serve.py`) and no setting says it.
A page that listens takes a fifth of a core (`python -m benchmarks live`): four leave a little to others. Others take
far less: twenty visitors on two cores, two of them live, took 0.18 of a core from the server (`python -m benchmarks
load`).
Ten a core leave room for moments at which many do something at once."""

UNLIMITED = 1e9
IDLE_SECONDS = 600.0  # after which an open tab takes no place until it does something
LISTENER_SECONDS = 15.0  # without a sign of a page that listens, which gives one twice a second
LINE_SECONDS = 15.0  # the same of who waits
ASK_SECONDS = 3.0  # from one time that a waiting page asks to the next
LET_IN = "let-in"  # session state: whether this visitor was let in


class Places:
    """So many places, and those who wait for one, in the order in which they came.

    Args:
        most: gives how many places there are.
        keep_seconds: how long a place is kept for somebody who gives no sign.
        gone: whether somebody's tab is closed; its place is free at once.
        clock: seconds.
    """

    def __init__(
        self,
        most: Callable[[], int],
        keep_seconds: float,
        gone: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ):
        self.most, self._keep_seconds, self._gone, self._clock = most, keep_seconds, gone, clock
        self._held: dict[str, float] = {}
        self._line: dict[str, float] = {}
        self._lock = Lock()

    def ask(self, who: str, *, again: bool = False) -> int:
        """Take a place, or keep it.

        Args:
            who: asks, again and again: by that it is known who still waits.
            again: whether they had a place before, and are not to be sent away.

        Returns:
            0 where they have a place, and otherwise their number in the line, from 1.

        Raises:
            ConfigError: it isn't a number that says how many places there are.
        """
        most, now = self.most(), self._clock()
        with self._lock:
            self._held = self._still(self._held, now - self._keep_seconds)
            self._line = self._still(self._line, now - LINE_SECONDS)
            before = list(self._line).index(who) if who in self._line else len(self._line)
            if again or who in self._held or len(self._held) + before < most:
                self._line.pop(who, None)
                self._held[who] = now
                return 0
            self._line[who] = now
            return before + 1

    def leave(self, who: str) -> None:
        """Give a place back, or one in the line."""
        with self._lock:
            self._held.pop(who, None)
            self._line.pop(who, None)

    def _still(self, since: dict[str, float], oldest: float) -> dict[str, float]:
        return {who: when for who, when in since.items() if when >= oldest and not self._gone(who)}


def _most(variable: str) -> Callable[[], int]:
    return lambda: max(1, int(setting(variable, UNLIMITED)))


def _gone(visitor: str) -> bool:
    return runtime.exists() and not runtime.get_instance().is_active_session(visitor)


@st.cache_resource(show_spinner=False)
def visitors() -> Places:
    """The server's places for visitors."""
    return Places(_most(VISITORS), IDLE_SECONDS, _gone)


@st.cache_resource(show_spinner=False)
def listeners() -> Places:
    """The server's places for those who listen live; one who does takes one of `visitors`, too."""
    return Places(_most(LISTENERS), LISTENER_SECONDS, _gone)


def for_others() -> None:
    """Have the settings be what the machine's processor is good for, where they aren't said."""
    for variable, of_a_core in OF_A_CORE.items():
        os.environ[variable] = os.environ.get(variable, "").strip() or str(of_a_core * cores())


def let_in() -> None:
    """End the run of a page where there is no room, and say so; it begins anew when there is. Called by every page."""
    try:
        number = _ask()
    except ConfigError as error:
        st.error(sentence(error))
        st.stop()
    if number:
        st.title("Speech emotion recognition")
        st.fragment(_wait, run_every=ASK_SECONDS)()
        st.stop()


def stay() -> None:
    """Say that this visitor is at work: for what doesn't run the whole page."""
    if who := _who():
        visitors().ask(who, again=True)


def ask_to_listen(*, again: bool) -> int:
    """Take or keep a place among `listeners`, see `Places.ask`.

    Raises:
        ConfigError: the setting is no number above 0.
    """
    stay()
    return listeners().ask(_who(), again=again)


def stop_listening() -> None:
    """Give it back."""
    listeners().leave(_who())


def show_line(number: int, does: str) -> None:
    """Say that there is no room, and who is next.

    Args:
        number: in the line.
        does: what others do, and this visitor wants to.
    """
    place = "next" if number == 1 else f"number {number:,} in the line"
    st.info(
        f"**There is no room right now**: as many people {does} as this server has time for. You are {place}.",
        icon=":material/hourglass_empty:",
    )


def _who() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def _ask() -> int:
    number = visitors().ask(_who(), again=st.session_state.get(LET_IN, False))
    if not number:
        st.session_state[LET_IN] = True
    return number


def _wait() -> None:
    """Ask again; drawn again and again until there is room."""
    if number := _ask():
        show_line(number, "use the app")
        st.caption("The page opens by itself as soon as somebody leaves.")
    else:
        st.rerun()
