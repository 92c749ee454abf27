"""The report's findings (its sections 6 and 7), one by one, and what our records say about each.

Each claim is one function; `ser_core.analysis.evidence` has what they are settled with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ser_core.analysis.comparison import compare
from ser_core.analysis.configurations import by_configuration, readable, run_label
from ser_core.analysis.evidence import (
    Finding,
    Pair,
    Records,
    Verdict,
    better,
    chosen,
    difference_sentence,
    epochs_of,
    figures,
    not_settled,
    order_of_emotions,
    unequal,
)
from ser_core.analysis.marks import Mark, Picture, pair_mark
from ser_core.analysis.report import REPORT_F1, REPORT_RESNET101, REPORT_RESULTS, reported, reported_difference
from ser_core.emotions import EMOTIONS
from ser_core.models.activations import activation_label
from ser_core.models.registry import model_label
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.report_grid import REPORT_ACTIVATIONS, REPORT_RATES
from ser_core.words import between, code, percent

BEST_2D, BEST_1D = "lr0.001-SiLU-2D", "lr0.01-ELU-1D"
COMBINED, VARIABLE, MEAN = (f"lr0.001-SiLU-Combined{form}" for form in ("", "-variable", "-mean"))
RESNETS = ("lr0.001-ReLU-ResNet38", "lr0.001-ReLU-ResNet101")
OVERFITTING = 0.2  # training accuracy above validation accuracy, at the end; our reading of "overfit"
COMPARABLE = 0.03  # accuracy; our reading of the report's "comparable"


def findings(runs: Iterable[Run]) -> list[Finding]:
    """All findings of the report. A run whose per-clip predictions can't be read is taken as missing."""
    records = by_configuration(readable(runs))
    return [find(records) for find in FINDINGS]


def _combined(records: Records) -> Finding:
    report = f"The 2D CNN ({reported(BEST_2D)}) outperforms the combined model ({reported(COMBINED)})."
    return better(records, "2D beats combined", report, [[(BEST_2D, COMBINED)]], asked=["model"])


def _silu(records: Records) -> Finding:
    relu = "lr0.001-ReLU-2D"
    points = f"{100 * reported_difference(BEST_2D, relu):.0f} points"
    return better(
        records,
        f"SiLU beats ReLU by {points}",
        f"SiLU ({reported(BEST_2D)}) is almost {points} better than ReLU ({reported(relu)}) in the 2D CNN.",
        [[(BEST_2D, relu)]],
        asked=["activation"],
        margin=reported_difference,
    )


def _silu_everywhere(records: Records) -> Finding:
    pairs = [
        (f"lr{rate:g}-SiLU-{model}", f"lr{rate:g}-ReLU-{model}")
        for model in ("2D", "Combined", "1D")
        for rate in REPORT_RATES
    ]
    report = "SiLU improves performance over ReLU significantly. (“In the 2D CNN most of all” is not judged.)"
    title = "SiLU beats ReLU in all networks and learning rates together"
    return better(records, title, report, [pairs], asked=["activation"])


def _elu(records: Records) -> Finding:
    others = [f"lr0.01-{activation}-1D" for activation in ("ReLU", "SiLU")]
    points = " and ".join(f"{100 * reported_difference(BEST_1D, other):.1f}" for other in others)
    return better(
        records,
        f"ELU is best for 1D, by {points} points",
        f"ELU ({reported(BEST_1D)}) is the best activation of the 1D CNN, {points} points above ReLU and SiLU.",
        [[(BEST_1D, other)] for other in others],
        asked=["activation"],
        margin=reported_difference,
    )


def _variable(records: Records) -> Finding:
    report = f"Variable-length input ({reported(VARIABLE)}) improves the combined model ({reported(COMBINED)})."
    pairs = [[(VARIABLE, COMBINED)]]
    return better(records, "Variable length helps", report, pairs, asked=["form"], margin=reported_difference)


def _high_rate(records: Records) -> Finding:
    pairs = _rate_pairs((model, 0.001, (0.1,)) for model in ("2D", "Combined", "1D"))
    high = [REPORT_RESULTS[worse].accuracy for group in pairs for _, worse in group if worse in REPORT_RESULTS]
    report = f"A learning rate of 0.1 performs poorly in all architectures ({between(min(high), max(high))})."
    return better(records, "A learning rate of 0.1 is too high", report, pairs, asked=["lr"])


def _low_rate(records: Records) -> Finding:
    pairs = _rate_pairs([("2D", 0.001, (0.01,)), ("Combined", 0.001, (0.01,))])
    report = "0.001 is the best learning rate for the 2D CNN and the combined model."
    return better(records, "Lower learning rates are better for 2D and combined", report, pairs, asked=["lr"])


def _medium_rate(records: Records) -> Finding:
    report = "0.01 is the best learning rate for the 1D CNN."
    return better(records, "0.01 is best for 1D", report, _rate_pairs([("1D", 0.01, (0.001, 0.1))]), asked=["lr"])


