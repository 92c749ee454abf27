import csv
from pathlib import Path

import numpy as np
import pytest

from ser_core.analysis.raters import agreement, entropy, rater_confusion, uncertainty, uncertainty_bins
from ser_core.corpus.clips import by_name, load_index
from ser_core.emotions import EMOTIONS
from ser_core.records.predictions import Predictions
from tests.made_records import NAMES, TARGETS, answering

CLIPS = by_name(NAMES)


def test_ratings_are_counted_by_what_was_meant():
    confusion = rater_confusion(CLIPS)
    assert confusion.sum() == sum(clip.voice.total for clip in CLIPS)
    angry = [clip for clip in CLIPS if clip.emotion == "ANG"]
    assert confusion[0, EMOTIONS.index("NEU")] == sum(clip.voice.counts[4] for clip in angry)


def test_a_model_that_says_what_the_crowd_says_agrees_with_it():
    crowd = np.array([EMOTIONS.index(clip.voice.majority[0]) for clip in CLIPS])
    found = agreement(answering(crowd))
    assert found.model_crowd.accuracy == 1
    decided = [clip for clip in CLIPS if len(clip.voice.majority) == 1]
    assert found.model_crowd.clips == found.crowd_label.clips == len(decided) < len(CLIPS)
    assert found.crowd_label.accuracy == np.mean([clip.voice.majority[0] == clip.emotion for clip in decided])
    assert found.model_rater == sum(max(c.voice.counts) for c in CLIPS) / sum(c.voice.total for c in CLIPS)


def test_a_model_that_says_what_was_meant_agrees_with_people_as_much_as_the_label_does():
    found = agreement(answering(TARGETS))
    assert found.model_label.accuracy == 1
    assert found.model_crowd.accuracy == found.crowd_label.accuracy
    assert found.model_rater == pytest.approx(found.rater_label)


def test_entropy_is_in_bits():
    shares = np.array([[1, 0, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0, 0], [1 / 6] * 6])
    assert entropy(shares).tolist() == pytest.approx([0, 1, np.log2(6)])


def test_a_model_that_answers_like_the_crowd_is_unsure_where_it_is():
    shares = np.array([clip.voice.shares for clip in CLIPS], dtype=np.float32)
    found = uncertainty(Predictions(NAMES, TARGETS, shares))
    assert found.correlation == pytest.approx(1, abs=0.001)
    assert found.p_value < 0.001
    bins = uncertainty_bins(found)
    assert sum(b.clips for b in bins) == len(CLIPS)
    assert all(b.start - 0.01 <= b.mean <= b.end + 0.01 and b.low <= b.mean <= b.high for b in bins)


def test_a_model_that_is_always_sure_has_no_correlation():
    assert np.isnan(uncertainty(answering(TARGETS)).correlation)


def test_people_recognise_two_in_five_by_voice(shared: Path):
    """Counted in the official table, whose voice-only rows begin with 1: 40.0 %."""
    with (shared / "tabulatedVotes.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row[""].startswith("1")]
    right = sum(int(row[row["fileName"].split("_")[2][0]]) for row in rows)
    ratings = sum(int(row[letter]) for row in rows for letter in "ADFHNS")
    confusion = rater_confusion(list(load_index().values()))
    assert (np.trace(confusion), confusion.sum()) == (right, ratings) == (27_429, 68_568)
    assert round(right / ratings, 3) == 0.400
