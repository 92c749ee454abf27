"""What a visitor brings is bounded while it arrives, and let go when the visitor leaves.

Streamlit 1.67 keeps whatever comes. It also keeps, for good, what a closed tab uploaded and what its session remembers:
a session that nobody comes back to is dropped, but never shut down, and the loop over sessions holds on to the last.
Here it is emptied and shut down shortly before it would be dropped (`server.disconnectedSessionTTL`), and the freed
memory goes back to the system.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st
from streamlit import runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ser_app.uploads import REFUSED, max_bytes
from ser_core.errors import ConfigError
from ser_core.memory import ShortRounds, collect_everything, give_back

if TYPE_CHECKING:
    from streamlit.runtime.app_session import AppSession

STOPPING_SECONDS = 0.5  # from one look at whether a page still runs to the next
BEFORE_IT_IS_DROPPED = 0.9  # of the time for which Streamlit keeps a session that may come back


def look_after() -> None:
    """Bound what this session uploads, and have its memory freed when its tab is closed; called by every page."""
    context = get_script_run_ctx()
    if runtime.exists() and context:
        _bound()
        _followed(context.session_id)


@st.cache_resource(show_spinner=False)
def _bound() -> None:
    """Once a server."""
    files = runtime.get_instance().uploaded_file_mgr
    if isinstance(files, MemoryUploadedFileManager):
        bound(files)
    keep_while_drawn(runtime.get_instance().media_file_mgr)
    gc.callbacks.append(ShortRounds())


def bound(files: MemoryUploadedFileManager) -> None:
    """Have it keep no more of a visitor's files than `ser_app.uploads.max_bytes`: what comes then is `REFUSED`."""
    add = files.add_file

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        held = sum(len(other.data) for other in list(files.file_storage.get(session_id, {}).values()))
        try:
            fits = held + len(file.data) <= max_bytes()
        except ConfigError:  # the page says it
            fits = False
        add(session_id, file if fits else file._replace(data=REFUSED))

    files.add_file = add_file  # type: ignore[method-assign]


def keep_while_drawn(media: MediaFileManager) -> None:
    """Have it keep the sounds and downloads of a page until the next run of the page is over.

    Streamlit 1.67 forgets at the beginning of a run whose they are, and whichever run of any visitor ends next removes
    them: among many visitors, who plays or loads a sound at that moment is told that there is none.
    """
    clear, remove, pages = media.clear_session_refs, media.remove_orphaned_files, media._files_by_session_and_coord

    def before(session_id: str) -> str:
        return f"before {session_id}"

    def clear_session_refs(session_id: str | None = None) -> None:
        context = get_script_run_ctx(suppress_warning=True)
        with media._lock:
            if session_id is not None:  # it ends
                pages.pop(before(session_id), None)
            elif context and context.session_id in pages:
                pages[before(context.session_id)] = pages[context.session_id]
        clear(session_id)

    def remove_orphaned_files() -> None:
        if context := get_script_run_ctx(suppress_warning=True):
            with media._lock:
                pages.pop(before(context.session_id), None)
        remove()

    media.clear_session_refs = clear_session_refs  # type: ignore[method-assign]
    media.remove_orphaned_files = remove_orphaned_files  # type: ignore[method-assign]


class Visitor(NamedTuple):
    """One session, by its id and by a reference that doesn't keep it."""

    id: str
    session: Callable[[], AppSession | None]


def _left(visitor: Visitor) -> None:
    """Called by the server's event loop when a tab is closed, or its connection breaks."""
    _wait(visitor, gone=True)


@st.cache_resource(scope="session", on_release=_left, show_spinner=False)
def _followed(session_id: str) -> Visitor:
    session = runtime.get_instance().get_app_session(session_id)
    return Visitor(session_id, weakref.ref(session) if session else lambda: None)


def _wait(visitor: Visitor, *, gone: bool) -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # the server ends
        return
    loop.call_later(BEFORE_IT_IS_DROPPED * st.get_option("server.disconnectedSessionTTL"), _forget, visitor, gone)


def _forget(visitor: Visitor, gone: bool) -> None:
    """Shut a session down that is gone, and was when it was looked at before."""
    server = runtime.get_instance()
    active = server.is_active_session(visitor.id)
    if active or not gone:
        # It came back, and is looked at from here on: without a new run of its page, nobody says when it leaves again.
        _wait(visitor, gone=not active)
        return
    server.close_session(visitor.id)
    # A server that was busy comes too late: it has dropped the session, and knows it no more. Threads that hear a
    # microphone wait for the shutdown, and would keep the session for good.
    if session := visitor.session():
        session.shutdown()
    del session
    _empty(visitor)


def _empty(visitor: Visitor) -> None:
    """Let go of what a session holds, as soon as no run of its page, which would bring it back, is under way."""
    session = visitor.session()
    if session and session._scriptrunner:  # it ends with its next step
        asyncio.get_running_loop().call_later(STOPPING_SECONDS, _empty, visitor)
        return
    server = runtime.get_instance()
    server.uploaded_file_mgr.remove_session_files(visitor.id)
    server.media_file_mgr.remove_orphaned_files()  # what could be downloaded goes the second time
    if session:
        session.session_state.clear()
        session.session_state._new_widget_state.widget_metadata.clear()  # functions of its pages, with all they hold
        session._fragment_storage.clear()  # what its pages hand to their fragments
    sys.modules["__main__"] = ModuleType("__main__")  # the page that ran last, with all that it holds
    del session
    collect_everything()
    give_back()
