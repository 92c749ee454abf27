"""What each ingredient gives the small network of our own, from records: nothing here looks at a test clip of CREMA-D.

Of speakers who are shared, the report's split says so by its validation clips; of unseen ones, the folds by theirs,
whose speakers are in no other part; of other corpora and of changed sound, evaluations.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from ser_core.analysis.configurations import of_usual_length
from ser_core.analysis.gains import Gain, gain_over_clips
from ser_core.analysis.steps import alike
from ser_core.corpus.splits import SPLITS
from ser_core.equality import ByContent
from ser_core.records.evaluations import EvaluatedCorpus, Evaluation, folder_of, load_predictions
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.future import SEEDS, future_steps
from ser_core.training.steps import Step

K = TypeVar("K", bound=Hashable)
SHARED, *UNSEEN = SPLITS
"""The split whose speakers are in all of its parts, and those whose speakers are in one alone."""


@dataclass(frozen=True, eq=False)
class IngredientResult(ByContent):
    """A network with an ingredient more or less, beside the one that it is compared with.

    Attributes:
        step: what is added or taken away.
        runs: its records by seed, on speakers who are shared.
        unseen: its records by fold and seed.
        elsewhere: by corpus, what those of `runs` hear in it, by seed.
        before: the same of what it is compared with; None of the first.
        root: the folder of evaluations, for intervals of a gain from one seed; None to do without.
    """

    step: Step
    runs: dict[int, Run]
    unseen: dict[str, dict[int, Run]]
    elsewhere: dict[str, dict[int, Evaluation]]
    before: IngredientResult | None = None
    root: Path | None = None

    @property
    def checkpoints(self) -> list[str]:
        """Names of all its runs, and so of their checkpoints."""
        return [run.name for runs in (self.runs, *self.unseen.values()) for run in runs.values()]

    @property
    def corpora(self) -> dict[str, EvaluatedCorpus]:
        """What `elsewhere` is of, by title."""
        return {title: next(iter(seeds.values())).corpus for title, seeds in self.elsewhere.items()}

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
        """Of `accuracies`, over the seeds that both are recorded of.

        Raises:
            RunError: an evaluation's predictions are missing or damaged.
        """
        gain = _gain(self.accuracies, self.before.accuracies if self.before else {})
        plain = (title for title, corpus in self.corpora.items() if corpus.validation and not corpus.change)
        return self._over_clips(gain, next(plain, ""), balanced=False)

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
        """Of `recalls`, over seeds: where both heard the same clips.

        Raises:
            RunError: an evaluation's predictions are missing or damaged.
        """
        pairs = self._pairs(corpus).values()
        return self._over_clips(Gain(tuple(one.uar - other.uar for one, other in pairs)), corpus, balanced=True)

    def _pairs(self, corpus: str) -> dict[int, tuple[Evaluation, Evaluation]]:
        """Its evaluations and those of what it is compared with, by seed: where both heard the same clips."""
        mine, theirs = self.elsewhere.get(corpus, {}), self.before.elsewhere.get(corpus, {}) if self.before else {}
        both = {seed: (one, theirs[seed]) for seed, one in mine.items() if seed in theirs}
        return {seed: (one, other) for seed, (one, other) in both.items() if one.corpus == other.corpus}

    def _over_clips(self, gain: Gain, corpus: str, balanced: bool) -> Gain:
        """The same with an interval over speakers and clips, if it is of one seed, over which there is none.

        The interval is of what evaluations say of each clip, which may be another answer to a clip or two than in
        training: there, clips were batched.
        """
        pairs = self._pairs(corpus)
        if self.root is None or not len(gain.differences) == len(pairs) == 1:
            return gain
        (pair,) = pairs.values()
        said, other = (load_predictions(folder_of(self.root, e.corpus.name, e.checkpoint.name)) for e in pair)
        return replace(gain, over_clips=gain_over_clips(said, [other], balanced))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _gain(mine: Mapping[K, float], theirs: Mapping[K, float]) -> Gain:
    return Gain(tuple(value - theirs[key] for key, value in mine.items() if key in theirs))


def ingredient_results(
    runs: Sequence[Run], evaluations: Sequence[Evaluation] = (), root: Path | None = None
) -> list[IngredientResult]:
    """The networks of the study that are recorded, in its order, all of as many epochs and one precision.

    Of several, those of which most are recorded, and of as many the longest.

    Args:
        root: the folder of the evaluations; None for no intervals of what one seed says.
    """
    by_how: dict[tuple[int, str], list[Run]] = {}
    for run in runs:
        by_how.setdefault(_how(run), []).append(run)
    found = ((how, {split: _known(trained, split) for split in SPLITS}) for how, trained in by_how.items())
    _, known = max(
        found,
        key=lambda item: (sum(len(seeds) for labels in item[1].values() for seeds in labels.values()), item[0]),
        default=(None, {}),
    )
    heard: dict[str, dict[str, Evaluation]] = {}  # by checkpoint and corpus
    for one in evaluations:
        if not one.checkpoint.members and not one.of_own_test_clips:
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
            results[step.label] = IngredientResult(step, shared, unseen, elsewhere, before, root)
    return list(results.values())


def of_the_study(run: Run) -> bool:
    """Whether a run, of whatever seed and length, is one of the study's networks."""
    return of_usual_length(replace(run.train, seed=SEEDS[0])) in _networks()


@cache
def _networks() -> frozenset[TrainConfig]:
    return frozenset(of_usual_length(step.config) for step in future_steps())


def left_out(runs: Sequence[Run], results: Sequence[IngredientResult]) -> list[Run]:
    """Runs of the study, on speakers who are shared, that `ingredient_results` leaves out: of other epochs or another
    precision than those that it has."""
    hows = {_how(run) for result in results for run in result.runs.values()}
    others = (run for run in runs if _how(run) not in hows and not run.environment.corpora)
    return [run for run in others if of_the_study(run)]


def _how(run: Run) -> tuple[int, str]:
    return run.train.epochs, run.environment.precision


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
