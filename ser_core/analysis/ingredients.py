"""What each ingredient gives the small network of our own, from records: nothing here looks at a test clip of CREMA-D.

Of speakers who are shared, the report's split says so by its validation clips; of unseen ones, the folds by theirs,
whose speakers are in no other part; of other corpora and of changed sound, evaluations.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

import numpy as np
import scipy  # whose stats package is loaded when it is used: that takes a second of a core

from ser_core.analysis.steps import alike
from ser_core.corpus.splits import SPLITS
from ser_core.equality import ByContent
from ser_core.records.evaluations import Evaluation
from ser_core.records.resampling import CONFIDENCE
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.future import SEEDS, future_steps
from ser_core.training.steps import Step

K = TypeVar("K", bound=Hashable)
SHARED, *UNSEEN = SPLITS
"""The split whose speakers are in all of its parts, and those whose speakers are in one alone."""


@dataclass(frozen=True)
class Gain:
    """How much more a figure is than that of another network.

    Attributes:
        differences: -1..1, each of networks that differ in nothing else: of one seed, or one fold.
        over_clips: the interval of their mean over speakers and clips, where that is what is known.
    """

    differences: tuple[float, ...]
    over_clips: tuple[float, float] | None = None

    @property
    def mean(self) -> float | None:
        """Of all, None of none."""
        return float(np.mean(self.differences)) if self.differences else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean: `over_clips`, or Student's over the differences; None of fewer than two."""
        if self.over_clips:
            return self.over_clips
        n = len(self.differences)
        if n < 2:
            return None
        reach = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(self.differences, ddof=1) / math.sqrt(n)
        return float(np.mean(self.differences) - reach), float(np.mean(self.differences) + reach)


@dataclass(frozen=True, eq=False)
class IngredientResult(ByContent):
    """A network with an ingredient more or less, beside the one that it is compared with.

    Attributes:
        step: what is added or taken away.
        runs: its records by seed, on speakers who are shared.
        unseen: its records by fold and seed.
        elsewhere: by corpus, what those of `runs` hear in it, by seed.
        before: the same of what it is compared with; None of the first.
    """

    step: Step
    runs: dict[int, Run]
    unseen: dict[str, dict[int, Run]]
    elsewhere: dict[str, dict[int, Evaluation]]
    before: IngredientResult | None = None

    @property
    def checkpoints(self) -> list[str]:
        """Names of all its runs, and so of their checkpoints."""
        return [run.name for runs in (self.runs, *self.unseen.values()) for run in runs.values()]

    @property
    def accuracies(self) -> dict[int, float]:
        """On validation clips of shared speakers, 0..1, by seed."""
        return {seed: run.val_accuracy for seed, run in self.runs.items()}

    @property
    def unseen_accuracies(self) -> dict[str, float]:
        """On validation clips of unseen speakers, 0..1, by fold, the mean over seeds."""
        return {fold: _mean([run.val_accuracy for run in runs.values()]) for fold, runs in self.unseen.items()}

    def recalls(self, corpus: str) -> dict[int, float]:
        """Unweighted average recall in a corpus, 0..1, by seed."""
        return {seed: one.uar for seed, one in self.elsewhere.get(corpus, {}).items()}

    @property
    def gain(self) -> Gain:
        """Of `accuracies`, over the seeds that both are recorded of."""
        return _gain(self.accuracies, self.before.accuracies if self.before else {})

    @property
    def unseen_gain(self) -> Gain:
        """Of accuracy on unseen speakers, over folds; of each, the mean over the seeds that both are recorded of."""
        before = self.before.unseen if self.before else {}
        gains = (
            _gain(*({seed: run.val_accuracy for seed, run in runs.items()} for runs in (self.unseen[fold], others)))
            for fold, others in before.items()
            if fold in self.unseen
        )
        return Gain(tuple(gain.mean for gain in gains if gain.mean is not None))

    def gain_in(self, corpus: str) -> Gain:
        """Of `recalls`, over seeds: where both heard the same clips."""
        mine, theirs = self.elsewhere.get(corpus, {}), self.before.elsewhere.get(corpus, {}) if self.before else {}
        same = [seed for seed, one in mine.items() if seed in theirs and one.corpus == theirs[seed].corpus]
        return _gain({seed: mine[seed].uar for seed in same}, {seed: theirs[seed].uar for seed in same})


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _gain(mine: Mapping[K, float], theirs: Mapping[K, float]) -> Gain:
    return Gain(tuple(value - theirs[key] for key, value in mine.items() if key in theirs))


def ingredient_results(runs: Sequence[Run], evaluations: Sequence[Evaluation] = ()) -> list[IngredientResult]:
    """The networks of the study that are recorded, in its order, all of as many epochs and one precision.

    Of several, those of which most are recorded, and of as many the longest.
    """
    by_how: dict[tuple[int, str], list[Run]] = {}
    for run in runs:
        by_how.setdefault((run.train.epochs, run.environment.precision), []).append(run)
    found = ((how, {split: _known(trained, split) for split in SPLITS}) for how, trained in by_how.items())
    _, known = max(
        found,
        key=lambda item: (sum(len(seeds) for labels in item[1].values() for seeds in labels.values()), item[0]),
        default=(None, {}),
    )
    heard: dict[str, dict[str, Evaluation]] = {}  # by checkpoint and corpus
    for one in evaluations:
        if not one.checkpoint.members:
            heard.setdefault(one.checkpoint.name, {})[one.corpus.title] = one
    results: dict[str, IngredientResult] = {}
    for step in future_steps():
        shared = known.get(SHARED, {}).get(step.label, {})
        unseen = {fold: known[fold][step.label] for fold in UNSEEN if step.label in known.get(fold, {})}
        elsewhere: dict[str, dict[int, Evaluation]] = {}
        for seed, run in shared.items():
            for title, one in heard.get(run.name, {}).items():
                elsewhere.setdefault(title, {})[seed] = one
        if shared or unseen:
            before = results.get(step.to or "")
            results[step.label] = IngredientResult(step, shared, unseen, elsewhere, before)
    return list(results.values())


def _known(runs: Sequence[Run], split: str) -> dict[str, dict[int, Run]]:
    """Records of the study on a split, by label and seed."""
    known: dict[str, dict[int, Run]] = {}
    for (label, seed), run in alike(runs, _wanted(split)).items():
        known.setdefault(label, {})[seed] = run
    return known


@cache
def _wanted(split: str) -> dict[tuple[str, int], TrainConfig]:
    """The study's settings on a split, by label and seed."""
    steps = future_steps()
    return {(step.label, seed): replace(step.config, seed=seed, split=split) for step in steps for seed in SEEDS}
