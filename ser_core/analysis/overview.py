"""What this project is in four bars: how often people are right, and the best models on ever stranger recordings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ser_core.analysis.comparable import by_split, candidates
from ser_core.analysis.raters import rater_confusion
from ser_core.corpus.clips import Clip
from ser_core.corpus.splits import SPLITS
from ser_core.records.evaluations import Evaluation
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig


class Bar(NamedTuple):
    """Who answers, and how often rightly.

    Attributes:
        what: who answers about whom.
        detail: how much of what, as `2,233 clips of CREMA-D`.
        accuracy: 0..1.
        interval: its 95 % interval, where there is one.
        run: the run of the model; None for people.
    """

    what: str
    detail: str
    accuracy: float
    interval: tuple[float, float] | None = None
    run: str | None = None


def bar_rows(bars: Iterable[Bar]) -> list[dict[str, Any]]:
    """Bars as rows of a table; shares are 0..1."""
    return [
        {
            "what": bar.what,
            "of": bar.detail,
            "accuracy": bar.accuracy,
            "low": bar.interval[0] if bar.interval else None,
            "high": bar.interval[1] if bar.interval else None,
            "run": bar.run or "",
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
    of the same settings, as far as there are such.

    Args:
        runs: finished ones.
        evaluations: of their checkpoints.
        usable: names of the checkpoints that can be used here: a model that nobody can try comes after them.
    """
    known = list(runs)
    of_cremad = [run for run in known if not run.environment.corpora]
    bars: list[Bar] = []
    settings: TrainConfig | None = None
    for what, splits in (
        ("Best model, speakers it learned from", SPLITS[:1]),
        ("Best model, speakers it never heard", SPLITS[1:]),
    ):
        if of_split := next(iter(by_split(run for run in of_cremad if run.train.split in splits).values()), None):
            several = candidates(of_split)
            alike = [run for run in several if settings and replace(run.train, split=settings.split) == settings]
            here = [run for run in several if run.name in usable]
            best = max(alike or here or several, key=lambda run: run.val_rank)
            settings = settings or best.train
            detail = f"{best.environment.clips.test:,} clips of CREMA-D"
            if best.train.split != SPLITS[0]:
                detail += f", fold {SPLITS.index(best.train.split)} of {len(SPLITS) - 1}"
            bars.append(Bar(what, detail, best.accuracy, best.accuracy_interval, best.name))
    ranks = {run.name: run.val_rank for run in known}
    of_corpus: dict[str, list[Evaluation]] = {}
    for one in evaluations:
        if one.checkpoint.heard == "nothing" and one.checkpoint.name in ranks and not one.corpus.change:
            of_corpus.setdefault(one.corpus.title, []).append(one)
    for title, tried in of_corpus.items():
        here_too = [one for one in tried if one.checkpoint.name in usable]
        one = max(here_too or tried, key=lambda tried: ranks[tried.checkpoint.name])
        detail, interval = f"{one.metrics.clips:,} clips of {title}", one.metrics.intervals["accuracy"]
        name = one.checkpoint.name
        bars.append(Bar("Best model, recordings of other origin", detail, one.metrics.accuracy, interval, name))
    return bars
