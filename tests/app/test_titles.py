"""What pages call checkpoints, and that addresses with their names still lead to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_app.titles import introduced, titles
from tests.helpers import save_opinionated

OpenPage = Callable[..., AppTest]
CALLED = {
    "lr6e-05-SiLU-Whisper-base": "Whisper-base",
    "lr0.001-SiLU-Conformer-taught-by-lr6e-05-SiLU-Whisper-base-refit0": "Conformer with a teacher",
    "lr0.001-SiLU-Conformer": "Conformer",
    "lr0.001-SiLU-Combined": "Combined CNN",
    "lr0.001-SiLU-2D": "2D CNN",
    "lr0.01-ELU-1D": "1D CNN",
}


def test_each_shipped_checkpoint_is_called_by_its_network():
    assert titles() == CALLED


def test_two_of_a_kind_are_called_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(tmp_path))
    save_opinionated(tmp_path, "one", "HAP")
    assert titles() == {"one": "1D CNN"}
    save_opinionated(tmp_path, "two", "SAD")
    assert titles() == {"one": "one", "two": "two"}


def test_what_one_is_called_is_no_name_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(tmp_path))
    save_opinionated(tmp_path, "one", "HAP")
    (tmp_path / "1D CNN").mkdir()
    (tmp_path / "1D CNN" / "config.json").write_text("{")
    assert titles() == {"one": "one", "1D CNN": "1D CNN"}


@pytest.mark.parametrize("asked", ["lr0.01-ELU-1D", "1D CNN"])
@pytest.mark.parametrize("page", ["pages/live.py", "pages/map.py"])
def test_an_address_has_a_checkpoint_by_its_name_or_by_what_it_is_called(open_page: OpenPage, page: str, asked: str):
    app = open_page(page, model=asked)
    assert app.selectbox(key="model").value == "lr0.01-ELU-1D"
    assert "1D CNN" in app.selectbox(key="model").options
    assert not app.warning


def test_an_address_has_several(open_page: OpenPage):
    app = open_page("pages/classify.py", models=["lr0.001-SiLU-Conformer", "1D CNN"])
    assert sorted(app.multiselect(key="models").value) == ["lr0.001-SiLU-Conformer", "lr0.01-ELU-1D"]
    assert not app.warning


def test_a_checkpoint_is_introduced_with_its_name_and_its_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    taught = next(name for name, called in CALLED.items() if called.endswith("teacher"))
    assert introduced(taught).startswith(f"**Conformer with a teacher** (`{taught}`): A small network")
    assert introduced(taught).endswith("It also learned from what Whisper-base hears in the training clips.")
    assert "teacher" not in introduced("lr0.001-SiLU-Conformer")
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(tmp_path))
    for name in ("one", "two"):
        save_opinionated(tmp_path, name, "HAP")
    assert introduced("one").startswith("**one**: The report's 1D CNN")
