"""How sure the shipped networks are of recordings that are new to them, and of those that aren't; from records."""

from __future__ import annotations

from collections.abc import Sequence

from ser_core.analysis.calibration import answered_from
from ser_core.records.evaluations import evaluations_dir, folder_of, load_predictions
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run
from ser_core.serving.prediction import MIN_CONFIDENCE
from tools.aims import names_of_shipped_checkpoints


def certainty(runs: Sequence[Run]) -> str:
    """Markdown, a line a shipped checkpoint: mean score, share unsure, and accuracy, on CREMA-D and on RAVDESS."""
    names = names_of_shipped_checkpoints()
    rows = ["| mean score / unsure / right | CREMA-D, test clips | RAVDESS |", "|---|---|---|"]
    for run in sorted((run for run in runs if run.name in names), key=lambda run: run.val_rank, reverse=True):
        elsewhere = load_predictions(folder_of(evaluations_dir(), "ravdess", run.name))
        rows.append(f"| `{run.name}` | {_cell(run.predictions())} | {_cell(elsewhere)} |")
    return "\n".join(rows)


def _cell(predictions: Predictions) -> str:
    answered, _ = answered_from(predictions, MIN_CONFIDENCE)
    right = (predictions.predicted == predictions.targets).mean()
    return f"{predictions.probabilities.max(axis=1).mean():.2f} / {1 - answered:.1%} / {right:.1%}"
