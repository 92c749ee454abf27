"""An evaluation in a table that people read."""

from __future__ import annotations

from ser_core.corpus.registry import KINDS
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.records.evaluations import Evaluation, Heard
from ser_core.words import counted

HEARD: dict[Heard, str] = {
    "nothing": "nothing of this corpus was trained on",
    "other speakers": "trained on other speakers of this corpus",
    "same speakers": "trained on other clips of the same speakers",
    "unknown": "what it was trained on isn't known",
}
"""What a checkpoint heard of the corpus, in words."""


def title_of(corpus: str) -> str:
    """What people call a corpus, by its name."""
    return KINDS[corpus].title if corpus in KINDS else corpus


def summary(evaluation: Evaluation) -> list[str]:
    """The figures, line by line."""
    corpus, metrics = evaluation.corpus, evaluation.metrics
    who = f"of {counted(corpus.speakers, 'speaker')}" if corpus.speakers else "of unknown speakers"
    low, high = metrics.intervals["uar"]
    lines = [
        f"{evaluation.checkpoint.name} on {corpus.title}: {counted(corpus.clips, 'clip')} {who}, {corpus.part}; "
        f"{HEARD[evaluation.checkpoint.heard]}",
        f"  unweighted average recall   {metrics.uar:6.1%} (95 % interval over {metrics.intervals_over} {low:.1%} to "
        f"{high:.1%}; chance {1 / len(EMOTIONS):.1%})",
        f"  accuracy                    {metrics.accuracy:6.1%}",
        f"  weighted F1                 {metrics.f1_weighted:6.1%}",
        f"  expected calibration error  {evaluation.calibration_error:6.1%}",
        "",
        f"  {'meant':10} {'clips':>6} {'recall':>7}  said: {' '.join(f'{e:>5}' for e in EMOTIONS)}",
    ]
    for emotion, row in zip(EMOTIONS, metrics.confusion, strict=True):
        scores = metrics.per_class[emotion]
        recall = f"{scores.recall:7.1%}" if scores.support else f"{'–':>7}"
        counts = " ".join(f"{n:5,}" for n in row)
        lines.append(f"  {EMOTION_NAMES[emotion]:10} {scores.support:6,} {recall}        {counts}")
    for what, groups in (("speaker", evaluation.speakers), ("sex", evaluation.sexes)):
        if groups:
            lines += ["", f"  {what:10} {'clips':>6}  average recall"]
        for name, figures in groups.items():
            lines.append(f"  {name:10} {figures.clips:6,} {figures.uar:7.1%} ({figures.low:.1%} to {figures.high:.1%})")
    for what, reasons in (("left out", corpus.left_out), ("without an answer", evaluation.unanswered)):
        lines += [f"  {what}: {counted(n, 'clip')}, {reason}" for reason, n in reasons.items()]
    if corpus.speakers and (unheard := corpus.speakers - len(evaluation.speakers)):
        lines.append(f"  not in the table: {counted(unheard, 'speaker')}, of whom no clip has an answer")
    return lines
