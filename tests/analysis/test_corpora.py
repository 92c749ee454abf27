"""Models beside corpora: each record in its cell, and clips that differ in columns of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ser_core.analysis.corpora import corpus_matrices, evaluation_rows
from ser_core.analysis.figures import figure_rows
from ser_core.records.evaluations import Evaluation
from ser_core.words import percent
from tests.made_records import evaluated


def columns(evaluations: list[Evaluation]) -> list[list[str]]:
    return [list(figure.data[0].x) for figure in corpus_matrices(evaluations)]


def test_each_record_has_its_cell_and_what_is_missing_is_blank(tmp_path: Path):
    weak = evaluated(tmp_path, "lr0.01-ELU-1D", right=0.3)
    good = evaluated(tmp_path, "lr6e-05-SiLU-Whisper-base", right=0.6)
    own = evaluated(tmp_path, "lr0.01-ELU-1D", "CREMA-D", right=0.5, heard="same speakers", clips=60)
    (figure,) = corpus_matrices([weak, good, own])
    heatmap = figure.data[0]
    assert list(heatmap.x) == ["CREMA-D<br>60 clips", "RAVDESS<br>120 clips"]
    assert list(heatmap.y) == ["lr6e-05-SiLU-<br>Whisper-base", "lr0.01-ELU-1D"]
    assert [list(row) for row in heatmap.z] == [[None, good.uar], [own.uar, weak.uar]]
    assert heatmap.text[1][0].startswith(f"<b>{percent(own.uar)}</b>")
    assert heatmap.text[1][0].endswith("same<br>speakers")
    assert heatmap.text[1][1].endswith("new<br>corpus")
    assert "12 speakers, all clips" in heatmap.customdata[1][1]
    assert len(figure_rows(figure)) == 4


def test_who_was_tried_on_an_easy_corpus_alone_is_not_first_for_that(tmp_path: Path):
    found = [evaluated(tmp_path, "a", "Easy", right=0.9), evaluated(tmp_path, "a", "Hard", right=0.4)]
    found.append(evaluated(tmp_path, "b", "Easy", right=0.8))
    (figure,) = corpus_matrices(found)
    assert list(figure.data[0].y) == ["a", "b"]


def test_models_stand_by_the_corpus_that_most_were_tried_on(tmp_path: Path):
    rights = {"a": 0.4, "b": 0.5, "c": 0.3}
    found = [evaluated(tmp_path, name, "Hard", right=right) for name, right in rights.items()]
    found.append(evaluated(tmp_path, "a", "Easy", right=0.9))
    found.append(evaluated(tmp_path, "d", "Easy", right=0.99))
    (figure,) = corpus_matrices(found)
    assert list(figure.data[0].y) == ["b", "a", "c", "d"]


def test_other_clips_of_a_corpus_are_another_column(tmp_path: Path):
    part, whole = evaluated(tmp_path, "a", clips=60), evaluated(tmp_path, "b", clips=120)
    assert columns([part, whole]) == [["RAVDESS<br>60 clips", "RAVDESS<br>120 clips"]]
    other = evaluated(tmp_path / "other", "b", clips=120)
    object.__setattr__(other.corpus, "checksum", "f" * 12)
    assert len(set(*columns([whole, other]))) == 2


def test_no_figure_is_too_wide_for_a_phone_and_all_have_the_same_rows(tmp_path: Path):
    many = [evaluated(tmp_path, "a", f"Corpus {i}") for i in range(4)]
    many.append(evaluated(tmp_path, "b", "Corpus 0", right=0.9))
    assert [len(names) for names in columns(many)] == [2, 2]
    assert [list(figure.data[0].y) for figure in corpus_matrices(many)] == [["b", "a"]] * 2


def test_titles_are_broken_into_lines_and_models_are_called_as_on_other_pages(tmp_path: Path):
    long = "CREMA-D, validation clips, 15 dB of noise"
    found = [evaluated(tmp_path, name, long) for name in ("lr6e-05-SiLU-Whisper-base", "lr0.01-ELU-1D")]
    (figure,) = corpus_matrices(found, {"lr6e-05-SiLU-Whisper-base": "Conformer with a teacher"})
    assert list(figure.data[0].x) == ["CREMA-D,<br>validation<br>clips, 15 dB<br>of noise<br>120 clips"]
    assert sorted(figure.data[0].y) == ["Conformer with<br>a teacher", "lr0.01-ELU-1D"]


def test_a_table_says_the_rest(tmp_path: Path):
    known, unknown = evaluated(tmp_path, "a"), evaluated(tmp_path, "b", "Mine", speakers=None)
    rows = evaluation_rows([known, unknown])
    assert [row["corpus"] for row in rows] == ["Mine", "RAVDESS"]
    assert [row["over"] for row in rows] == ["clips", "speakers and clips"]
    assert rows[0]["speakers"] is rows[0]["UAR, female"] is None
    assert np.isclose(rows[1]["UAR"], 100 * known.uar)
    assert rows[1]["left out"] == 3
