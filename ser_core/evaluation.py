"""How good a model is: torchmetrics' figures (report, listing 6) with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_core.emotions import EMOTIONS

N_BOOTSTRAP = 10_000
CONFIDENCE = 0.95
SUMMARY = ("accuracy", "f1_weighted", "precision_weighted", "recall_weighted", "f1_macro", "uar")


def evaluate(targets: Sequence[int], predictions: Sequence[int]) -> dict:
    """Metrics of predicted against true emotions.

    Args:
        targets, predictions: indices into `EMOTIONS`, one a clip, of equal length > 0.

    Returns:
        `accuracy`, `f1_weighted`, `precision_weighted`, `recall_weighted`, `f1_macro` and `uar` (unweighted average
        recall), each in 0..1; `per_class` precision, recall, F1 and support by emotion; `confusion` counts, rows
        true, columns predicted; `intervals`, the 95 % bootstrap interval over clips of each of the six figures.
    """
    import torch
    from torchmetrics import MetricCollection
    from torchmetrics.classification import (
        MulticlassAccuracy,
        MulticlassConfusionMatrix,
        MulticlassF1Score,
        MulticlassPrecision,
        MulticlassRecall,
    )

    n = len(EMOTIONS)
    metrics = MetricCollection(
        {
            "accuracy": MulticlassAccuracy(n, average="micro"),
            "f1_weighted": MulticlassF1Score(n, average="weighted"),
            "precision_weighted": MulticlassPrecision(n, average="weighted"),
            "recall_weighted": MulticlassRecall(n, average="weighted"),
            "f1_macro": MulticlassF1Score(n, average="macro"),
            "uar": MulticlassRecall(n, average="macro"),
        }
    )
    per_class = MetricCollection(
        {
            "precision": MulticlassPrecision(n, average="none"),
            "recall": MulticlassRecall(n, average="none"),
            "f1": MulticlassF1Score(n, average="none"),
        }
    )
    predicted, true = torch.as_tensor(predictions), torch.as_tensor(targets)
    scores = {name: values.tolist() for name, values in per_class(predicted, true).items()}
    confusion = MulticlassConfusionMatrix(n)(predicted, true).numpy()
    return {
        **{name: float(value) for name, value in metrics(predicted, true).items()},
        "per_class": {
            emotion: {name: values[i] for name, values in scores.items()} | {"support": int(confusion[i].sum())}
            for i, emotion in enumerate(EMOTIONS)
        },
        "confusion": confusion.tolist(),
        "intervals": bootstrap_intervals(confusion),
    }


def bootstrap_intervals(
    confusion: np.ndarray, *, n_resamples: int = N_BOOTSTRAP, seed: int = 0
) -> dict[str, list[float]]:
    """95 % percentile bootstrap intervals of the summary figures.

    All six depend on the clips through the confusion matrix alone, and drawing clips with replacement draws its cells
    from a multinomial distribution: so ten thousand resamples take milliseconds.

    Args:
        confusion: int `[6, 6]`, rows true, columns predicted.

    Returns:
        `[low, high]` by name of figure.
    """
    confusion = np.asarray(confusion)
    n = confusion.sum()
    draws = np.random.default_rng(seed).multinomial(n, confusion.ravel() / n, size=n_resamples)
    figures = summary_of(draws.reshape(-1, *confusion.shape))
    tail = (1 - CONFIDENCE) / 2
    return {name: np.quantile(values, [tail, 1 - tail]).tolist() for name, values in figures.items()}


def summary_of(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """The summary figures from confusion matrices `[..., 6, 6]`: `[...]` by name.

    As in torchmetrics, a class that was never predicted has precision 0, and one without clips doesn't count in
    macro averages.
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    support, predicted = confusion.sum(-1), confusion.sum(-2)
    n = support.sum(-1)
    recall = right / np.maximum(support, 1)
    precision = right / np.maximum(predicted, 1)
    f1 = 2 * right / np.maximum(support + predicted, 1)
    weights = support / n[..., None]
    seen = (support + predicted) > 0
    return {
        "accuracy": right.sum(-1) / n,
        "f1_weighted": (f1 * weights).sum(-1),
        "precision_weighted": (precision * weights).sum(-1),
        "recall_weighted": (recall * weights).sum(-1),
        "f1_macro": (f1 * seen).sum(-1) / seen.sum(-1),
        "uar": (recall * seen).sum(-1) / seen.sum(-1),
    }
