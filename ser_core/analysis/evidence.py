"""How claims about runs are settled: verdicts, and the sentences with figures that they rest on.

Only runs that differ in nothing but what the claim asks about settle it (`ser_core.analysis.comparable`). Where a
configuration was trained several times, a claim is judged at the greatest number of epochs at which all its runs are
comparable. Where there is none, each of its parts is judged at its own. Each part has to hold: a claim of which one is
refuted is contradicted, whether or not the others can be judged. What short runs say is undecided where it would be the
other way round with longer ones, which can't be compared.

That one run is better counts as beyond chance if McNemar's exact test on the clips that both classified, or its
generalisation to several pairs of runs, says so and if the bootstrap interval of the difference over speakers and
clips excludes 0. Where the report says by how much, its own difference has to lie within that interval: outside, the
claim is contradicted, also by a greater difference. The report's figure is taken as it stands, without an interval of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from ser_core.analysis.comparison import SIGNIFICANCE, Difference, compare, compare_together, probability
from ser_core.analysis.configurations import run_label
from ser_core.analysis.deciding import Pair, Records, Runs, chosen, epochs_of, set_aside, turned, unequal
from ser_core.analysis.marks import Mark, Picture, pair_mark, together_mark
from ser_core.analysis.report import REPORT_F1
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.records.metrics import resampled_confusions
from ser_core.records.resampling import BOTH, N_BOOTSTRAP, interval
from ser_core.records.schema import UNKNOWN
from ser_core.words import between, code, percent, points, points_between

ANOTHER_SIZE = "it is ahead, but by another amount"
TURNED = "With these it is the other way round, and so the shorter ones settle nothing."


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
        turned: that it would be the other way round with those, if it would be.
        remark: what has to be read beside the verdict.
    """

    title: str
    report: str
    verdict: Verdict
    evidence: tuple[str, ...]
    runs: tuple[str, ...]
    epochs: int | None = None
    picture: Picture | None = None
    set_aside: tuple[str, ...] = ()
    turned: str = ""
    remark: str = ""


class Part(NamedTuple):
    """What some pairs of a claim say together: the verdict, sentences and marks, and whether the first is better."""

    verdict: Verdict
    evidence: list[str]
    marks: list[Mark]
    is_better: bool = False


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
    found = []
    for runs, group in parts:
        part = _part(runs, group, asked, margin)
        evidence += part.evidence
        if part.verdict in (Verdict.CONFIRMED, Verdict.CONTRADICTED) and turned(records, runs, group, asked):
            part = part._replace(verdict=Verdict.UNDECIDED)
            evidence.append(TURNED)
        found.append(part)
    verdict = min((part.verdict for part in found), key=DECIDES.index)
    marks = tuple(mark for part in found for mark in part.marks)
    decisive = [(runs, part) for (runs, _), part in zip(parts, found, strict=True) if part.verdict == verdict]
    by_size = verdict == Verdict.CONTRADICTED and all(part.is_better for _, part in decisive)
    return Finding(
        title,
        report,
        verdict,
        tuple(evidence),
        names,
        epochs_of(*(runs for runs, _ in decisive)),
        Picture(marks) if marks else None,
        longer,
        TURNED if TURNED in evidence else "",
        ANOTHER_SIZE if by_size else "",
    )


def _part(
    runs: Runs, pairs: Sequence[Pair], asked: Collection[str], margin: Callable[[str, str], float] | None
) -> Part:
    """What these pairs together say; of those that can be compared if not all can."""
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
        return Part(min(states, key=DECIDES.index), evidence, marks)
    assert together  # of pairs that are all there
    low, high = together.interval
    is_better, is_worse = (sign * together.accuracy > 0 and together.significant for sign in (1, -1))
    said_by_report = margin(*pairs[0]) if margin else None
    if said_by_report is not None and not low <= said_by_report <= high:
        evidence.append(f"The report's {points(said_by_report)} points are outside this interval.")
        verdict = Verdict.CONTRADICTED
    elif is_worse:
        verdict = Verdict.CONTRADICTED
    else:
        verdict = Verdict.CONFIRMED if is_better else Verdict.UNDECIDED
    return Part(verdict, evidence, marks, is_better)


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
