"""Which runs decide a claim, and what longer ones say that can't be compared.

A claim is judged by the longest runs of which all are comparable. Longer ones, of both sides or of one, are told of:
where it would be the other way round with them, the shorter ones settle nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ser_core.analysis.comparable import differences, listed
from ser_core.analysis.configurations import by_configuration, name_without_length, run_label
from ser_core.models.registry import MODELS
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.report_grid import REPORT_MODELS
from ser_core.training.study import report_study
from ser_core.words import code, counted, percent

Runs = Mapping[str, Run]
Records = Mapping[str, Mapping[int, Sequence[Run]]]
"""Of each configuration, by its name, and of each number of epochs."""
Pair = tuple[str, str]
Grid = Mapping[int, Mapping[str, Runs]]
"""By number of epochs, network, and configuration."""


def chosen(records: Records, pairs: Sequence[Pair], asked: Collection[str]) -> Runs:
    """A run of each configuration that has one: those of the greatest length at which all pairs are comparable.

    If there is no such length, the first of the greatest length that all have, or else the longest of each.
    """
    present = {name: records[name] for pair in pairs for name in pair if name in records}
    groups = list(_linked([pair for pair in pairs if all(name in present for name in pair)], present))
    lengths = sorted(set.intersection(*map(set, present.values())), reverse=True) if present else []
    for length in lengths:
        sets = [comparable_runs({name: present[name][length] for name in group}, asked) for group in groups]
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


def comparable_runs(candidates: Mapping[str, Sequence[Run]], asked: Collection[str]) -> Runs:
    """A run for each configuration, such that all are comparable, the first that are; nothing if none are."""
    # What is comparable with a network that takes images agrees with it in numerics, too, which others don't have.
    pivot = next((name for name, (run, *_) in candidates.items() if MODELS[run.train.model].takes_images), None)
    pivot = pivot or next(iter(candidates), None)
    for one in candidates[pivot] if pivot else ():
        runs = {
            name: one if name == pivot else next((run for run in several if not differences((one, run), asked)), None)
            for name, several in candidates.items()
        }
        found = {name: run for name, run in runs.items() if run}
        if len(found) == len(candidates) and not differences(found.values(), asked):
            return found
    return {}


def epochs_of(*parts: Runs) -> int | None:
    """How long all of these runs were trained, None where they differ or there are none."""
    lengths = {run.train.epochs for runs in parts for run in runs.values()}
    return lengths.pop() if len(lengths) == 1 else None


def unequal(runs: Runs, names: Sequence[str], asked: Collection[str]) -> str | None:
    """The sentence that says in what else than what is asked these runs differ, if they do; of those that exist."""
    present = [runs[name] for name in names if name in runs]
    if not (found := differences(present, asked)):
        return None
    return (
        f"{' and '.join(code(run_label(run)) for run in present)} are not comparable. They differ in {listed(found)}."
    )


def comparable(runs: Runs, names: Sequence[str], asked: Collection[str]) -> bool:
    """Whether all of these runs exist and differ in nothing but what is asked."""
    return all(name in runs for name in names) and not unequal(runs, names, asked)


def set_aside(records: Records, runs: Runs, pair: Pair, asked: Collection[str]) -> Iterator[str]:
    """What the longest runs of a pair say, and why they decide nothing, where shorter ones do."""
    longer = _longer(records, runs, pair, asked)
    if len(longer) == 1:
        ((name, run),) = longer.items()
        (other,) = (one for one in pair if one != name)
        yield (
            f"{code(run_label(run))} is set aside, which has {percent(run.accuracy)}: {code(other)} was not trained as "
            "long."
        )
    elif longer:
        length = max(run.train.epochs for run in longer.values())
        reason = unequal(longer, pair, asked) or "At that length, not all that the claim is about can be compared."
        have = ", and ".join(f"{code(name_without_length(run))} has {percent(run.accuracy)}" for run in longer.values())
        yield f"Runs of {counted(length, 'epoch')} are set aside, where {have}. {reason}"


def turned(records: Records, runs: Runs, pairs: Sequence[Pair], asked: Collection[str]) -> bool:
    """Whether the pairs are the other way round in sum with longer runs than those that are compared, where there are
    any."""

    def ahead(of: Runs, pair: Pair) -> float:
        return of[pair[0]].accuracy - of[pair[1]].accuracy

    longest = [{**runs, **_longer(records, runs, pair, asked)} for pair in pairs]
    with_longest = sum(ahead(of, pair) for of, pair in zip(longest, pairs, strict=True))
    return sum(ahead(runs, pair) for pair in pairs) * with_longest < 0


def _longer(records: Records, runs: Runs, pair: Pair, asked: Collection[str]) -> Runs:
    """The longest runs of a pair, of those which are longer than what is compared; comparable ones if there are."""
    if not comparable(runs, pair, asked):
        return {}
    several = {name: records[name][max(records[name])] for name in pair}
    longest = comparable_runs(several, asked) or {name: same[0] for name, same in several.items()}
    return {name: run for name, run in longest.items() if run.train.epochs > runs[name].train.epochs}


def runs_of_the_grid(runs: Iterable[Run]) -> Grid:
    """A run of each of the report's 27 configurations and of each number of epochs.

    Of several, those that are comparable with the others of their network, if there are such.
    """
    grid: dict[int, dict[str, dict[str, Sequence[Run]]]] = {}
    recorded = by_configuration(runs)
    for config in report_study():
        if config.model in REPORT_MODELS and config.form == TrainConfig.form:
            for length, several in recorded.get(config.name, {}).items():
                grid.setdefault(length, {}).setdefault(config.model, {})[config.name] = several
    return {
        length: {
            model: comparable_runs(several, ("activation", "lr")) or {name: same[0] for name, same in several.items()}
            for model, several in of_length.items()
        }
        for length, of_length in grid.items()
    }
