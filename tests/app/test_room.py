"""Where the machine is full, a newcomer waits in line."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_app import room
from ser_app.room import LISTENERS, OF_A_CORE, VISITORS, Places
from ser_core.errors import ConfigError
from tests.app.helpers import Connection, labelled, texts
from tests.helpers import ROOT

OpenPage = Callable[..., AppTest]
FULL = "There is no room right now"


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Nobody is here, before and after."""
    room.visitors.clear()
    room.listeners.clear()
    yield
    room.visitors.clear()
    room.listeners.clear()


class Clock:
    """Says what it is set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def places(most: int, closed: set[str], clock: Clock) -> Places:
    return Places(lambda: most, 60.0, closed.__contains__, clock)


def test_who_comes_first_is_let_in_first():
    closed: set[str] = set()
    two = places(2, closed, Clock())
    assert [two.ask(who) for who in "abcde"] == [0, 0, 1, 2, 3]
    closed.add("a")
    assert [two.ask(who) for who in "dfc"] == [2, 4, 0]  # d isn't next, though it asks first
    two.leave("b")
    closed.add("d")  # who waited is gone, too
    assert [two.ask(who) for who in "fe"] == [2, 0]
    assert two.ask("c") == 0


def test_a_place_is_kept_while_there_are_signs_and_nobody_at_work_is_sent_away():
    clock = Clock()
    one = places(1, set(), clock)
    assert (one.ask("a"), one.ask("b")) == (0, 1)
    clock.now = 50.0
    assert (one.ask("a"), one.ask("b")) == (0, 1)
    clock.now = 111.0
    assert one.ask("b") == 0  # a gave no sign
    assert one.ask("a", again=True) == 0  # and comes back
    assert one.ask("c") == 1


def test_who_waits_and_stops_asking_is_not_waited_for():
    clock = Clock()
    one = places(1, set(), clock)
    assert [one.ask(who) for who in "abc"] == [0, 1, 2]
    clock.now = room.LINE_SECONDS + 1
    one.leave("a")
    assert one.ask("c") == 0


def test_a_newcomer_reads_it_and_is_let_in_when_somebody_leaves(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VISITORS, "2")
    for other in ("one", "another"):
        room.visitors().ask(other)
    app = open_page("pages/guess.py")
    assert FULL in texts(app)
    assert "You are next." in texts(app)
    assert not app.button
    room.visitors().leave("one")
    app.run()
    assert FULL not in texts(app)
    assert app.title[0].value == "Guess yourself"
    room.visitors().ask("one")
    room.visitors.clear()  # as if nothing was heard of it for long, and others had come
    for other in ("one", "another"):
        room.visitors().ask(other)
    app.run()
    assert app.title[0].value == "Guess yourself"


def test_without_a_setting_there_is_room_for_all(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VISITORS, raising=False)
    for other in range(1000):
        room.visitors().ask(str(other))
    assert FULL not in texts(open_page("pages/guess.py"))


def test_a_setting_that_is_no_number_is_said(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VISITORS, "many")
    assert f"The environment variable {VISITORS} is a number above 0" in open_page("pages/guess.py").error[0].value
    with pytest.raises(ConfigError):
        room.visitors().ask("somebody")


@pytest.mark.usefixtures("two_checkpoints")
def test_who_wants_to_listen_waits_for_somebody_to_stop(
    open_page: OpenPage, connection: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv(LISTENERS, "1")
    room.listeners().ask("other")
    app = open_page("pages/live.py")
    labelled(app.button, "Start listening").click().run()
    assert FULL in texts(app)
    assert connection.wanted == [False, False]  # the microphone stays off
    room.listeners().leave("other")
    app.run()
    app.run()
    assert FULL not in texts(app)
    assert connection.playing
    assert room.listeners().ask("other") == 1
    labelled(app.button, "Stop listening").click().run()
    assert room.listeners().ask("other") == 0


def test_what_is_served_to_others_has_a_bound_by_the_processor(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VISITORS, "7")
    monkeypatch.setenv(LISTENERS, "")
    monkeypatch.setattr(room, "cores", lambda: 3)
    room.for_others()
    assert (room.os.environ[VISITORS], room.os.environ[LISTENERS]) == ("7", str(3 * OF_A_CORE[LISTENERS]))
    assert "for_others()" in (ROOT / "serve.py").read_text("utf-8")
