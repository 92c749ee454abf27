"""How claims about runs are settled: verdicts, and the sentences with figures that they rest on.

Only runs that differ in nothing but what the claim asks about settle it (`ser_core.analysis.comparable`). Where a
configuration was trained several times, a claim is judged at the greatest number of epochs at which all its runs are
comparable. Where there is none, each of its parts is judged at its own. Each part has to hold: a claim of which one is
refuted is contradicted, whether or not the others can be judged. What short runs say is undecided while longer ones,
which can't be compared, point the other way.

That one run is better counts as beyond chance if McNemar's exact test on the clips that both classified, or its
generalisation to several pairs of runs, says so and if the bootstrap interval of the difference over speakers and
clips excludes 0. Where the report says by how much, its own difference has to lie within that interval: outside, the
claim is contradicted, also by a greater difference. The report's figure is taken as it stands, without an interval of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np

from ser_core.analysis.comparable import differences, listed
from ser_core.analysis.comparison import SIGNIFICANCE, Difference, compare, compare_together, probability
from ser_core.analysis.configurations import run_label
from ser_core.analysis.marks import Mark, Picture, pair_mark, together_mark
from ser_core.analysis.report import REPORT_F1
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.records.metrics import resampled_confusions
from ser_core.records.resampling import BOTH, N_BOOTSTRAP, interval
from ser_core.records.runs import Run
from ser_core.records.schema import UNKNOWN
from ser_core.words import between, code, counted, percent, points, points_between

Runs = Mapping[str, Run]
Records = Mapping[str, Mapping[int, Sequence[Run]]]
"""Of each configuration, by its name, and of each number of epochs."""
Pair = tuple[str, str]


class Verdict(StrEnum):
    """What our records say about a finding."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    NOT_COMPARABLE = "not comparable"
    MISSING = "no run yet"


DECIDES = (
    Verdict.CONTRADICTED,
    Verdict.MISSING,
    Verdict.NOT_COMPARABLE,
    Verdict.UNDECIDED,
    Verdict.CONFIRMED,
)
"""Of a claim with several parts, the verdict of one that decides, the first of these."""


@dataclass(frozen=True)
class Finding:
    """A claim and how it fares.

    Attributes:
        title: the claim in a few words.
        report: what the report says, with its figures.
        verdict: of our records.
        evidence: sentences with figures and intervals.
        runs: names of the configurations that the claim is about, also of those that were not trained.
        epochs: that all runs which decide the verdict were trained for, None where they differ or there are none.
        picture: what was measured, if anything was.
        set_aside: the sentences of the evidence on runs that are longer than those which decide.
    """

    title: str
    report: str
    verdict: Verdict
    evidence: tuple[str, ...]
    runs: tuple[str, ...]
    epochs: int | None = None
    picture: Picture | None = None
    set_aside: tuple[str, ...] = ()


def chosen(records: Records, pairs: Sequence[Pair], asked: Collection[str]) -> Runs:
    """A run of each configuration that has one: those of the greatest length at which all pairs are comparable.

    If there is no such length, the first of the greatest length that all have, or else the longest of each.
    """
    present = {name: records[name] for pair in pairs for name in pair if name in records}
    groups = list(_linked([pair for pair in pairs if all(name in present for name in pair)], present))
    lengths = sorted(set.intersection(*map(set, present.values())), reverse=True) if present else []
    for length in lengths:
        sets = [_comparable({name: present[name][length] for name in group}, asked) for group in groups]
        if all(sets):
            return {name: run for runs in sets for name, run in runs.items()}
    return {name: runs[lengths[0] if lengths else max(runs)][0] for name, runs in present.items()}


def _linked(pairs: Sequence[Pair], names: Iterable[str]) -> Iterator[list[str]]:
    """The configurations that are compared with each other, directly or through others."""
    left = list(names)
    while left:
        group = [left[0]]
        for name in group:  # grows meanwhile
            neighbours = [other for pair in pairs if name in pair for other in pair]
            group += dict.fromkeys(other for other in neighbours if other not in group)
        left = [name for name in left if name not in group]
        yield group


def _comparable(candidates: Mapping[str, Sequence[Run]], asked: Collection[str]) -> Runs:
    """The first of all choices of a run for each configuration that are all comparable; nothing if none are."""
    for runs in product(*candidates.values()):
        if not differences(runs, asked):
            return dict(zip(candidates, runs, strict=True))
    return {}


def epochs_of(*parts: Runs) -> int | None:
    """How long all of these runs were trained, None where they differ or there are none."""
    lengths = {run.train.epochs for runs in parts for run in runs.values()}
    return lengths.pop() if len(lengths) == 1 else None


