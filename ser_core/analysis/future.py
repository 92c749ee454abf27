"""What the report would try next (its section 7.3), and what our records say of each.

Nothing here is a verdict: the report hopes, and gives no figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from ser_core.analysis.comparable import candidates, differences
from ser_core.analysis.comparison import Difference, compare
from ser_core.analysis.configurations import by_configuration, in_order_of_names, of_usual_length, readable, run_label
from ser_core.analysis.findings import BEST_2D
from ser_core.analysis.ingredient_words import STUDY, activating, attending, augmenting, transforming
from ser_core.analysis.ingredients import IngredientResult, of_the_study
from ser_core.analysis.raters import Given, rater_confusion
from ser_core.analysis.steps import StepResult
from ser_core.corpus.clips import Clip
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.errors import RunError
from ser_core.models.activations import activation_label
from ser_core.models.registry import MODELS, model_label
from ser_core.records.runs import Run
from ser_core.records.searches import SearchRecord
from ser_core.training.config import TrainConfig
from ser_core.training.report_grid import REPORT_ACTIVATIONS
from ser_core.training.search_results import what_matters
from ser_core.training.steps import BUNDLES, TOGETHER
from ser_core.words import code, counted, listed, percent, points, points_between

FEWEST_TRIALS = 10
"""Of a search that says something: one of fewer only tries the command."""


@dataclass(frozen=True)
class Hope:
    """Something that the report would try.

    Attributes:
        title: what it calls it.
        report: what it hopes for, as a sentence.
        measured: sentences with our figures; empty where nothing was measured yet.
    """

    title: str
    report: str
    measured: tuple[str, ...]


def hopes(
    runs: Sequence[Run],
    steps: Sequence[StepResult],
    clips: Sequence[Clip],
    searches: Sequence[SearchRecord] = (),
    ingredients: Sequence[IngredientResult] = (),
    telephone: Mapping[str, float] = {},
) -> list[Hope]:
    """All that the report would try, in its order.

    Args:
        runs: records; those whose predictions can't be read say nothing.
        steps: towards hearing the voice and not the recording, whose predictions can be read.
        clips: of CREMA-D, with what people heard and saw in them.
        searches: for settings.
        ingredients: the study of them.
        telephone: of runs by name, the share of test clips whose label stays over a telephone, 0..1.

    Raises:
        RunError: predictions of a step or of an evaluation are missing or damaged.
    """
    runs = readable(runs)
    of_report = [run for run in runs if run.split_id == REPORT_SPLIT_ID and not run.environment.corpora]
    words = [of_hope(ingredients) for of_hope in (attending, transforming, augmenting, activating)]
    first = next((i for i, said in enumerate(words) if said), None)
    attention, transformers, augmentation, activations = (
        (STUDY, *said) if i == first else said for i, said in enumerate(words)
    )
    return [
        Hope(
            "Attention",
            "It could help models to listen to the moments that matter most.",
            (*_above_the_best(of_report, _attends, "has attention, and learned from CREMA-D alone"), *attention),
        ),
        Hope(
            "Transformers",
            "They have done well in other tasks of audio.",
            (
                *_above_the_best(of_report, _pretrained, "is a transformer that had heard much other speech before"),
                *transformers,
            ),
        ),
        Hope(
            "Several modalities",
            "Faces and words could tell what the voice alone does not.",
            _people(clips),
        ),
        Hope(
            "Data augmentation",
            "It could make up for the small size of the corpora, and help on other recordings.",
            (*_augmented(steps, telephone), *augmentation),
        ),
        Hope(
            "Activation functions of one's own",
            "They could do more for speech emotion than those that are known.",
            (*activations, *_other_activations([run for run in of_report if not of_the_study(run)])),
        ),
        Hope(
            "Systematic search",
            "Batch size, optimiser and dropout could be found by Bayesian optimisation.",
            tuple(sentence for search in searches for sentence in _searched(search, runs)),
        ),
    ]


def _attends(run: Run) -> bool:
    network = None if run.taught else MODELS.get(run.train.model)
    return network is not None and network.configurable and run.train.network.head in ("conformer", "transformer")


def _pretrained(run: Run) -> bool:
    network = MODELS.get(run.train.model)
    return network is not None and network.pretrained


def _above_the_best(runs: Sequence[Run], kind: Callable[[Run], bool], what: str) -> tuple[str, ...]:
    """How the best run of a kind, by validation, stands beside the report's best network at its longest."""
    best, tried = by_configuration(runs).get(BEST_2D), [run for run in candidates(runs) if kind(run)]
    if not best or not tried:
        return ()
    run, other = max(tried, key=lambda run: run.val_rank), best[max(best)][0]
    if not (difference := _compared(run, other)):
        return ()
    return (
        f"{code(run_label(run))} {what}: on the test clips, {_points(difference)} against "
        f"{code(run_label(other))}, the report's best. They differ in more than that.",
    )


def _people(clips: Sequence[Clip]) -> tuple[str, ...]:
    """How often people name the intended emotion by what they were given of the clips."""
    confusions = [rater_confusion(clips, given) for given in get_args(Given)]
    voice, face, both = (percent(confusion.trace() / confusion.sum(), 0) for confusion in confusions)
    return (
        f"People name the intended emotion in {voice} of their ratings where they only hear the clip, in {face} where "
        f"they only see it, and in {both} where they do both. No network of ours sees faces or reads words.",
    )


