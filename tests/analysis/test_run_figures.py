import json
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from ser_core.analysis.calibration import Reliability
from ser_core.analysis.confusion import recalls
from ser_core.analysis.figures import figure_rows
from ser_core.analysis.group_figures import groups_figure, uncertainty_figure
from ser_core.analysis.groups import accuracy_by
from ser_core.analysis.raters import uncertainty, uncertainty_bins
from ser_core.analysis.run_figures import (
    accuracy_heatmap,
    confusion_figure,
    curves_figure,
    emotion_bars,
    reliability_figure,
    risk_coverage_figure,
)
from ser_core.emotions import EMOTIONS
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run, load_run
from tests.made_records import TARGETS, answering, record

CONFUSION = np.diag([5] * 6) + 1
RIGHT = answering(TARGETS)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    record(tmp_path, "lr0.01-ELU-1D", 100)
    return load_run(tmp_path / "lr0.01-ELU-1D")


def test_each_cell_has_a_marker_that_names_its_run(run: Run):
    heatmap, markers = accuracy_heatmap([run]).data
    assert heatmap.z[2][1] == pytest.approx(0.75)
    assert heatmap.text[2][1] == "<b>75.0\u00a0%</b><br>150 ep."
    assert heatmap.text[0][0] == "no run"
    assert (list(markers.x), list(markers.y)) == (["0.01"], ["ELU"])
    assert markers.customdata[0][0] == run.name


def test_confusions_are_shares_or_counts():
    shares, counts = confusion_figure(CONFUSION), confusion_figure(CONFUSION, normalised=False)
    assert np.sum(shares.data[0].z, axis=1) == pytest.approx(np.ones(6))
    np.testing.assert_array_equal(counts.data[0].z, CONFUSION)


def test_each_cell_with_clips_has_a_marker_that_says_which():
    confusion = np.diag([5] * 6)
    confusion[2, 5] = 3
    markers = confusion_figure(confusion).data[1]
    assert len(markers.x) == 7
    (position,) = [i for i, said in enumerate(markers.customdata) if said[0] == "fear predicted as sadness"]
    assert (markers.x[position], markers.y[position]) == ("sadness", "fear")
    assert tuple(markers.customdata[position][1:]) == (3, 3 / 8)
    assert confusion_figure(confusion, who="heard").data[1].customdata[0][0] == "anger heard as anger"


@pytest.mark.parametrize("grouping", ["Intended emotion", "Actor"])
def test_each_group_has_a_mark_that_names_it(grouping: str):
    groups = accuracy_by(wrong_sometimes(), grouping)
    (marks,) = groups_figure(groups, 0.5, {groups[0].group: True}).data
    known = dict(zip([said[0] for said in marks.customdata], marks.marker.symbol, strict=True))
    assert set(known) == {group.group for group in groups}
    assert [group for group, symbol in known.items() if symbol == "circle"] == [groups[0].group]
    if grouping == "Actor":
        assert list(marks.y) == sorted(marks.y)


def wrong_sometimes() -> Predictions:
    return answering((TARGETS + (np.arange(len(TARGETS)) % 7 == 0)) % 6)


def test_an_emotion_without_clips_has_no_recall():
    confusion = CONFUSION.copy()
    confusion[2] = 0
    assert recalls(confusion) == pytest.approx({e: 6 / 11 for e in EMOTIONS if e != "FEA"})
    figure = confusion_figure(confusion)
    assert list(figure.data[0].z[2]) == [None] * 6
    assert [row["value"] for row in figure_rows(figure)][12:18] == [None] * 6
    bars = emotion_bars({"a": recalls(confusion)}, "recall").data[0]
    assert [height is None for height in bars.y] == [e == "FEA" for e in EMOTIONS]


def test_curves_are_of_training_and_validation(run: Run):
    figure = curves_figure({"a": run.history, "b": run.history}, "loss")
    assert [line.name for line in figure.data] == ["a, training", "a, validation", "b, training", "b, validation"]
    assert [line.showlegend for line in figure.data] == [False, True, False, True]
    assert all(line.showlegend for line in curves_figure({"a": run.history}, "loss").data)
    assert list(figure.data[0].y) == [1.5, 1.5, 1.5]
    assert list(figure.data[1].x) == [1, 2, 3]


def test_the_data_of_figures_are_rows(run: Run):
    assert len(rows := figure_rows(accuracy_heatmap([run]))) == 9
    assert {"series": "", "x": "0.01", "y": "ELU", "value": pytest.approx(0.75)} in rows
    assert figure_rows(confusion_figure(CONFUSION, normalised=False))[1] == {
        "series": "",
        "x": "disgust",
        "y": "anger",
        "value": 1,
    }
    groups = accuracy_by(RIGHT, "Actor's sex")
    row = figure_rows(groups_figure(groups, 0.5))[0]
    assert (row["x"], row["low"], row["high"]) == pytest.approx((1, groups[0].low, groups[0].high))
    curves = figure_rows(curves_figure({"a": run.history}, "loss"))
    assert [row["series"] for row in curves] == 3 * ["a, training"] + 3 * ["a, validation"]


def test_all_survive_json(run: Run):
    figures = [
        accuracy_heatmap([]),
        accuracy_heatmap([run]),
        confusion_figure(CONFUSION),
        curves_figure({run.name: run.history}, "accuracy"),
        emotion_bars({"a": dict.fromkeys(EMOTIONS, 0.5)}, "F1"),
        groups_figure(accuracy_by(RIGHT, "Actor's age"), 0.5),
        uncertainty_figure(uncertainty_bins(uncertainty(RIGHT))),
    ]
    for figure in figures:
        assert go.Figure(json.loads(figure.to_json())) == figure


def test_marks_at_the_edges_of_a_figure_of_shares_are_whole():
    known = Reliability(np.array([0.2, 1.0]), np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    curve = (np.linspace(0.01, 1, 100), np.ones(100))
    for figure in (
        reliability_figure({"run": known}),
        risk_coverage_figure({"run": curve}, {"run": (1.0, 1.0)}),
    ):
        marked = [trace for trace in figure.data if "markers" in trace.mode]
        assert marked
        assert all(trace.cliponaxis is False for trace in marked)
