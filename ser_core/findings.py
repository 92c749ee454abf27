"""The report's findings (its sections 6 and 7), one by one, and what our records say about each.

A comparison of accuracies is settled by McNemar's test on the clips that both runs classified, an order of emotions by
bootstrapping the confusion matrix. Runs that were trained for different numbers of epochs settle nothing: where a
configuration was trained for several, a claim is judged at the greatest number that all of its runs have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import add

import numpy as np

from ser_core.compare import SIGNIFICANCE, Difference, compare
from ser_core.emotions import EMOTIONS
from ser_core.errors import RunError
from ser_core.evaluation import N_BOOTSTRAP
from ser_core.names import ACTIVATION_LABELS
from ser_core.report import REPORT_RESULTS
from ser_core.runs import Run
from ser_core.study import configuration_of
from ser_core.train_config import TrainConfig

Runs = Mapping[str, Run]
Records = Mapping[str, Mapping[int, Run]]
"""Of each configuration, by its name, and of each number of epochs."""
BEST_2D, BEST_1D = "lr0.001-SiLU-2D", "lr0.01-ELU-1D"
COMBINED, VARIABLE, MEAN = (f"lr0.001-SiLU-Combined{form}" for form in ("", "-variable", "-mean"))
RESNETS = ("lr0.001-ReLU-ResNet38", "lr0.001-ReLU-ResNet101")
OVERFITTING = 0.2  # training accuracy above validation accuracy, at the end; the report saw 0.29
COMPARABLE = 0.03  # accuracy; our reading of the report's "comparable"


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
    """

    title: str
    report: str
    verdict: Verdict
    evidence: tuple[str, ...]
    runs: tuple[str, ...]


def findings(runs: Iterable[Run]) -> list[Finding]:
    """All findings of the report. A run whose per-clip predictions can't be read is taken as missing."""
    records: dict[str, dict[int, Run]] = {}
    for run in runs:
        if _readable(run):
            records.setdefault(configuration_of(run), {})[run.train["epochs"]] = run
    return [find(records) for find in FINDINGS]


def _equally_long(records: Records, names: Iterable[str]) -> Runs:
    """Of each configuration the run with the most epochs that all of them have; if there is none, its longest."""
    present = {name: records[name] for name in names if name in records}
    common = set.intersection(*(set(lengths) for lengths in present.values())) if present else set()
    return {name: lengths[max(common or lengths)] for name, lengths in present.items()}


def _readable(run: Run) -> bool:
    """Whether the run's per-clip predictions can be read, without which it settles nothing."""
    try:
        run.predictions()
    except RunError:
        return False
    return True


def _combined(records: Records) -> Finding:
    report = f"The 2D CNN ({_reported(BEST_2D)}) outperforms the combined model ({_reported(COMBINED)})."
    return _better(records, "2D beats combined", report, [(BEST_2D, COMBINED)])


def _silu(records: Records) -> Finding:
    relu = "lr0.001-ReLU-2D"
    report = f"SiLU ({_reported(BEST_2D)}) is almost 6 points better than ReLU ({_reported(relu)}) in the 2D CNN."
    return _better(records, "SiLU beats ReLU by 6 points", report, [(BEST_2D, relu)])


def _elu(records: Records) -> Finding:
    others = [f"lr0.01-{activation}-1D" for activation in ("ReLU", "SiLU")]
    report = f"ELU ({_reported(BEST_1D)}) is the best activation of the 1D CNN, by 0.7 and 1.5 points."
    return _better(records, "ELU is best for 1D", report, [(BEST_1D, other) for other in others])


def _variable(records: Records) -> Finding:
    report = f"Variable-length input ({_reported(VARIABLE)}) improves the combined model ({_reported(COMBINED)})."
    return _better(records, "Variable length helps", report, [(VARIABLE, COMBINED)])


def _high_rate(records: Records) -> Finding:
    pairs = _rate_pairs((model, 0.001, (0.1,)) for model in ("2D", "Combined", "1D"))
    report = "A learning rate of 0.1 performs poorly in all architectures (39 % to 44 %)."
    return _better(records, "A learning rate of 0.1 is too high", report, pairs, pooled=True)


