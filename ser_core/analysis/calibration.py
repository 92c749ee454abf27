"""Whether a model's probabilities can be believed: calibration, and what leaving out the unsure answers would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_core.equality import ByContent
from ser_core.records.predictions import Predictions

N_BINS = 15  # as usual (Guo et al. 2017)


@dataclass(frozen=True, eq=False)
class Reliability(ByContent):
    """Clips grouped by the probability of their likeliest emotion, in bins of equal width; bins without clips left out.

    Attributes:
        confidence: mean of that probability, `[bins]`, 0..1.
        accuracy: share of clips that are right, `[bins]`, 0..1.
        share: of all clips, `[bins]`, summing to 1.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    share: np.ndarray

    @property
    def expected_calibration_error(self) -> float:
        """Mean difference of confidence and accuracy over all clips, 0..1: how wrong a stated probability is."""
        return float((self.share * abs(self.confidence - self.accuracy)).sum())


def reliability(predictions: Predictions, n_bins: int = N_BINS) -> Reliability:
    """How often a model is right where it says how sure it is (Guo et al. 2017, section 2)."""
    confidence = predictions.probabilities.max(axis=1).astype(np.float64)
    right = predictions.predicted == predictions.targets
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    present = np.unique(bins)
    members = [bins == i for i in present]
    return Reliability(
        np.array([confidence[member].mean() for member in members]),
        np.array([right[member].mean() for member in members]),
        np.array([member.mean() for member in members]),
    )


def risk_coverage(predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """What answering only where the model is surest gives (El-Yaniv and Wiener 2010).

    Returns:
        coverage, the share of clips that are answered, `[clips]`, rising to 1; and the accuracy on them, `[clips]`.
    """
    surest_first = np.argsort(-predictions.probabilities.max(axis=1), kind="stable")
    right = (predictions.predicted == predictions.targets)[surest_first]
    answered = np.arange(1, len(right) + 1)
    return answered / len(right), np.cumsum(right) / answered


def answered_from(predictions: Predictions, min_confidence: float) -> tuple[float, float]:
    """What answering only from a probability on gives, a point of `risk_coverage`.

    Returns:
        the share of clips that are answered, 0..1, and the accuracy on them: NaN if none is.
    """
    answered = predictions.probabilities.max(axis=1) >= np.float32(min_confidence)
    right = (predictions.predicted == predictions.targets)[answered]
    return float(answered.mean()), float(right.mean()) if len(right) else float("nan")