def better(
    records: Records,
    title: str,
    report: str,
    groups: Sequence[Sequence[Pair]],
    *,
    asked: Collection[str],
    margin: Callable[[str, str], float] | None = None,
) -> Finding:
    """A claim that the first run of a pair is more accurate: over all pairs of a group together, and in every group.

    Args:
        asked: names of the settings in which the runs of a pair may differ, as in `TrainConfig`.
        margin: by how much the first is better, of the names of a group's one pair; without it, any difference is.
    """
    pairs = [pair for group in groups for pair in group]
    names = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    together = chosen(records, pairs, asked)
    apart = any(not_settled(together, pair, asked) for pair in pairs)
    parts = [(chosen(records, group, asked) if apart else together, group) for group in groups]
    evidence: list[str] = []
    if len(groups) == len(pairs):
        evidence += dict.fromkeys(sentence for runs, (pair,) in parts for sentence in figures(runs, pair))
    longer = tuple(
        dict.fromkeys(
            sentence for runs, group in parts for pair in group for sentence in set_aside(records, runs, pair, asked)
        )
    )
    evidence += longer
    verdicts, marks = [], list[Mark]()
    for runs, group in parts:
        verdict, sentences, measured = _part(runs, group, asked, margin)
        evidence += sentences
        if verdict in (Verdict.CONFIRMED, Verdict.CONTRADICTED) and _turned(records, runs, group, asked):
            verdict = Verdict.UNDECIDED
            turned = "They point the other way, and the shorter ones settle nothing while they do."
            evidence.append(turned)
            longer += (turned,)
        verdicts.append(verdict)
        marks += measured
    verdict = min(verdicts, key=DECIDES.index)
    picture = Picture(tuple(marks)) if marks else None
    decisive = [runs for (runs, _), of_part in zip(parts, verdicts, strict=True) if of_part == verdict]
    return Finding(title, report, verdict, tuple(evidence), names, epochs_of(*decisive), picture, longer)


def _part(
    runs: Runs, pairs: Sequence[Pair], asked: Collection[str], margin: Callable[[str, str], float] | None
) -> tuple[Verdict, list[str], list[Mark]]:
    """What these pairs together say, with sentences and marks; of those that can be compared if not all can."""
    evidence, ready = [], []
    for pair in pairs:
        if reason := unequal(runs, pair, asked):
            evidence.append(reason)
        elif all(name in runs for name in pair):
            ready.append(pair)
    said = [(runs[first].predictions(), runs[second].predictions()) for first, second in ready]
    marks = []
    for pair, both in zip(ready, said, strict=True):
        difference = compare(*both)
        evidence.append(difference_sentence(runs, pair, difference))
        marks.append(pair_mark((runs[pair[0]], runs[pair[1]]), pair, asked, difference))
    together = compare_together(said) if said else None
    if together and len(said) > 1:
        evidence.append(f"These {len(said)} pairs together: {_points(together)}.")
        marks.append(together_mark([(runs[first], runs[second]) for first, second in ready], ready, asked, together))
    if states := {state for pair in pairs if (state := not_settled(runs, pair, asked))}:
        return min(states, key=DECIDES.index), evidence, marks
    assert together  # of pairs that are all there
    return _verdict(together, margin(*pairs[0]) if margin else None), evidence, marks


def _verdict(difference: Difference, margin: float | None) -> Verdict:
    """Of one comparison; see the module's docstring."""
    low, high = difference.interval
    is_better, is_worse = ((sign * difference.accuracy > 0 and difference.significant) for sign in (1, -1))
    if is_worse or (margin is not None and not low <= margin <= high):
        return Verdict.CONTRADICTED
    return Verdict.CONFIRMED if is_better else Verdict.UNDECIDED


