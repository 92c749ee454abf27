"""What the study of ingredients says of what the report would try next, in sentences, by the figures of its table.

None of them is of test clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ser_core.analysis.gains import Gain
from ser_core.analysis.ingredients import IngredientResult
from ser_core.audio.changes.registry import CHANGES as HEARD_CHANGES
from ser_core.models.activations import activation_label
from ser_core.records.evaluations import EvaluatedCorpus
from ser_core.training.future import INGREDIENTS, NOTHING, Ingredient
from ser_core.training.report_grid import REPORT_ACTIVATIONS
from ser_core.training.steps import ALL_CHANGES, CHANGES
from ser_core.words import counted, listed, percent, points, points_between

STUDY = (
    "Runs → Ingredients tries one thing at a time in our small network: added to the base, which has none of them, or "
    "changed in the whole, the network as it is trained by default. Its figures are differences in points: of accuracy "
    "on CREMA-D's validation clips, of average recall on other clips and on changed ones. What one seed says, another "
    "may not."
)
SAME_BASE = (
    "All are compared with one base of one seed, so that its luck moves all of them the same way. Their intervals are "
    "over speakers and clips, and don't say how much another seed would differ."
)
VALIDATION = "validation clips"
NAMED = {"conformer": "a conformer", "transformer": "a transformer"}
"""What a sentence calls them, if not by their labels."""
AUGMENTING = {"spec_augment", "mixup", "copies", *CHANGES}
"""Settings that change what is trained on."""
Figure = tuple[str, Gain]
"""Of which clips, or of which ingredient, and how much."""


def attending(results: Sequence[IngredientResult]) -> tuple[str, ...]:
    """Of what weighs moments: a conformer, and pooling by attention."""
    return _both(results, lambda one: one.settings.get("head") == "conformer" or "pooling" in one.settings)


def transforming(results: Sequence[IngredientResult]) -> tuple[str, ...]:
    """Of a transformer that had heard nothing before."""
    return _both(results, lambda one: one.settings.get("head") == "transformer")


def augmenting(results: Sequence[IngredientResult]) -> tuple[str, ...]:
    """Of all changes of the clips together, and of those by themselves that are beyond chance."""
    together = _both(results, lambda one: one.label == ALL_CHANGES, changed=True)
    known = {result.step.label: result for result in results}
    alone = {
        one.label: _figures(known[f"base + {one.label}"], changed=True)
        for one in INGREDIENTS
        if one.label != ALL_CHANGES and one.settings.keys() <= AUGMENTING and f"base + {one.label}" in known
    }
    figures = [(f"{label} {{}} on {where}", gain) for label, of_one in alone.items() for where, gain in of_one]
    intervals = [gain.interval for _, gain in figures if gain.interval]
    if not intervals:
        return together
    beyond = [(text, gain) for text, gain in figures if gain.interval and not _holds_0(gain.interval)]
    seeds, listing = _listing(beyond)
    how_many = f"{len(beyond) or 'none'} {'exclude' if len(beyond) > 1 else 'excludes'} 0"
    return (
        *together,
        f"Tried in the base by themselves{seeds}: {listed(list(alone), 'and')}. "
        f"Of {counted(len(intervals), 'interval')}, {how_many}{f': {listing}' if beyond else ''}."
        + (f" {SAME_BASE}" if all(len(gain.differences) == 1 for _, gain in figures) else ""),
        *_spread(known.get("base")),
    )


def _spread(base: IngredientResult | None) -> tuple[str, ...]:
    """Between what its seeds have the base alone is, which says how much of a gain may be chance."""
    if base is None or len(base.runs) < 2:
        return ()
    others = ((title, corpus) for title, corpus in _in_order(base) if corpus.change or not corpus.validation)
    values = {VALIDATION: base.accuracies, **{_clips(corpus): base.recalls(title) for title, corpus in others}}
    spread = [
        f"{percent(min(of_seeds.values()))} to {percent(max(of_seeds.values()))} on {where}"
        for where, of_seeds in values.items()
        if len(of_seeds) > 1
    ]
    return (f"The base alone, with {counted(len(base.runs), 'seed')}, has {listed(spread, 'and')}.",) if spread else ()


def activating(results: Sequence[IngredientResult]) -> tuple[str, ...]:
    """Of activations that the report doesn't have, on validation clips."""
    usual = NOTHING["activation"]
    tried = [one for one in INGREDIENTS if one.settings.get("activation", usual) not in REPORT_ACTIVATIONS]
    known = {result.step.label: result.gain for result in results}
    added = [(one, known.get(f"base + {one.label}")) for one in tried]
    changed = [(one, known.get(f"whole {one.how}")) for one in tried]
    instead = next((one.instead for one in tried), None)
    sentences = []
    for where, gains in ((f"{activation_label(usual)} in the base", added), (f"{instead} in the whole", changed)):
        if figures := [(f"{one.label} {{}}", gain) for one, gain in gains if gain and gain.mean is not None]:
            seeds, listing = _listing(figures)
            sentences.append(f"Instead of {where}{seeds}, on {VALIDATION}: {listing}.")
    return tuple(sentences)


