"""Ingredients that need no training: clips heard at several speeds, and the three seeds' networks as one.

Their figures are of evaluations (`ser_core.evaluation`), and so are those that they are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_core.analysis.gains import Gain, gain_over_clips
from ser_core.analysis.ingredients import IngredientResult
from ser_core.equality import ByContent
from ser_core.records.evaluations import Evaluation, folder_of, load_predictions
from ser_core.training.future import SEEDS
from ser_core.training.steps import Step

AT_SPEEDS, TOGETHER = "test-time augmentation", f"ensemble of {len(SEEDS)} seeds"
TO = ("whole", "base")
"""Labels of the networks that they are tried on."""


@dataclass(frozen=True, eq=False)
class UntrainedResult(ByContent):
    """Networks that are trained already, which hear in another way.

    Attributes:
        step: how.
        heard: evaluations by corpus; of one network each by seed, of all together under the first seed.
        before: the networks, each by itself.
        root: the folder of evaluations.
    """

    step: Step
    heard: dict[str, dict[int, Evaluation]]
    before: IngredientResult
    root: Path

    @property
    def together(self) -> bool:
        """Whether the networks are one."""
        return self.step.label.endswith(TOGETHER)

    @property
    def seeds(self) -> int:
        """Of how many the networks are."""
        return len(self.before.runs) if self.together else len({seed for one in self.heard.values() for seed in one})

    @property
    def names(self) -> list[str]:
        """Of the evaluations' folders."""
        return [one.checkpoint.name for seeds in self.heard.values() for one in seeds.values()]

    @property
    def validation(self) -> str:
        """What the validation clips, as they are, are called."""
        found = (one.corpus for seeds in self.heard.values() for one in seeds.values())
        return next((corpus.title for corpus in found if corpus.validation and not corpus.change), "")

    @property
    def accuracies(self) -> dict[int, float]:
        """On the validation clips, 0..1, by seed."""
        return {seed: one.metrics.accuracy for seed, one in self.heard.get(self.validation, {}).items()}

    def recalls(self, corpus: str) -> dict[int, float]:
        """Unweighted average recall in a corpus, 0..1, by seed."""
        return {seed: one.uar for seed, one in self.heard.get(corpus, {}).items()}

    @property
    def gain(self) -> Gain:
        """Of `accuracies`.

        Raises:
            RunError: predictions are missing or damaged.
        """
        return self._gain(self.validation, lambda one: one.metrics.accuracy, balanced=False)

    def gain_in(self, corpus: str) -> Gain:
        """Of `recalls`.

        Raises:
            RunError: predictions are missing or damaged.
        """
        return self._gain(corpus, lambda one: one.uar, balanced=True)

    def _gain(self, corpus: str, figure: Callable[[Evaluation], float], balanced: bool) -> Gain:
        mine, theirs = self.heard.get(corpus, {}), self.before.elsewhere.get(corpus, {})
        if not self.together:
            same = [seed for seed, one in mine.items() if seed in theirs and one.corpus == theirs[seed].corpus]
            return Gain(tuple(figure(mine[seed]) - figure(theirs[seed]) for seed in same))
        one = next(iter(mine.values()), None)
        members = [other for other in theirs.values() if one and other.corpus == one.corpus]
        if one is None or len(members) < len(SEEDS):
            return Gain(())
        said, *others = (
            load_predictions(folder_of(self.root, e.corpus.name, e.checkpoint.name)) for e in (one, *members)
        )
        return Gain(tuple(figure(one) - figure(other) for other in members), gain_over_clips(said, others, balanced))


def untrained_results(
    results: Sequence[IngredientResult], evaluations: Sequence[Evaluation], root: Path
) -> list[UntrainedResult]:
    """What is recorded of them, see `ser_core.analysis.ingredients.ingredient_results`.

    Args:
        root: the folder of the evaluations.
    """
    combined = [one for one in evaluations if one.checkpoint.members]
    found = []
    for before in results:
        if before.step.label not in TO:
            continue
        seed_of = {run.name: seed for seed, run in before.runs.items()}
        each: dict[str, dict[int, Evaluation]] = {}
        all_of_them: dict[str, dict[int, Evaluation]] = {}
        for one in combined:
            members, title = one.checkpoint.members, one.corpus.title
            once = len(one.checkpoint.speeds) == 1
            if len(members) == 1 and members[0] in seed_of and not once:
                each.setdefault(title, {})[seed_of[members[0]]] = one
            elif once and len(members) == len(SEEDS) and set(members) == seed_of.keys():
                all_of_them.setdefault(title, {})[SEEDS[0]] = one
        for label, heard in ((AT_SPEEDS, each), (TOGETHER, all_of_them)):
            if heard:
                step = Step(f"{before.step.label} + {label}", before.step.config, before.step.label)
                found.append(UntrainedResult(step, heard, before, root))
    return found
