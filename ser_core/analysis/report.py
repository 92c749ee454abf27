"""The report's own settings and figures, typed in from it: the only numbers here that we did not measure.

What the report claims is made of these: a new model or activation of ours changes none of its claims.
"""

from __future__ import annotations

from typing import NamedTuple

from ser_core.words import percent


class ReportResult(NamedTuple):
    """Test figures in 0..1; None where the report gives none."""

    accuracy: float
    f1: float
    precision: float
    recall: float | None


REPORT_RESULTS = {
    # Table 3, 2D CNN.
    "lr0.001-SiLU-2D": ReportResult(0.641, 0.639, 0.643, 0.641),
    "lr0.001-ReLU-2D": ReportResult(0.582, 0.581, 0.585, 0.582),
    "lr0.01-ReLU-2D": ReportResult(0.543, 0.541, 0.548, 0.543),
    "lr0.1-ReLU-2D": ReportResult(0.421, 0.412, 0.436, 0.421),
    "lr0.01-SiLU-2D": ReportResult(0.531, 0.529, 0.534, 0.531),
    "lr0.1-SiLU-2D": ReportResult(0.402, 0.395, 0.422, 0.402),
    "lr0.001-ELU-2D": ReportResult(0.569, 0.568, 0.573, 0.569),
    "lr0.01-ELU-2D": ReportResult(0.552, 0.551, 0.556, 0.552),
    "lr0.1-ELU-2D": ReportResult(0.437, 0.429, 0.441, 0.437),
    # Table 4, 1D CNN.
    "lr0.001-ReLU-1D": ReportResult(0.528, 0.526, 0.531, 0.528),
    "lr0.01-ReLU-1D": ReportResult(0.549, 0.547, 0.552, 0.549),
    "lr0.1-ReLU-1D": ReportResult(0.394, 0.385, 0.401, 0.394),
    "lr0.001-SiLU-1D": ReportResult(0.532, 0.530, 0.535, 0.532),
    "lr0.01-SiLU-1D": ReportResult(0.541, 0.539, 0.545, 0.541),
    "lr0.1-SiLU-1D": ReportResult(0.406, 0.396, 0.412, 0.406),
    "lr0.001-ELU-1D": ReportResult(0.543, 0.541, 0.546, 0.543),
    "lr0.01-ELU-1D": ReportResult(0.556, 0.553, 0.557, 0.556),
    "lr0.1-ELU-1D": ReportResult(0.412, 0.403, 0.419, 0.412),
    # Table 2, the rest.
    "lr0.001-SiLU-Combined": ReportResult(0.613, 0.608, 0.614, None),
    "lr0.001-SiLU-Combined-variable": ReportResult(0.622, 0.619, 0.625, None),
    "lr0.001-ReLU-ResNet38": ReportResult(0.308, 0.305, 0.311, None),
    "lr0.001-ReLU-ResNet101": ReportResult(0.410, 0.382, 0.421, None),
}
"""By name of the run."""

REPORT_F1 = {"ANG": 0.76, "HAP": 0.71, "FEA": 0.55}
"""F1 of single emotions, of lr0.001-SiLU-2D (section 6.3)."""

REPORT_RESNET101 = {"training": 0.70, "validation": 0.41}
"""Accuracy of ResNet-101 in both, which the report takes for overfitting (section 6.5)."""

REPORT_ANCHOR = "the-report"
"""Of its summary, on the app's Home and in README.md."""

REPORT_LINK = f"[report](./#{REPORT_ANCHOR})"
"""For the text of the app's pages."""

_BEST, _RESULT = max(REPORT_RESULTS.items(), key=lambda item: item[1].accuracy)
REPORT_SUMMARY = (
    "“Speech Emotion Recognition” is a course report in pattern recognition from Alexandria University, which compares "
    "small convolutional networks, activations and learning rates on CREMA-D. Its best is a 2D network on mel images, "
    f"`{_BEST}`, right for {percent(_RESULT.accuracy)} of clips by speakers it also learned from; this project repeats "
    "it, checks its findings one by one, and goes beyond it."
)
"""What it is, in two sentences."""


def reported_difference(first: str, second: str) -> float:
    """By how much the report's accuracy of one configuration is above that of another, -1..1."""
    return REPORT_RESULTS[first].accuracy - REPORT_RESULTS[second].accuracy


def reported(name: str) -> str:
    """The accuracy that the report gives a configuration."""
    return percent(REPORT_RESULTS[name].accuracy)