def order_of_emotions(
    records: Records, name: str, title: str, report: str, holds: Callable[[np.ndarray], np.ndarray]
) -> Finding:
    """A claim about the order of emotions by F1, worst first, of one configuration: of its longest run on the report's
    split."""
    by_length = sorted(records.get(name, {}).items(), reverse=True)
    run = next((run for _, runs in by_length for run in runs if run.split_id in (REPORT_SPLIT_ID, UNKNOWN)), None)
    if run is None:
        return Finding(title, report, Verdict.MISSING, (), (name,))
    said = run.predictions()
    f1 = _f1(resampled_confusions(said.targets.tolist(), said.predicted.tolist(), said.speakers))
    share = float(holds(f1.argsort(axis=-1)).mean())
    scores = sorted(zip(EMOTIONS, _f1(np.array(run.metrics.confusion)), f1.T, strict=True), key=lambda item: item[1])
    marks = tuple(
        Mark(EMOTION_NAMES[emotion], float(value), *interval(draws), REPORT_F1.get(emotion), (run.name,), emotion)
        for emotion, value, draws in scores
    )
    listing = ", ".join(f"{EMOTION_NAMES[emotion]} {value:.2f}" for emotion, value, _ in scores)
    evidence = (
        f"F1 of {code(run_label(run))}: {listing}.",
        f"It holds in {percent(share, 0)} of {N_BOOTSTRAP:,} resamples of {BOTH}.",
    )
    if share > 1 - SIGNIFICANCE:
        verdict = Verdict.CONFIRMED
    else:
        verdict = Verdict.CONTRADICTED if share < SIGNIFICANCE else Verdict.UNDECIDED
    picture = Picture(marks, "F1", points=False)
    return Finding(title, report, verdict, evidence, (name,), run.train.epochs, picture)


def _f1(confusion: np.ndarray) -> np.ndarray:
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    return 2 * right / np.maximum(confusion.sum(-1) + confusion.sum(-2), 1)


def not_settled(runs: Runs, names: Sequence[str], asked: Collection[str]) -> Verdict | None:
    """Why these runs can't be compared, if they can't."""
    if any(name not in runs for name in names):
        return Verdict.MISSING
    return Verdict.NOT_COMPARABLE if unequal(runs, names, asked) else None


def unequal(runs: Runs, names: Sequence[str], asked: Collection[str]) -> str | None:
    """The sentence that says in what else than what is asked these runs differ, if they do; of those that exist."""
    present = [runs[name] for name in names if name in runs]
    if not (found := differences(present, asked)):
        return None
    return (
        f"{' and '.join(code(run_label(run)) for run in present)} are not comparable. They differ in {listed(found)}."
    )


def set_aside(records: Records, runs: Runs, pair: Pair, asked: Collection[str]) -> Iterator[str]:
    """Why the longest runs of a pair decide nothing, where shorter ones do."""
    if longer := _longer(records, runs, pair, asked):
        length = longer[pair[0]].train.epochs
        reason = unequal(longer, pair, asked) or "At that length, not all that the claim is about can be compared."
        have = ", and ".join(f"{code(name)} has {percent(run.accuracy)}" for name, run in longer.items())
        yield f"Runs of {counted(length, 'epoch')} are set aside, where {have}. {reason}"


def _longer(records: Records, runs: Runs, pair: Pair, asked: Collection[str]) -> Runs:
    """The longest runs of a pair, where shorter ones are compared; else nothing."""
    if not_settled(runs, pair, asked):
        return {}
    used = max(runs[name].train.epochs for name in pair)
    longest = max(set.intersection(*(set(records[name]) for name in pair)))
    return {name: records[name][longest][0] for name in pair} if longest > used else {}


def _turned(records: Records, runs: Runs, pairs: Sequence[Pair], asked: Collection[str]) -> bool:
    """Whether all pairs have longer runs than those that are compared, and these are the other way round in sum."""
    longer = [_longer(records, runs, pair, asked) for pair in pairs]
    if not all(longer):
        return False

    def ahead(of: Runs, pair: Pair) -> float:
        return of[pair[0]].accuracy - of[pair[1]].accuracy

    sums = (
        sum(ahead(of, pair) for of, pair in zip(all_of, pairs, strict=True)) for all_of in ([runs] * len(pairs), longer)
    )
    short, long = sums
    return short * long < 0


def figures(runs: Runs, names: Sequence[str]) -> tuple[str, ...]:
    """Accuracy of each run that exists; its interval is over speakers and clips, unless it says otherwise."""
    sentences = []
    for name in names:
        if run := runs.get(name):
            over = "" if run.intervals_over == BOTH else f", over {run.intervals_over}"
            sentences.append(
                f"{code(run_label(run))} is right for {percent(run.accuracy)} of the test clips "
                f"({between(*run.accuracy_interval)}{over})."
            )
    return tuple(sentences)


def difference_sentence(runs: Runs, pair: Pair, difference: Difference) -> str:
    """By how much the first of two runs is more accurate."""
    first, second = (runs[name] for name in pair)
    return f"{code(run_label(first))} against {code(run_label(second))}: {_points(difference)}."


def _points(difference: Difference) -> str:
    return (
        f"{points(difference.accuracy)} points ({points_between(*difference.interval)}), "
        f"p {probability(difference.p_value)}"
    )
