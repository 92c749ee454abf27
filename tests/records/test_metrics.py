from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from sklearn import metrics

from ser_core.emotions import EMOTIONS
from ser_core.records.metrics import SUMMARY, bootstrap_intervals, evaluate, summary_of


@pytest.fixture(scope="module")
def labels() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 6, 500)
    return targets, np.where(rng.random(500) < 0.6, targets, rng.integers(0, 6, 500))


def test_figures_are_scikit_learns(labels):
    targets, predictions = labels
    result = evaluate(targets.tolist(), predictions.tolist())
    expected = {
        "accuracy": metrics.accuracy_score(targets, predictions),
        "f1_weighted": metrics.f1_score(targets, predictions, average="weighted"),
        "precision_weighted": metrics.precision_score(targets, predictions, average="weighted"),
        "recall_weighted": metrics.recall_score(targets, predictions, average="weighted"),
        "f1_macro": metrics.f1_score(targets, predictions, average="macro"),
        "uar": metrics.balanced_accuracy_score(targets, predictions),
    }
    assert result.summary == pytest.approx(expected, abs=1e-6)
    np.testing.assert_array_equal(result.confusion, metrics.confusion_matrix(targets, predictions))
    f1 = metrics.f1_score(targets, predictions, average=None)
    assert [result.per_class[e].f1 for e in EMOTIONS] == pytest.approx(f1.tolist(), abs=1e-6)
    assert sum(result.per_class[e].support for e in EMOTIONS) == 500


def test_the_fast_figures_are_torchmetrics(labels):
    result = evaluate(*(x.tolist() for x in labels))
    fast = summary_of(np.array(result.confusion))
    assert {name: float(fast[name]) for name in SUMMARY} == pytest.approx(result.summary, abs=1e-6)


def test_a_model_that_says_one_emotion_only(labels):
    targets, _ = labels
    result = evaluate(targets.tolist(), [0] * len(targets))
    assert result.uar == pytest.approx(1 / 6)
    assert float(summary_of(np.array(result.confusion))["f1_macro"]) == pytest.approx(result.f1_macro, abs=1e-6)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("absent", [0, 3])
def test_a_class_without_clips_has_no_recall_even_if_it_is_predicted(labels, absent: int):
    targets, predictions = labels
    there = targets != absent
    targets, predictions = targets[there], predictions[there]
    assert (predictions == absent).any()
    result = evaluate(targets.tolist(), predictions.tolist())
    assert result.uar == pytest.approx(metrics.balanced_accuracy_score(targets, predictions))
    assert result.f1_macro == pytest.approx(metrics.f1_score(targets, predictions, average="macro"), abs=1e-6)
    fast = summary_of(np.array(result.confusion))
    assert {name: float(fast[name]) for name in SUMMARY} == pytest.approx(result.summary, abs=1e-6)


def test_intervals_say_what_they_are_over_and_widen_where_speakers_differ(labels):
    targets, _ = labels
    speakers = np.arange(len(targets)) % 20
    predictions = np.where(speakers < 12, targets, (targets + 1) % 6)  # twelve speakers are understood, eight never
    alone = evaluate(targets.tolist(), predictions.tolist())
    both = evaluate(targets.tolist(), predictions.tolist(), speakers=speakers.tolist())
    assert (alone.intervals_over, both.intervals_over) == ("clips", "speakers and clips")
    (low, high), (both_low, both_high) = (found.intervals["accuracy"] for found in (alone, both))
    assert both_high - both_low > 4 * (high - low)
    assert replace(alone, intervals=both.intervals, intervals_over=both.intervals_over) == both


def test_the_interval_is_scipys_bootstrap_over_clips(labels):
    targets, predictions = labels
    right = (targets == predictions).astype(float)
    expected = scipy.stats.bootstrap(
        (right,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    low, high = bootstrap_intervals(targets, predictions)["accuracy"]
    assert (low, high) == (pytest.approx(expected.low, abs=0.004), pytest.approx(expected.high, abs=0.004))


def test_intervals_hold_the_figure_and_shrink_with_more_clips(labels):
    targets, predictions = labels
    figures = summary_of(metrics.confusion_matrix(targets, predictions))
    few, many = (bootstrap_intervals(*(np.tile(x, n).tolist() for x in labels)) for n in (1, 9))
    for name in SUMMARY:
        assert few[name][0] < figures[name] < few[name][1]
        ratio = (few[name][1] - few[name][0]) / (many[name][1] - many[name][0])
        assert ratio == pytest.approx(3, rel=0.1)
