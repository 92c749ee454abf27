"""What a visitor brings is bounded, and let go when the visitor leaves."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.state import SessionState
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ser_app import visitors
from ser_app.headers import WithHeaders
from ser_app.uploads import MEGABYTES, REFUSED, release, uploads_of
from ser_core.errors import AudioError, ConfigError


def test_no_more_is_kept_of_a_visitor_than_the_setting_says(monkeypatch: pytest.MonkeyPatch):
    """Whatever the browser sends: what is too much never lies in memory beside the rest."""
    monkeypatch.setenv(MEGABYTES, "0.002")
    files = MemoryUploadedFileManager("/upload")
    visitors.bound(files)
    for visitor in ("one", "another"):
        for name in ("a", "b", "c"):
            files.add_file(visitor, UploadedFileRec(name, f"{name}.wav", "audio/wav", 900 * name.encode()))
        kept = files.get_files(visitor, ["a", "b", "c"])
        assert [len(file.data) for file in kept] == [900, 900, len(REFUSED)]
    files.remove_file("one", "a")
    files.add_file("one", UploadedFileRec("c", "c.wav", "audio/wav", 900 * b"c"))
    assert files.get_files("one", ["c"])[0].data == 900 * b"c"


def test_a_sound_stays_until_the_page_is_drawn_anew_whoever_else_is_served(monkeypatch: pytest.MonkeyPatch):
    media = MediaFileManager(MemoryMediaFileStorage("/media"))
    visitors.keep_while_drawn(media)
    who = SimpleNamespace(session_id="me")
    monkeypatch.setattr(visitors, "get_script_run_ctx", lambda **_: who)
    monkeypatch.setattr("streamlit.runtime.media_file_manager._get_session_id", lambda: who.session_id)
    media.add(b"sound", "audio/wav", "1")
    media.clear_session_refs()  # my page begins to be drawn anew
    who.session_id = "other"
    media.clear_session_refs()
    media.remove_orphaned_files()  # and another's is ready
    assert len(media._file_metadata) == 1
    who.session_id = "me"
    media.add(b"another sound", "audio/wav", "1")
    media.remove_orphaned_files()
    assert len(media._file_metadata) == 1
    media.clear_session_refs()
    media.clear_session_refs("me")  # the session ends while the page is drawn
    who.session_id = "other"
    media.remove_orphaned_files()
    assert not media._file_metadata
    assert not media._files_by_session_and_coord


def brought(name: str, data: bytes) -> Any:
    return SimpleNamespace(name=name, size=len(data), getvalue=lambda: data)


def test_what_is_too_much_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(MEGABYTES, "0.002")
    says = {"2 more files": "At most 0.002 MB are kept of what you bring. Take some away, or bring fewer at once."}
    files = [brought("a.wav", 900 * b"a"), brought("b.wav", REFUSED), brought("c.wav", 2000 * b"c")]
    uploads, problems = uploads_of(files)
    assert ([upload.name for upload in uploads], problems) == (["a.wav"], says)
    monkeypatch.setenv(MEGABYTES, "much")
    with pytest.raises(ConfigError, match=MEGABYTES):
        uploads_of(files)


def test_a_tab_that_is_closed_while_a_file_arrives_is_no_error_of_the_server():
    async def upload(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).form()

    async def closed() -> Message:
        return {"type": "http.disconnect"}

    async def answered(message: Message) -> None:
        raise AssertionError(message)

    kind = (b"content-type", b"multipart/form-data; boundary=next")
    app = WithHeaders(upload)
    with ThreadPoolExecutor(1) as thread:  # where no other test's loop runs
        thread.submit(lambda: asyncio.run(app({"type": "http", "headers": [kind]}, closed, answered))).result()


class Server:
    """Stands for Streamlit's, with one session."""

    def __init__(self, *active: bool):
        self.active = list(active)
        self.closed: list[str] = []
        self.removed: list[str] = []
        self.uploaded_file_mgr = SimpleNamespace(remove_session_files=self.removed.append)
        self.media_file_mgr = SimpleNamespace(remove_orphaned_files=lambda: self.removed.append("downloads"))

    def is_active_session(self, _: str) -> bool:
        return self.active.pop(0) if len(self.active) > 1 else self.active[0]

    def close_session(self, session: str) -> None:
        self.closed.append(session)


@pytest.mark.parametrize(
    ("active", "looks"), [((False,), 1), ((True, False), 3), ((True, True, False), 4), ((True, False, True, False), 5)]
)
def test_a_session_that_is_left_is_shut_down_with_its_files(active: tuple, looks: int, monkeypatch: pytest.MonkeyPatch):
    """A connection that broke may come back, and break again, without a run of the page: it is looked at again."""
    server = Server(*active)
    monkeypatch.setattr(visitors.runtime, "get_instance", lambda: server)
    monkeypatch.setattr(visitors.st, "get_option", {"server.disconnectedSessionTTL": 0.01}.get)
    n, forget = [0], visitors._forget

    def counted(visitor: visitors.Visitor, gone: bool) -> None:
        n[0] += 1
        forget(visitor, gone)

    monkeypatch.setattr(visitors, "_forget", counted)
    state, fragments = SessionState(), MemoryFragmentStorage()
    state._new_session_state["brought"] = "sound"
    state._new_widget_state.widget_metadata["id"] = SimpleNamespace(format=lambda _: "sound")  # type: ignore[assignment]
    fragments._fragments["id"] = lambda: "sound"
    shut = []
    session: Any = SimpleNamespace(session_state=state, _fragment_storage=fragments, _scriptrunner="runs")
    session.shutdown = lambda: shut.append("me")  # the server may know it no more
    monkeypatch.setattr(visitors, "STOPPING_SECONDS", 0.01)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    async def leave() -> None:
        visitors._left(visitors.Visitor("me", lambda: session))
        while not server.closed:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        state._new_session_state["answer"] = "of what was brought"  # the page was at work when it was closed
        session._scriptrunner = None
        while not server.removed:
            await asyncio.sleep(0.01)

    with ThreadPoolExecutor(1) as thread:  # where no other test's loop runs
        thread.submit(lambda: asyncio.run(asyncio.wait_for(leave(), 10))).result()
    assert (server.closed, server.removed, n) == (["me"], ["me", "downloads"], [looks])
    assert shut == ["me"]
    assert not state._new_session_state
    assert not state._new_widget_state.widget_metadata
    assert not fragments._fragments


def test_a_server_that_ends_has_nothing_to_wait_for():
    visitors._left(visitors.Visitor("me", lambda: None))


def test_what_was_brought_is_not_held_twice(monkeypatch: pytest.MonkeyPatch):
    """Streamlit gives a page a copy of each file; what the page remembers is where the file itself lies."""
    files = MemoryUploadedFileManager("/upload")
    files.add_file("me", UploadedFileRec("1", "a.wav", "audio/wav", b"sound"))
    monkeypatch.setattr("ser_app.uploads._files", lambda: files)
    monkeypatch.setattr("ser_app.uploads.get_script_run_ctx", lambda: SimpleNamespace(session_id="me"))
    copy = SimpleNamespace(name="a.wav", size=5, file_id="1", getvalue=lambda: bytes(bytearray(b"sound")))
    uploads, _ = uploads_of([copy])  # type: ignore[list-item]
    assert uploads[0].data() is files.get_files("me", ["1"])[0].data
    release(["1", "2"])
    assert not files.get_files("me", ["1"])
    with pytest.raises(AudioError, match="is not on the server any more"):
        uploads[0].load()
