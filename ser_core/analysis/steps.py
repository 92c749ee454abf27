"""What each step gives towards hearing the voice and not the recording, on CREMA-D and on other corpora."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ser_core.analysis.comparison import Difference, compare
from ser_core.analysis.configurations import in_order_of_names, of_usual_length
from ser_core.equality import ByContent
from ser_core.records.evaluations import Evaluation
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.steps import Step
from ser_core.training.study import recording_steps
from ser_core.words import between, points_between

K = TypeVar("K", bound=Hashable)
INTERVAL = ", 95 % interval"
"""What the column of a figure's interval is called after the figure's own."""


@dataclass(frozen=True, eq=False)
class StepResult(ByContent):
    """A step and what is known of it.

    Attributes:
        step: what it adds, and to what.
        run: its record.
        before: the record of what it adds to; None of the first, or if there is none yet.
        elsewhere: what its checkpoint hears in other corpora, by their titles.
    """

    step: Step
    run: Run
    before: Run | None
    elsewhere: dict[str, Evaluation]

    def gained(self) -> Difference | None:
        """What it adds to the accuracy on the test clips.

        Raises:
            RunError: predictions are missing or damaged.
        """
        return compare(self.run.predictions(), self.before.predictions()) if self.before else None


def step_results(runs: Sequence[Run], evaluations: Sequence[Evaluation]) -> list[StepResult]:
    """The steps that are recorded, in the study's order.

    All are of one number of epochs, one split and one precision: those of which most steps are recorded, and of as
    many the longest. So nothing but the step makes a difference.
    """
    steps = recording_steps()
    known = alike(runs, {step.label: step.config for step in steps})
    return [_result(step, known, evaluations) for step in steps if step.label in known]


def alike(runs: Sequence[Run], configs: Mapping[K, TrainConfig]) -> dict[K, Run]:
    """The records of these settings on CREMA-D alone, of one number of epochs, one split and one precision.

    Of several, those of which most are recorded, and of as many the longest; of several of the same settings, the first
    by `in_order_of_names`.
    """
    found: dict[tuple[int, str, str], dict[K, Run]] = {}
    keys = {of_usual_length(config): key for key, config in configs.items()}
    for run in in_order_of_names(runs):
        key = keys.get(of_usual_length(run.train))
        if key is not None and not run.environment.corpora:
            how = run.train.epochs, run.split_id, run.environment.precision
            found.setdefault(how, {}).setdefault(key, run)
    return max(found.items(), key=lambda item: (len(item[1]), item[0]), default=(None, {}))[1]


def _result(step: Step, known: dict[str, Run], evaluations: Sequence[Evaluation]) -> StepResult:
    run = known[step.label]
    elsewhere = {one.corpus.title: one for one in evaluations if one.checkpoint.name == run.name}
    return StepResult(step, run, known.get(step.to or ""), elsewhere)


def step_rows(results: Sequence[StepResult]) -> list[dict[str, Any]]:
    """Rows of a table, figures in percent and differences in points; None where something isn't known.

    Raises:
        RunError: predictions of a run are missing or damaged.
    """
    corpora = sorted({title for result in results for title in result.elsewhere})
    rows = []
    for result in results:
        gained = result.gained()
        row: dict[str, Any] = {
            "step": result.step.label,
            "added to": result.step.to,
            "validation": 100 * result.run.val_accuracy,
            "test": 100 * result.run.accuracy,
            "test" + INTERVAL: between(*result.run.accuracy_interval),
            "gained": round(100 * gained.accuracy, 1) + 0.0 if gained else None,
            "gained" + INTERVAL: points_between(*gained.interval) if gained else None,
        }
        for title in corpora:
            one = result.elsewhere.get(title)
            row[f"UAR, {title}"] = 100 * one.uar if one else None
            row[f"UAR, {title}{INTERVAL}"] = between(*one.interval) if one else None
        rows.append(row)
    return rows
