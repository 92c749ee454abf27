"""How claims about runs are settled: verdicts, and the sentences with figures that they rest on.

A comparison of accuracies is settled by McNemar's exact test on the clips that both runs classified, or its
generalisation to several pairs of runs (`Difference.p_value`); an order of emotions by bootstrapping the confusion
matrix. Runs that were trained for different numbers of epochs settle nothing: where a configuration was trained for
several, a claim is judged at the greatest number that all of its runs have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ser_core.compare import SIGNIFICANCE, Difference, compare, compare_together, probability
from ser_core.emotions import EMOTIONS
from ser_core.evaluation import N_BOOTSTRAP
from ser_core.report import REPORT_RESULTS
from ser_core.runs import Run

Runs = Mapping[str, Run]
Records = Mapping[str, Mapping[int, Run]]
"""Of each configuration, by its name, and of each number of epochs."""
Pair = tuple[str, str]


class Verdict(StrEnum):
    """What our records say about a finding."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    UNEQUAL = "runs of different lengths"
    MISSING = "no run yet"


@dataclass(frozen=True)
class Finding:
    """A claim and how it fares.

    Attributes:
        title: the claim in a few words.
        report: what the report says, with its figures.
        verdict: of our records.
        evidence: sentences with figures and intervals.
        runs: names of the configurations that the claim is about, also of those that were not trained.
        epochs: that all runs of the claim were trained for, None where they differ or there are none.
    """

    title: str
    report: str
    verdict: Verdict
    evidence: tuple[str, ...]
    runs: tuple[str, ...]
    epochs: int | None = None


def equally_long(records: Records, names: Iterable[str]) -> Runs:
    """Of each configuration the run with the most epochs that all of them have; if there is none, its longest."""
    present = {name: records[name] for name in names if name in records}
    common = set.intersection(*(set(lengths) for lengths in present.values())) if present else set()
    return {name: lengths[max(common or lengths)] for name, lengths in present.items()}


def epochs_of(runs: Runs) -> int | None:
    """How long all of these runs were trained, None where they differ or there are none."""
    lengths = {run.train["epochs"] for run in runs.values()}
    return lengths.pop() if len(lengths) == 1 else None


def better(records: Records, title: str, report: str, groups: Sequence[Sequence[Pair]]) -> Finding:
    """A claim that the first run of a pair is more accurate: over all pairs of a group together, and in every group."""
    pairs = [pair for group in groups for pair in group]
    names = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    runs = equally_long(records, names)
    evidence = list(figures(runs, names)) if len(groups) == len(pairs) else []
    outcomes = []
    for group in groups:
        ready = [pair for pair in group if not_settled(runs, pair) is None]
        said = [(runs[first].predictions(), runs[second].predictions()) for first, second in ready]
        evidence += [difference_sentence(runs, pair, compare(*both)) for pair, both in zip(ready, said, strict=True)]
        if said:
            outcomes.append(compare_together(said))
        if len(said) > 1:
            evidence.append(f"These {len(said)} pairs together: {_points(outcomes[-1])}.")
    states = {not_settled(runs, pair) for pair in pairs}
    early = next((state for state in (Verdict.MISSING, Verdict.UNEQUAL) if state in states), None)
    return Finding(title, report, early or _verdict(outcomes), tuple(evidence), names, epochs_of(runs))


def _verdict(differences: Sequence[Difference]) -> Verdict:
    if all(d.accuracy > 0 and d.significant for d in differences):
        return Verdict.CONFIRMED
    if any(d.accuracy < 0 and d.significant for d in differences):
        return Verdict.CONTRADICTED
    return Verdict.UNDECIDED


def order_of_emotions(
    records: Records, name: str, title: str, report: str, holds: Callable[[np.ndarray], np.ndarray]
) -> Finding:
    """A claim about the order of emotions by F1, worst first, of one configuration."""
    runs = equally_long(records, (name,))
    if name not in runs:
        return Finding(title, report, Verdict.MISSING, (), (name,))
    run = runs[name]
    confusion = np.array(run.metrics["confusion"])
    n = confusion.sum()
    draws = np.random.default_rng(0).multinomial(n, confusion.ravel() / n, N_BOOTSTRAP).reshape(-1, *confusion.shape)
    share = float(holds(_f1(draws).argsort(axis=-1)).mean())
    scores = sorted(zip(EMOTIONS, _f1(confusion), strict=True), key=lambda item: item[1])
    evidence = (
        f"{after_epochs(run)} F1 of `{run.name}`: {', '.join(f'{emotion} {f1:.2f}' for emotion, f1 in scores)}.",
        f"It holds in {share:.0%} of {N_BOOTSTRAP:,} resamples of the test clips.",
    )
    if share > 1 - SIGNIFICANCE:
        verdict = Verdict.CONFIRMED
    else:
        verdict = Verdict.CONTRADICTED if share < SIGNIFICANCE else Verdict.UNDECIDED
    return Finding(title, report, verdict, evidence, (name,), epochs_of(runs))


def _f1(confusion: np.ndarray) -> np.ndarray:
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    return 2 * right / np.maximum(confusion.sum(-1) + confusion.sum(-2), 1)


def not_settled(runs: Runs, names: Sequence[str]) -> Verdict | None:
    """Why these runs can't be compared, if they can't."""
    if any(name not in runs for name in names):
        return Verdict.MISSING
    lengths = {runs[name].train["epochs"] for name in names}
    return Verdict.UNEQUAL if len(lengths) > 1 else None


def figures(runs: Runs, names: Sequence[str]) -> tuple[str, ...]:
    """Accuracy of each run that exists."""
    sentences = []
    for name in names:
        if run := runs.get(name):
            low, high = run.accuracy_interval
            interval = f"{low:.1%} to {high:.1%}"
            sentences.append(
                f"{after_epochs(run)} `{name}` is right for {run.accuracy:.1%} of the test clips ({interval})."
            )
    return tuple(sentences)


def difference_sentence(runs: Runs, pair: Pair, difference: Difference) -> str:
    """By how much the first of two runs is more accurate."""
    first, second = pair
    return f"{after_epochs(runs[first])} `{first}` against `{second}`: {_points(difference)}."


def _points(difference: Difference) -> str:
    low, high = difference.interval
    return (
        f"{100 * difference.accuracy:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}), "
        f"p {probability(difference.p_value)}"
    )


def after_epochs(run: Run) -> str:
    """How a sentence about a run begins."""
    return f"After {run.train['epochs']} epochs,"


def reported(name: str) -> str:
    """The accuracy that the report gives a configuration."""
    return f"{REPORT_RESULTS[name].accuracy:.1%}"
