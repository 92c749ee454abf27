"""How good a model is: torchmetrics' figures (report, listing 6) with confidence intervals.

A class without clips has no recall, and doesn't count in the unweighted average recall, as in scikit-learn's
`balanced_accuracy_score`; torchmetrics counts it as 0 once it is predicted. In the macro F1 it does count then, as 0,
in both libraries: F1 is also about what is predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from reprlib import repr as brief

import numpy as np

from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.records.resampling import BOTH, CLIPS_ALONE, Speakers, interval, resampled_sums

ROUNDING = 1e-5  # float32 figures may exceed 1 by so little
FIGURE_TOLERANCE = 1e-4
LARGEST = 2**53  # no figure or count of a run is so large, and tables can't show larger ones
SUMMARY = ("accuracy", "f1_weighted", "precision_weighted", "recall_weighted", "f1_macro", "uar")


@dataclass(frozen=True)
class ClassScores:
    """Figures of one emotion: in 0..1, and how many clips are intended so."""

    precision: float
    recall: float
    f1: float
    support: int

    def __post_init__(self) -> None:
        for name in ("precision", "recall", "f1"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("support", self.support)


@dataclass(frozen=True, eq=False)
class Metrics(ByContent):
    """Test figures.

    Attributes:
        accuracy, f1_weighted, precision_weighted, recall_weighted, f1_macro, uar: in 0..1; the last is the unweighted
            average recall.
        per_class: by emotion.
        confusion: counts, rows true, columns predicted.
        intervals: the 95 % bootstrap interval of each of the six figures, by its name.
        intervals_over: what the bootstrap drew, `speakers and clips` or `clips`.
    """

    accuracy: float
    f1_weighted: float
    precision_weighted: float
    recall_weighted: float
    f1_macro: float
    uar: float
    per_class: dict[str, ClassScores]
    confusion: tuple[tuple[int, ...], ...]
    intervals: dict[str, tuple[float, float]]
    intervals_over: str

    def __post_init__(self) -> None:
        n = len(EMOTIONS)
        if [len(row) for row in self.confusion] != [n] * n:
            raise ValueError(f"confusion is not {n} × {n}")
        for part, known, named in (("per_class", EMOTIONS, self.per_class), ("intervals", SUMMARY, self.intervals)):
            if missing := [name for name in known if name not in named]:
                raise ValueError(f"{part}.{missing[0]} is missing")
        for i, row in enumerate(self.confusion):
            for j, clips in enumerate(row):
                check_range(f"confusion[{i}][{j}]", clips)
            if sum(row) != (support := self.per_class[EMOTIONS[i]].support):
                raise ValueError(f"confusion[{i}] has {sum(row)} clips, and per_class.{EMOTIONS[i]}.support {support}")
        for name, value in self.summary.items():
            check_range(name, value, 0, 1)
            low, high = self.intervals[name]
            for i, end in enumerate((low, high)):
                check_range(f"intervals.{name}[{i}]", end, 0, 1)
            if low > high:
                raise ValueError(f"intervals.{name} should be from low to high, not from {low:g} to {high:g}")
        if not self.clips:
            raise ValueError("confusion has no clips")
        self._check_against_confusion()

    def _check_against_confusion(self) -> None:
        """All figures follow from the confusion matrix; those of a record are float32."""
        confusion = np.array(self.confusion, dtype=np.float64)
        said = {name: (value, summary_of(confusion)[name]) for name, value in self.summary.items()}
        right, support, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
        of_each = {"precision": predicted, "recall": support, "f1": (support + predicted) / 2}
        for name, n in of_each.items():
            for emotion, share in zip(EMOTIONS, right / np.maximum(n, 0.5), strict=True):
                said[f"per_class.{emotion}.{name}"] = (getattr(self.per_class[emotion], name), share)
        for name, (value, expected) in said.items():
            if abs(value - expected) > FIGURE_TOLERANCE:
                raise ValueError(f"{name} is {value:g}, and by confusion it is {expected:.4g}")

    @property
    def summary(self) -> dict[str, float]:
        """The six figures by name."""
        return {name: getattr(self, name) for name in SUMMARY}

    @property
    def clips(self) -> int:
        """How many were tested."""
        return sum(map(sum, self.confusion))


def check_range(name: str, value: float, low: float = 0, high: float | None = None) -> None:
    """Raise a ValueError, a sentence, where a figure can't be true, its rounding apart."""
    if not low - ROUNDING <= value < LARGEST or (high is not None and value > high + ROUNDING):
        expected = f"{low} or more" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} should be {expected}, not {brief(value)}")


def evaluate(targets: Sequence[int], predictions: Sequence[int], *, speakers: Speakers | None = None) -> Metrics:
    """Metrics of predicted against true emotions.

    Args:
        targets, predictions: indices into `EMOTIONS`, one a clip, of equal length > 0.
        speakers: who speaks in each clip; without it, intervals are over clips alone.
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
    return Metrics(
        **{name: float(value) for name, value in metrics(predicted, true).items()},
        uar=float(summary_of(confusion)["uar"]),
        per_class={
            emotion: ClassScores(
                **{name: values[i] for name, values in scores.items()}, support=int(confusion[i].sum())
            )
            for i, emotion in enumerate(EMOTIONS)
        },
        confusion=tuple(map(tuple, confusion.tolist())),
        intervals=bootstrap_intervals(targets, predictions, speakers),
        intervals_over=CLIPS_ALONE if speakers is None else BOTH,
    )


def bootstrap_intervals(
    targets: Sequence[int], predictions: Sequence[int], speakers: Speakers | None = None
) -> dict[str, tuple[float, float]]:
    """95 % percentile bootstrap intervals of the summary figures, low and high by name; arguments as of `evaluate`.

    All six depend on the clips through the confusion matrix alone, so each resample is one matrix.
    """
    figures = summary_of(resampled_confusions(targets, predictions, speakers))
    return {name: interval(values) for name, values in figures.items()}


def resampled_confusions(
    targets: Sequence[int], predictions: Sequence[int], speakers: Speakers | None = None
) -> np.ndarray:
    """The confusion matrix of each resample: float32 `[resamples, 6, 6]`, rows true; arguments as of `evaluate`."""
    n = len(EMOTIONS)
    cells = np.asarray(targets) * n + np.asarray(predictions)
    return resampled_sums(cells[:, None] == np.arange(n * n), speakers).reshape(-1, n, n)


def summary_of(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """The summary figures from confusion matrices `[..., 6, 6]`: `[...]` by name.

    As in torchmetrics, a class that was never predicted has precision 0, and one that was neither meant nor predicted
    doesn't count in the macro F1. Recall is averaged over the classes that have clips.
    """
    confusion = np.asarray(confusion, dtype=np.float64)
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    support, predicted = confusion.sum(-1), confusion.sum(-2)
    n = support.sum(-1)
    recall = right / np.maximum(support, 1)
    precision = right / np.maximum(predicted, 1)
    f1 = 2 * right / np.maximum(support + predicted, 1)
    weights = support / n[..., None]
    meant, seen = support > 0, (support + predicted) > 0
    return {
        "accuracy": right.sum(-1) / n,
        "f1_weighted": (f1 * weights).sum(-1),
        "precision_weighted": (precision * weights).sum(-1),
        "recall_weighted": (recall * weights).sum(-1),
        "f1_macro": (f1 * seen).sum(-1) / seen.sum(-1),
        "uar": (recall * meant).sum(-1) / meant.sum(-1),
    }