def _hardest(records: Records) -> Finding:
    report = f"Fear is the hardest emotion: the lowest F1 of the 2D CNN, {REPORT_F1['FEA']:.2f}."
    fear = EMOTIONS.index("FEA")
    return order_of_emotions(records, BEST_2D, "Fear is hardest", report, lambda order: order[..., 0] == fear)


def _easiest(records: Records) -> Finding:
    anger, happiness = (f"{REPORT_F1[emotion]:.2f}" for emotion in ("ANG", "HAP"))
    easiest = sorted(EMOTIONS.index(emotion) for emotion in ("ANG", "HAP"))
    return order_of_emotions(
        records,
        BEST_2D,
        "Anger and happiness are easiest",
        f"Anger and happiness are the easiest: F1 of {anger} and {happiness}.",
        lambda order: (np.sort(order[..., -2:], axis=-1) == easiest).all(axis=-1),
    )


def _mean(records: Records) -> Finding:
    title, report = (
        "Mean features are comparable",
        "The mean over time instead of whole 1D features has comparable accuracy in the combined model.",
    )
    names, asked = (MEAN, COMBINED), ["form"]
    runs = chosen(records, [names], asked)
    if early := not_settled(runs, names, asked):
        reason = unequal(runs, names, asked)
        return Finding(title, report, early, (*figures(runs, names), *([reason] if reason else [])), names)
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
        (*figures(runs, names), difference_sentence(runs, names, difference)),
        names,
        epochs_of(runs),
        Picture((pair_mark((runs[names[0]], runs[names[1]]), names, asked, difference),), limit=-COMPARABLE),
    )


def _resnets(records: Records) -> Finding:
    title = "ResNets overfit"
    report = (
        f"ResNet-38 ({reported(RESNETS[0])}) and ResNet-101 ({reported(RESNETS[1])}) overfit: in training, "
        f"ResNet-101 is right for {percent(REPORT_RESNET101['training'], 0)}, in validation for "
        f"{percent(REPORT_RESNET101['validation'], 0)}."
    )
    runs = chosen(records, [RESNETS], ["model"])
    present = list(runs.values())
    if not present:
        return Finding(title, report, Verdict.MISSING, (), RESNETS)
    gaps, marks, evidence = [], [], list(figures(runs, RESNETS))
    for name, run in runs.items():
        training, validation = (run.history[f"{part}_accuracy"][-1] for part in ("train", "val"))
        gaps.append(gap := float(training - validation))
        said = REPORT_RESNET101["training"] - REPORT_RESNET101["validation"] if name == RESNETS[-1] else None
        marks.append(Mark(model_label(run.train.model), gap, gap, gap, said, (run.name,)))
        evidence.append(
            f"{code(run_label(run))} is right for {percent(training)} on the training set and {percent(validation)} on "
            f"the validation set at the end. {_overconfidence(run)}"
        )
    by_accuracy = [f"{name}-by-accuracy" for name in RESNETS]
    evidence += figures(chosen(records, [(by_accuracy[0], by_accuracy[1])], ["model"]), by_accuracy)
    if len(present) < len(RESNETS):
        verdict = Verdict.MISSING
    elif all(gap >= OVERFITTING for gap in gaps):
        verdict = Verdict.CONFIRMED
    else:  # what doesn't overfit in a short training may in a long one
        whole = all(run.train.epochs >= TrainConfig.epochs for run in present)
        fits = all(gap < OVERFITTING for gap in gaps)
        verdict = Verdict.CONTRADICTED if whole and fits else Verdict.UNDECIDED
    picture = Picture(tuple(marks), "accuracy in training above that in validation, points", OVERFITTING)
    return Finding(title, report, verdict, tuple(evidence), RESNETS, epochs_of(runs), picture)


def _overconfidence(run: Run) -> str:
    """That a network may become more accurate while its loss grows, so that the loss picks an early epoch."""
    loss, accuracy, training = (run.history[column] for column in ("val_loss", "val_accuracy", "train_accuracy"))
    lowest, highest = int(np.where(np.isnan(loss), np.inf, loss).argmin()), int(accuracy.argmax())
    return (
        f"Its validation loss was lowest in epoch {lowest + 1}, with {percent(training[lowest])} and "
        f"{percent(accuracy[lowest])} right; most of the validation set was right in epoch {highest + 1}, "
        f"{percent(accuracy[highest])}."
    )


FINDINGS: tuple[Callable[[Records], Finding], ...] = (
    _combined,
    _silu,
    _silu_everywhere,
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


def _rate_pairs(claims: Iterable[tuple[str, float, Sequence[float]]]) -> list[list[Pair]]:
    """Runs that differ in the learning rate alone, the one that the report found better first.

    A group holds the report's activations of one network and two rates: that a rate is the best of three is two claims.
    """
    return [
        [
            (f"lr{best:g}-{activation}-{model}", f"lr{worse:g}-{activation}-{model}")
            for activation in map(activation_label, REPORT_ACTIVATIONS)
        ]
        for model, best, others in claims
        for worse in others
    ]
