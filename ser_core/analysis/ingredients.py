"""What each ingredient gives the small network of our own, on the validation clips, from records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy  # whose stats package is loaded when it is used: that takes a second of a core

from ser_core.analysis.steps import INTERVAL, alike
from ser_core.equality import ByContent
from ser_core.records.resampling import CONFIDENCE
from ser_core.records.runs import Run
from ser_core.training.future import SEEDS, future_steps
from ser_core.training.steps import Step
from ser_core.words import points_between


@dataclass(frozen=True, eq=False)
class IngredientResult(ByContent):
    """A network with an ingredient more or less, and the one that it is compared with.

    Attributes:
        step: what is added or taken away.
        runs: its records by seed.
        before: the records of what it is compared with, by seed; of the first, none.
    """

    step: Step
    runs: dict[int, Run]
    before: dict[int, Run]

    @property
    def accuracy(self) -> float:
        """On the validation clips, 0..1, the mean over seeds."""
        return float(np.mean([run.val_accuracy for run in self.runs.values()]))

    @property
    def gains(self) -> list[float]:
        """How much more that is than what it is compared with, -1..1, of each seed that both are recorded of."""
        return [
            run.val_accuracy - self.before[seed].val_accuracy for seed, run in self.runs.items() if seed in self.before
        ]

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean of `gains` over seeds, Student's; None of fewer than two seeds."""
        gains = self.gains
        if len(gains) < 2:
            return None
        reach = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1) * np.std(gains, ddof=1) / math.sqrt(len(gains))
        return float(np.mean(gains) - reach), float(np.mean(gains) + reach)


def ingredient_results(runs: Sequence[Run]) -> list[IngredientResult]:
    """The networks of the study that are recorded, in its order, all of them trained alike."""
    steps = future_steps()
    wanted = {(step.label, seed): replace(step.config, seed=seed) for step in steps for seed in SEEDS}
    known: dict[str, dict[int, Run]] = {}
    for (label, seed), run in alike(runs, wanted).items():
        known.setdefault(label, {})[seed] = run
    return [
        IngredientResult(step, known[step.label], known.get(step.to or "", {})) for step in steps if step.label in known
    ]


def ingredient_rows(results: Sequence[IngredientResult]) -> list[dict[str, Any]]:
    """Rows of a table, figures in percent and differences in points; None where something isn't known."""
    rows = []
    for result in results:
        gains, interval = result.gains, result.interval
        rows.append(
            {
                "network": result.step.label,
                "compared with": result.step.to,
                "seeds": len(result.runs),
                "validation": 100 * result.accuracy,
                "gained": round(100 * float(np.mean(gains)), 1) + 0.0 if gains else None,
                "gained" + INTERVAL: points_between(*interval) if interval else None,
            }
        )
    return rows
