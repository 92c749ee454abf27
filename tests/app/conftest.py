import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from ser_app import charts, microphone
from ser_app.classifying import remembered
from ser_core.corpus.folder import Corpus
from ser_core.places import CHECKPOINTS_VARIABLE
from tests.app.helpers import CLIP, Connection
from tests.helpers import ROOT, save_opinionated

RUN_SECONDS = 60


@pytest.fixture(autouse=True, scope="session")
def packages_are_searched_once() -> Iterator[None]:
    """Streamlit reads what all installed packages say of themselves for each page: half of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(autouse=True)
def main_stays_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit leaves the page that ran last as `__main__`, which processes that later tests start would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def all_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are drawn wherever they stand: no test without a browser can scroll."""
    monkeypatch.setattr(charts, "is_near", lambda key, height: True)


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    connection = Connection()
    monkeypatch.setattr(microphone, "connect", connection)
    return connection


@pytest.fixture
def two_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's only checkpoints: `glad`, which always hears happiness, and is the better one, and `sad`."""
    root = tmp_path / "checkpoints"
    save_opinionated(root, "glad", "HAP", val_accuracy=0.6)
    save_opinionated(root, "sad", "SAD", val_accuracy=0.5)
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(root))
    return root


@pytest.fixture
def one_clip(corpus: Corpus, tmp_path: Path) -> Path:
    """A corpus folder with one clip, `CLIP`."""
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / f"{CLIP}.wav").write_bytes(corpus.path(CLIP).read_bytes())
    return folder


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connection: Connection) -> Callable[..., AppTest]:
    """Open a page of the app; the corpus is empty unless a folder is given."""
    st.cache_data.clear()
    remembered.clear()

    def open_it(page: str, *, corpus: Path | None = None, **query: str | list[str]) -> AppTest:
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
