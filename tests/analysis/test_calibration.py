"""Calibration: against figures worked out by hand, and on models that say too much or the truth."""

import numpy as np
import pytest
import torch

from ser_core.analysis.calibration import answered_from, reliability, risk_coverage
from ser_core.analysis.run_figures import reliability_figure, risk_coverage_figure
from ser_core.corpus.clips import load_index
from ser_core.emotions import EMOTIONS
from ser_core.records.predictions import Predictions
from ser_core.training.calibration import HIGHEST, fit_temperature, probabilities


def predictions_of(confidences: list[float], right: list[bool]) -> Predictions:
    """Clips whose likeliest emotion is the first, with this probability."""
    rest = [(1 - confidence) / 5 for confidence in confidences]
    found = np.array([[c, *[r] * 5] for c, r in zip(confidences, rest, strict=True)], dtype=np.float32)
    names = tuple(list(load_index())[: len(confidences)])
    return Predictions(names, np.array([0 if hit else 1 for hit in right]), found)


def test_the_error_is_the_mean_distance_of_confidence_and_accuracy():
    found = reliability(predictions_of([0.55, 0.55, 0.95, 0.95], [True, False, True, True]), n_bins=10)
    np.testing.assert_allclose(found.confidence, [0.55, 0.95], atol=1e-6)
    np.testing.assert_allclose(found.accuracy, [0.5, 1.0])
    np.testing.assert_allclose(found.share, [0.5, 0.5])
    assert found.expected_calibration_error == pytest.approx(0.05)


def test_a_model_that_says_the_truth_has_no_error():
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.3, 1, 5000)
    truth = predictions_of(confidences.tolist(), (rng.random(5000) < confidences).tolist())
    boast = predictions_of(confidences.tolist(), (rng.random(5000) < confidences - 0.2).tolist())
    assert reliability(truth).expected_calibration_error < 0.03
    assert reliability(boast).expected_calibration_error == pytest.approx(0.2, abs=0.03)


def test_answering_only_the_surest():
    coverage, accuracy = risk_coverage(predictions_of([0.5, 0.9, 0.7, 0.8], [False, True, False, True]))
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(accuracy, [1, 1, 2 / 3, 1 / 2])


def test_answering_from_a_probability_on_is_a_point_of_that_curve():
    said = predictions_of([0.5, 0.9, 0.7, 0.4], [False, True, False, True])
    assert answered_from(said, 0.4) == (1, 1 / 2)
    assert answered_from(said, 0.6) == (1 / 2, 1 / 2)
    share, right = answered_from(said, 0.95)
    assert share == 0
    assert np.isnan(right)
    coverage, accuracy = risk_coverage(said)
    assert answered_from(said, 0.5) == (coverage[2], pytest.approx(accuracy[2]))
    figure = risk_coverage_figure({"a": (coverage, accuracy)}, {"a": answered_from(said, 0.5)})
    assert (figure.data[1].x, figure.data[1].y) == ((coverage[2],), (pytest.approx(accuracy[2]),))


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_is_the_one_that_logits_were_made_with(true):
    torch.manual_seed(0)
    honest = 2 * torch.randn(20_000, len(EMOTIONS))
    labels = torch.multinomial(honest.softmax(1), 1).flatten()
    assert fit_temperature(honest * true, labels) == pytest.approx(true, rel=0.03)
    torch.testing.assert_close(probabilities(honest * true, true), honest.softmax(1))


def test_a_network_that_is_right_by_chance_alone_is_told_to_doubt():
    torch.manual_seed(0)
    assert fit_temperature(5 * torch.randn(5000, 6), torch.randint(6, (5000,))) == pytest.approx(HIGHEST, rel=1e-2)


def test_figures_of_any_number_of_clips():
    for n in (1, 2, 7, 400):
        said = predictions_of(np.linspace(0.3, 1, n).tolist(), [True] * n)
        assert reliability_figure({"a": reliability(said)}).data
        assert len(risk_coverage_figure({"a": risk_coverage(said)}).data[0].x) == min(n, 200)
