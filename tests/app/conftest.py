from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ser_app import microphone
from ser_core.listener import Listener
from tests.helpers import ROOT

RUN_SECONDS = 60


class Connection:
    """Stands for the browser's on the Live page, which AppTest can't run: started and stopped by the test."""

    def __init__(self) -> None:
        self.playing, self.wanted = False, []

    def __call__(self, listener: Listener, *, playing: bool | None = None) -> SimpleNamespace:
        self.wanted.append(playing)
        if playing is not None:
            self.playing = playing
        return SimpleNamespace(state=SimpleNamespace(playing=self.playing))


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    connection = Connection()
    monkeypatch.setattr(microphone, "connect", connection)
    return connection


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connection: Connection) -> Callable[..., AppTest]:
    """Open a page of the app; the corpus is empty unless a folder is given."""
    st.cache_data.clear()

    def open_it(page: str, *, corpus: Path | None = None, **query: str) -> AppTest:
        monkeypatch.setenv("CREMAD_DIR", str(corpus or tmp_path / "no-corpus"))
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=RUN_SECONDS)
        for key, value in query.items():
            app.query_params[key] = value
        if page != "streamlit_app.py":
            app.switch_page(page)
        app.run()
        assert not app.exception, app.exception
        return app

    return open_it


def texts(app: AppTest) -> str:
    """All that a page says, in one string."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "text")
    return "\n".join(element.value for kind in kinds for element in getattr(app, kind))
