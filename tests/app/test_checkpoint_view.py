"""Runs → Checkpoints."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ser_app.checkpoint_view import LATENCIES, benchmarked
from ser_core.places import CHECKPOINTS_VARIABLE
from ser_core.words import code
from tests.app.helpers import labelled, texts

OpenPage = Callable[..., AppTest]


def test_checkpoints_are_listed_with_size_and_measured_when_asked(
    open_page: OpenPage, checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("1d-fixed", "2d-fixed"):
        (tmp_path / name).symlink_to(checkpoints / name)
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(tmp_path))
    app = open_page("pages/runs.py", view="Checkpoints")
    table = app.dataframe[0].value.set_index("checkpoint")
    assert list(table.index) == ["2d-fixed", "1d-fixed"]  # the default first
    size = (checkpoints / "2d-fixed" / "model.safetensors").stat().st_size
    assert table.loc["2d-fixed", "megabytes"] == pytest.approx(size / 1e6)
    assert table["milliseconds"].isna().all()
    labelled(app.button, "Measure their speed on this server").click().run()
    assert not app.exception
    measured = app.dataframe[0].value.set_index("checkpoint")
    assert (measured["milliseconds"] > 0).all()


def test_the_figure_draws_what_has_an_accuracy(open_page: OpenPage, two_checkpoints: Path):
    app = open_page("pages/runs.py", view="Checkpoints")
    assert list(app.dataframe[0].value["network"]) == ["1D CNN", "1D CNN"]
    figures = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")]
    assert figures[-1][0].get("x", []) == []  # nothing was tested
    assert "the first is the default" in texts(app).lower()


def test_the_table_has_recorded_speed_and_accuracies_and_the_card_is_shown(open_page: OpenPage, monkeypatch):
    monkeypatch.delenv(CHECKPOINTS_VARIABLE, raising=False)
    app = open_page("pages/runs.py", view="Checkpoints", card="lr0.001-SiLU-2D")
    table = app.dataframe[0].value.set_index("checkpoint")
    recorded = benchmarked(LATENCIES.read_text())
    assert recorded
    assert {name: table.loc[name, "milliseconds"] for name in recorded} == recorded
    drawn = json.loads(app.get("plotly_chart")[-1].proto.spec)["data"][0]
    assert [mark[2] for mark in drawn["customdata"]] == list(table.index)
    assert f"as {code('python -m benchmarks latency')} measured it" in texts(app)
    assert (table["UAR"] > 50).all()
    assert [column for column in table if str(column).startswith("accuracy, ")]
    assert not app.exception
    assert "must not be used to judge people" in texts(app)
    saved = [button.proto.label for button in app.get("download_button")]
    assert "Save the card" in saved


def test_a_checkpoint_without_a_card_says_so(open_page: OpenPage, two_checkpoints: Path):
    (two_checkpoints / "glad" / "README.md").unlink(missing_ok=True)
    assert "no card that can be read" in texts(open_page("pages/runs.py", view="Checkpoints", card="glad"))


def test_a_card_is_of_a_checkpoint_and_of_nothing_else(open_page: OpenPage, two_checkpoints: Path, tmp_path: Path):
    (tmp_path / "README.md").write_text("somebody's own")
    outside = os.path.relpath(tmp_path, two_checkpoints)
    shown = texts(open_page("pages/runs.py", view="Checkpoints", card=outside))
    assert "there is no checkpoint of that name" in shown
    assert "somebody's own" not in shown


@pytest.mark.parametrize("metrics", [None, [], {"accuracy": "much"}, {"accuracy": None}])
def test_a_checkpoint_that_says_nothing_of_its_accuracy_is_listed(
    open_page: OpenPage, two_checkpoints: Path, metrics: object
):
    path = two_checkpoints / "glad" / "config.json"
    values = json.loads(path.read_text())
    values["provenance"]["test"] |= {"metrics": metrics, "parameters": "many"}
    path.write_text(json.dumps(values))
    row = open_page("pages/runs.py", view="Checkpoints").dataframe[0].value.set_index("checkpoint").loc["glad"]
    assert pd.isna(row["accuracy"])
    assert pd.isna(row["parameters"])
