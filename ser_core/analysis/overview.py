"""What this project is in four bars: how often people are right, and the best models on ever stranger recordings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from ser_core.analysis.comparable import by_split, candidates, which_folds
from ser_core.analysis.raters import rater_confusion
from ser_core.analysis.speakers import HEARD, UNHEARD, alike, pooled
from ser_core.corpus.clips import Clip
from ser_core.corpus.splits import SPLITS
from ser_core.records.evaluations import Evaluation
from ser_core.records.runs import Run


class Bar(NamedTuple):
    """Who answers, and how often rightly.

    Attributes:
        what: who answers about whom.
        detail: how much of what, as `2,233 clips of CREMA-D`.
        accuracy: 0..1.
        interval: its 95 % interval, where there is one.
        runs: the run of the model, or those of its folds; nothing for people.
    """

    what: str
    detail: str
    accuracy: float
    interval: tuple[float, float] | None = None
    runs: tuple[str, ...] = ()


def bar_rows(bars: Iterable[Bar]) -> list[dict[str, Any]]:
    """Bars as rows of a table; shares are 0..1."""
    return [
        {
            "what": bar.what,
            "of": bar.detail,
            "accuracy": bar.accuracy,
            "low": bar.interval[0] if bar.interval else None,
            "high": bar.interval[1] if bar.interval else None,
            "run": ", ".join(bar.runs),
        }
        for bar in bars
    ]


def people_bar(clips: Sequence[Clip]) -> Bar:
    """People who only hear the clips of CREMA-D."""
    ratings = rater_confusion(clips)
    return Bar("People who only heard it", f"{ratings.sum():,} ratings", float(ratings.trace() / ratings.sum()))


def model_bars(runs: Iterable[Run], evaluations: Iterable[Evaluation], usable: Collection[str] = ()) -> list[Bar]:
    """The best model on speakers it learned from, on speakers it never heard, and on each corpus that is new to it.

    Validation picks the best of one split; on another corpus, it is the best of those that were tried there. All are
    of the same settings, as far as there are such. Of speakers it never heard, all folds that are there count.

    Args:
        runs: finished ones.
        evaluations: of their checkpoints.
        usable: names of the checkpoints that can be used here: a model that nobody can try comes after them.
    """
    known = list(runs)
    of_cremad = candidates(run for run in known if not run.environment.corpora)
    shared, unheard = ([run for run in of_cremad if run.train.split in splits] for splits in (SPLITS[:1], SPLITS[1:]))
    bars: list[Bar] = []
    best = _best_of_one_split(shared, usable)
    if best:
        bars.append(_of_folds(f"Best model, {HEARD}", [best]))
    if folds := alike(unheard, best) or alike(unheard, _best_of_one_split(unheard, usable)):
        bars.append(_of_folds(f"Best model, {UNHEARD}", folds))
    ranks = {run.name: run.val_rank for run in known}
    of_corpus: dict[str, list[Evaluation]] = {}
    for one in evaluations:
        if one.checkpoint.heard == "nothing" and one.checkpoint.name in ranks and not one.corpus.change:
            of_corpus.setdefault(one.corpus.title, []).append(one)
    for title, tried in of_corpus.items():
        here_too = [one for one in tried if one.checkpoint.name in usable]
        one = max(here_too or tried, key=lambda tried: ranks[tried.checkpoint.name])
        detail, interval = f"{one.metrics.clips:,} clips of {title}", one.metrics.intervals["accuracy"]
        what = "Best model, recordings of other origin"
        bars.append(Bar(what, detail, one.metrics.accuracy, interval, (one.checkpoint.name,)))
    return bars


def _best_of_one_split(runs: Iterable[Run], usable: Collection[str]) -> Run | None:
    """The best in validation of the split that most runs are of; those that can be used here come first."""
    several = next(iter(by_split(runs).values()), [])
    here = [run for run in several if run.name in usable]
    return max(here or several, key=lambda run: run.val_rank, default=None)


def _of_folds(what: str, folds: Sequence[Run]) -> Bar:
    """The bar of one model, see `pooled`."""
    found = pooled(folds)
    detail = f"{found.clips:,} clips of CREMA-D"
    if folds[0].train.split != SPLITS[0]:
        detail += f", {which_folds(folds)}"
    return Bar(what, detail, found.value, (found.low, found.high), tuple(run.name for run in folds))