def _both(
    results: Sequence[IngredientResult], kind: Callable[[Ingredient], bool], changed: bool = False
) -> tuple[str, ...]:
    """A sentence for each ingredient of a kind in the base, and one in the whole."""
    known = {result.step.label: result for result in results}
    sentences = []
    for one in filter(kind, INGREDIENTS):
        name = NAMED.get(one.label, one.label)
        instead = f" instead of {NAMED.get(one.instead, one.instead)}" if one.instead else ""
        for label, said in (
            (f"base + {one.label}", f"The base with {name}"),
            (f"whole {one.how}", f"The whole {'without' if one.own else 'with'} {name}{instead}"),
        ):
            if label in known and (figures := _figures(known[label], changed)):
                seeds, listing = _listing([(f"{{}} on {where}", gain) for where, gain in figures])
                sentences.append(f"{said}{seeds}: {listing}.")
    return tuple(sentences)


def _figures(result: IngredientResult, changed: bool) -> list[Figure]:
    """What it gained, where that is known: on validation clips and on other corpora, and maybe on changed sound."""
    others = (
        (title, corpus) for title, corpus in _in_order(result) if (changed if corpus.change else not corpus.validation)
    )
    figures = [(VALIDATION, result.gain), *((_clips(corpus), result.gain_in(title)) for title, corpus in others)]
    return [(where, gain) for where, gain in figures if gain.mean is not None]


def _in_order(result: IngredientResult) -> list[tuple[str, EvaluatedCorpus]]:
    """What it heard, by title: validation clips first."""
    return sorted(result.corpora.items(), key=lambda item: (not item[1].validation, item[0]))


def _clips(corpus: EvaluatedCorpus) -> str:
    """What clips a figure is of; other corpora's titles say how they were changed."""
    if not corpus.validation:
        return corpus.title
    way = HEARD_CHANGES.get(corpus.change)
    return f"{VALIDATION} with {way.label if way else corpus.change}"


def _listing(figures: Sequence[Figure]) -> tuple[str, str]:
    """From how many seeds all are, in brackets, and one after the other, each in the place that its text has for it."""
    seeds = [counted(len(gain.differences), "seed") for _, gain in figures]
    alike = len(set(seeds)) == 1
    parts: list[str] = []
    for (text, gain), of_seeds in zip(figures, seeds, strict=True):
        notes = [*([points_between(*gain.interval)] if gain.interval else []), *([] if alike else [of_seeds])]
        figure = f"{points(gain.mean or 0.0)}{'' if parts else ' points'}"
        parts.append(text.format(f"{figure} ({'; '.join(notes)})" if notes else figure))
    return f" ({seeds[0]})" if alike else "", "; ".join(parts)


def _holds_0(interval: tuple[float, float]) -> bool:
    low, high = interval
    return low <= 0 <= high