def _augmented(steps: Sequence[StepResult], telephone: Mapping[str, float]) -> tuple[str, ...]:
    """What changes of the sound add, each by itself and all together."""
    together = next((step for step in steps if step.step.label == TOGETHER), None)
    alone = [step for step in steps if together and step.step.to == together.step.to and step.step.label not in BUNDLES]
    gained = {step.step.label: found for step in alone if (found := step.gained())}
    if together is None or not gained:
        return ()
    best = max(gained, key=lambda label: gained[label].accuracy)
    beyond = sum(found.significant and found.accuracy > 0 for found in gained.values())
    run = together.run
    sentences = [
        f"Of {counted(len(gained), 'way')} to change the clips, tried by themselves on the "
        f"{model_label(run.train.model)} network ({counted(run.train.epochs, 'epoch')}), {beyond or 'none'} made it "
        f"better on the test clips beyond chance. The most was {best}: {_points(gained[best])}."
    ]
    if whole := together.gained():
        sentences.append(
            f"Those that are on by default, together with SpecAugment: {_points(whole)} on the test clips."
        )
    before = {} if together.before is None else next(s.elsewhere for s in steps if s.run is together.before)
    sentences += [
        f"In {title}, the average recall went from {percent(before[title].uar)} to {percent(one.uar)} with them."
        for title, one in together.elsewhere.items()
        if title in before
    ]
    kept = [telephone.get(one.name) for one in (run, together.before) if one]
    shares = [percent(share, 0) for share in kept if share is not None]
    if len(shares) == 2:
        sentences.append(
            f"Of a sample of test clips, {shares[0]} keep their label over a telephone with them, {shares[1]} without."
        )
    return tuple(sentences)


def _other_activations(runs: Sequence[Run]) -> tuple[str, ...]:
    """Each run with an activation that the report doesn't have, beside the report's best one in the same network."""
    sentences = []
    for run in runs:
        if run.train.activation in REPORT_ACTIVATIONS:
            continue
        alike = [
            other
            for other in runs
            if other.train.activation in REPORT_ACTIVATIONS and not differences([run, other], ["activation"])
        ]
        best = max(alike, key=lambda other: other.val_rank, default=None)
        if best and (difference := _compared(run, best)):
            names = [activation_label(one.train.activation) for one in (run, best)]
            where = f"in the {model_label(run.train.model)} network"
            sentences.append(f"{names[0]} instead of {names[1]} {where}: {_points(difference)} on the test clips.")
    return tuple(sentences)


def _searched(search: SearchRecord, runs: Sequence[Run]) -> Iterator[str]:
    """What a search found, and whether it holds for the test clips where both were trained for longer."""
    found, best, usual = search.found, search.found.trials[0], search.usual
    if found.all_trials < FEWEST_TRIALS:
        return
    tried = (
        f"Of {counted(found.all_trials, 'setting')} of the {model_label(search.train.model)} network, each trained for "
        f"{counted(search.train.epochs, 'epoch')} on `{search.train.split}` or given up, "
    )
    if usual and usual.accuracy == best.accuracy:
        yield (
            f"{tried}none names more of the validation clips than what the network has by itself, "
            f"{percent(usual.accuracy)}."
        )
    else:
        yield (
            f"{tried}the best names {percent(best.accuracy)} of the validation clips, by which it was picked."
            + (f" The settings that the network has by itself name {percent(usual.accuracy)}." if usual else "")
        )
    if matters := what_matters(found):
        yield matters
    if (chosen := search.config(best)) == search.train:
        return
    ours, others = (_of_settings(runs, config) for config in (chosen, search.train))
    how = max(ours.keys() & others.keys(), default=None)
    if how and (difference := _compared(ours[how], others[how])):
        yield (
            f"Trained for as many epochs as {code(run_label(others[how]))}, the best has {_points(difference)} on the "
            "test clips against it."
        )
    elif ours and others:
        yield (
            f"Its best is recorded of {_lengths(ours)}, and the network by itself of {_lengths(others)}: only runs of "
            "as many epochs and one precision are compared."
        )


def _of_settings(runs: Sequence[Run], config: TrainConfig) -> dict[tuple[int, str], Run]:
    """The trainings with these settings on CREMA-D alone, by epochs and precision."""
    found: dict[tuple[int, str], Run] = {}
    for run in in_order_of_names(runs):
        if of_usual_length(run.train) == of_usual_length(config) and not run.environment.corpora:
            found.setdefault((run.train.epochs, run.environment.precision), run)
    return found


def _lengths(runs: Iterable[tuple[int, str]]) -> str:
    """As `45 epochs in fp32 and 45 epochs in bf16`."""
    return listed([f"{counted(epochs, 'epoch')} in {precision}" for epochs, precision in sorted(runs)], "and")


def _compared(run: Run, other: Run) -> Difference | None:
    """By how much a run is better; None if both answered different clips."""
    try:
        return compare(run.predictions(), other.predictions())
    except RunError:
        return None


def _points(difference: Difference) -> str:
    return f"{points(difference.accuracy)} points ({points_between(*difference.interval)})"
