"""What charts and players have for those who can't see them, and their data."""

import ast
import csv
import io
import math

import numpy as np
import pytest

from ser_app.charts import spoken
from ser_core.analysis.figures import figure_rows, log_mel_figure, mel_image_figure, probability_figure
from ser_core.emotions import EMOTIONS
from ser_core.serving.rows import to_csv
from tests.browser.app_server import ROOT

SCRIPTS = sorted([ROOT / "streamlit_app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "ser_app").glob("*.py")])


@pytest.mark.parametrize("drawn", ["plotly_chart", "audio"])
def test_every_chart_and_player_says_what_it_is(drawn: str):
    calls = [
        (path.name, call.lineno, {keyword.arg for keyword in call.keywords})
        for path in SCRIPTS
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == drawn
        if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "listener")
    ]
    assert calls
    assert [(name, line) for name, line, given in calls if "alt" not in given] == []


def test_a_name_that_a_spreadsheet_would_calculate_stays_a_name():
    formulas = ["=1+2.wav", "@sum.wav", "+cmd.wav", "-rf.wav", "\t=1", "\r=1", "\n=1", "＝1+2", "- a", "-inf", "-1_0"]
    formulas += ["-2+3+cmd|'/C calc'!A0", "+.cmd", "+ 1+cmd", "-2.wav", "+5.9 to +14.7", "-1e5e", "-0.5\n=1"]
    names = [*formulas, "-0.5", "+.5", "-3.", "+1e-05", "-7E+3", "a=b.wav", "5-2", " =1", "a\r=1"]
    rows = list(csv.DictReader(io.StringIO(to_csv([{"file": name} for name in names], ["file"]), newline="")))
    expected = [f"'{name}" for name in formulas] + names[len(formulas) :]
    assert [row["file"] for row in rows] == expected


def test_shares_in_words_are_the_greatest_and_leave_out_what_is_unknown():
    shares = dict(zip(EMOTIONS, (0.1, 0.2, 0.4, 0.05, math.nan, 0.25), strict=True))
    assert (
        spoken({"a": shares, "b": {"SAD": 1.0}})
        == "a: fear 40\u00a0%, sadness 25\u00a0%, disgust 20\u00a0%; b: sadness 100\u00a0%"
    )


@pytest.mark.parametrize(
    ("figure", "rows"),
    [
        (log_mel_figure(np.zeros((64, 20))), 64 * 20),
        (mel_image_figure(np.zeros((64, 64))), 64 * 64),
        (probability_figure({"a": dict.fromkeys(EMOTIONS, 1 / 6)}), 6),
    ],
)
def test_the_data_of_a_figure_are_a_table(figure, rows: int):
    table = figure_rows(figure)
    assert len(table) == rows
    assert len(list(csv.DictReader(to_csv(table, list(table[0])).splitlines()))) == rows