def _low_rate(records: Records) -> Finding:
    pairs = _rate_pairs([("2D", 0.001, (0.01,)), ("Combined", 0.001, (0.01,))])
    report = "0.001 is the best learning rate for the 2D CNN and the combined model."
    return _better(records, "Lower learning rates are better for 2D and combined", report, pairs, pooled=True)


def _medium_rate(records: Records) -> Finding:
    report = "0.01 is the best learning rate for the 1D CNN."
    return _better(records, "0.01 is best for 1D", report, _rate_pairs([("1D", 0.01, (0.001, 0.1))]), pooled=True)


def _hardest(records: Records) -> Finding:
    report = "Fear is the hardest emotion: the lowest F1 of the 2D CNN, 0.55."
    return _order(records, "FEA is hardest", report, lambda order: order[..., 0] == EMOTIONS.index("FEA"))


def _easiest(records: Records) -> Finding:
    report = "Anger and happiness are the easiest: F1 of 0.76 and 0.71."
    easiest = sorted(EMOTIONS.index(emotion) for emotion in ("ANG", "HAP"))
    return _order(
        records,
        "ANG and HAP are easiest",
        report,
        lambda order: (np.sort(order[..., -2:], axis=-1) == easiest).all(axis=-1),
    )


def _mean(records: Records) -> Finding:
    title, report = (
        "Mean features are comparable",
        "The mean over time instead of whole 1D features has comparable accuracy in the combined model.",
    )
    names = (MEAN, COMBINED)
    runs = _equally_long(records, names)
    if early := _not_settled(runs, names):
        return Finding(title, report, early, _figures(runs, names), names)
    difference = compare(*(runs[name].predictions() for name in names))
    low, high = difference.interval
    if low > -COMPARABLE:
        verdict = Verdict.CONFIRMED
    else:
        verdict = Verdict.CONTRADICTED if high < -COMPARABLE else Verdict.UNDECIDED
    return Finding(
        title,
        report,
        verdict,
        (*_figures(runs, names), _sentence(runs, names, difference)),
        names,
    )


def _resnets(records: Records) -> Finding:
    title = "ResNets overfit"
    report = (
        f"ResNet-38 ({_reported(RESNETS[0])}) and ResNet-101 ({_reported(RESNETS[1])}) overfit: in training, "
        "ResNet-101 is right for 70 %, in validation for 41 %."
    )
    runs = _equally_long(records, RESNETS)
    present = list(runs.values())
    if not present:
        return Finding(title, report, Verdict.MISSING, (), RESNETS)
    gaps, evidence = [], list(_figures(runs, RESNETS))
    for run in present:
        training, validation = (run.history[f"{part}_accuracy"][-1] for part in ("train", "val"))
        gaps.append(training - validation)
        evidence.append(
            f"{_epochs(run)} `{run.name}` is right for {training:.1%} in training and {validation:.1%} in validation; "
            f"its validation loss was lowest in epoch {run.test['best_epoch'] or '–'}."
        )
    if len(present) < len(RESNETS):
        verdict = Verdict.MISSING
    elif all(gap >= OVERFITTING for gap in gaps):
        verdict = Verdict.CONFIRMED
    else:  # what doesn't overfit in a short training may in a long one
        whole = all(run.train["epochs"] >= TrainConfig.epochs for run in present)
        fits = all(gap < OVERFITTING for gap in gaps)
        verdict = Verdict.CONTRADICTED if whole and fits else Verdict.UNDECIDED
    return Finding(title, report, verdict, tuple(evidence), RESNETS)


FINDINGS: tuple[Callable[[Records], Finding], ...] = (
    _combined,
    _silu,
    _elu,
    _variable,
    _low_rate,
    _medium_rate,
    _high_rate,
    _hardest,
    _easiest,
    _mean,
    _resnets,
)


def _rate_pairs(claims: Iterable[tuple[str, float, Sequence[float]]]) -> list[tuple[str, str]]:
    """Runs that differ in the learning rate alone, the one that the report found better first."""
    return [
        (f"lr{better:g}-{activation}-{model}", f"lr{worse:g}-{activation}-{model}")
        for model, better, others in claims
        for worse in others
        for activation in ACTIVATION_LABELS.values()
    ]


def _better(
    records: Records, title: str, report: str, pairs: Sequence[tuple[str, str]], *, pooled: bool = False
) -> Finding:
    """A claim that in each pair (or, `pooled`, in all pairs together) the first run is more accurate."""
    names = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    runs = _equally_long(records, names)
    ready = [pair for pair in pairs if _not_settled(runs, pair) is None]
    differences = {pair: compare(*(runs[name].predictions() for name in pair)) for pair in ready}
    evidence = [] if pooled else list(_figures(runs, names))
    evidence += [_sentence(runs, pair, difference) for pair, difference in differences.items()]
    if pooled and len(differences) > 1:
        together = reduce(add, differences.values())
        evidence.append(f"All {len(differences)} pairs together: {_points(together)}.")
        outcomes = [together]
    else:
        outcomes = list(differences.values())
    early = _not_settled_pairs(runs, pairs)
    return Finding(title, report, early or _verdict(outcomes), tuple(evidence), names)


def _not_settled_pairs(runs: Runs, pairs: Sequence[tuple[str, str]]) -> Verdict | None:
    states = {_not_settled(runs, pair) for pair in pairs}
    return next((state for state in (Verdict.MISSING, Verdict.UNEQUAL) if state in states), None)


def _verdict(differences: Sequence[Difference]) -> Verdict:
    if all(d.accuracy > 0 and d.significant for d in differences):
        return Verdict.CONFIRMED
    if any(d.accuracy < 0 and d.significant for d in differences):
        return Verdict.CONTRADICTED
    return Verdict.UNDECIDED


def _order(records: Records, title: str, report: str, holds: Callable[[np.ndarray], np.ndarray]) -> Finding:
    """A claim about the order of emotions by F1, worst first, of the report's best run."""
    runs = _equally_long(records, (BEST_2D,))
    if BEST_2D not in runs:
        return Finding(title, report, Verdict.MISSING, (), (BEST_2D,))
    run = runs[BEST_2D]
    confusion = np.array(run.metrics["confusion"])
    n = confusion.sum()
    draws = np.random.default_rng(0).multinomial(n, confusion.ravel() / n, N_BOOTSTRAP).reshape(-1, *confusion.shape)
    share = float(holds(_f1(draws).argsort(axis=-1)).mean())
    scores = sorted(zip(EMOTIONS, _f1(confusion), strict=True), key=lambda item: item[1])
    evidence = (
        f"{_epochs(run)} F1 of `{run.name}`: {', '.join(f'{emotion} {f1:.2f}' for emotion, f1 in scores)}.",
        f"It holds in {share:.0%} of {N_BOOTSTRAP:,} resamples of the test clips.",
    )
    if share > 1 - SIGNIFICANCE:
        verdict = Verdict.CONFIRMED
    else:
        verdict = Verdict.CONTRADICTED if share < SIGNIFICANCE else Verdict.UNDECIDED
    return Finding(title, report, verdict, evidence, (BEST_2D,))


def _f1(confusion: np.ndarray) -> np.ndarray:
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    return 2 * right / np.maximum(confusion.sum(-1) + confusion.sum(-2), 1)


def _not_settled(runs: Runs, names: Sequence[str]) -> Verdict | None:
    """Why these runs can't be compared, if they can't."""
    if any(name not in runs for name in names):
        return Verdict.MISSING
    lengths = {runs[name].train["epochs"] for name in names}
    return Verdict.UNEQUAL if len(lengths) > 1 else None


def _figures(runs: Runs, names: Sequence[str]) -> tuple[str, ...]:
    """Accuracy of each run that exists."""
    sentences = []
    for name in names:
        if run := runs.get(name):
            low, high = run.accuracy_interval
            sentences.append(
                f"{_epochs(run)} `{name}` is right for {run.accuracy:.1%} of the test clips ({low:.1%} to {high:.1%})."
            )
    return tuple(sentences)


def _sentence(runs: Runs, pair: tuple[str, str], difference: Difference) -> str:
    first, second = pair
    return f"{_epochs(runs[first])} `{first}` against `{second}`: {_points(difference)}."


def _points(difference: Difference) -> str:
    low, high = difference.interval
    return (
        f"{100 * difference.accuracy:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}), "
        f"McNemar's p {probability(difference.p_value)}"
    )


def probability(p_value: float) -> str:
    """A p-value as text, as `= 0.027`."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def _epochs(run: Run) -> str:
    return f"After {run.train['epochs']} epochs,"


def _reported(name: str) -> str:
    return f"{REPORT_RESULTS[name].accuracy:.1%}"
