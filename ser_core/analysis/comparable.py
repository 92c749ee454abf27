"""Whether runs can be compared: what they differ in beyond what is asked, and which are of the same clips.

A difference between two runs says something about an activation only if the activation is all that differs. What a
record doesn't say, as older ones don't say how convolutions were computed, may differ: `unknown` equals nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ser_core import words
from ser_core.analysis.configurations import configuration_of, network_label
from ser_core.corpus.splits import FOLD_IDS, N_FOLDS, REPORT_SPLIT_ID, SPLITS
from ser_core.models.registry import MODELS
from ser_core.records.runs import Run
from ser_core.records.schema import UNKNOWN
from ser_core.training.config import PARTS, TrainConfig

NAMED = ("model", "activation", "lr", "form")
"""What a run's name says, and so what is asked where people choose runs to compare."""

WORDS = {"lr": "learning rate", "select": "what picks the epoch", "audio vad": "voice activity detection"}


def settings(run: Run) -> dict[str, Any]:
    """All that decides a run's figures, flat, in the order of the record; the split by its id and not its name.

    A setting that changes nothing beside the others has its usual value.
    """
    train = asdict(run.train.effective)
    flat = {name: value for name, value in train.items() if name not in (*PARTS, "split")}
    for group in PARTS:
        flat |= {f"{group} {name}": value for name, value in train[group].items()}
    return flat | {
        "split": run.split_id,
        "data checksum": run.environment.data_checksum,
        "checksum of the teacher": run.environment.teacher.checksum if run.environment.teacher else "none",
        "precision": run.environment.precision,
        "numerics": run.environment.numerics,
    }


def differences(runs: Iterable[Run], asked: Collection[str] = NAMED) -> dict[str, list[str]]:
    """The settings in which runs differ, or may differ, other than those that are asked about.

    Returns:
        the values of each, as text, in the order of the runs: nothing if the runs can be compared.
    """
    compared = list(runs)
    if len(compared) < 2:
        return {}
    with_2d = [run for run in compared if MODELS[run.train.model].takes_images]  # others have the same numerics
    all_settings = [settings(run) for run in compared]
    found = {}
    for name in dict.fromkeys(name for known in all_settings for name in known):
        rows = [settings(run) for run in with_2d] if name == "numerics" else all_settings
        values = list(dict.fromkeys(str(known.get(name, UNKNOWN)) for known in rows))
        if name not in asked and (len(values) > 1 or UNKNOWN in values):
            found[WORDS.get(name, name.replace("_", " "))] = values
    return found


def listed(found: Mapping[str, Sequence[str]]) -> str:
    """Differences as part of a sentence: `epochs (30, 150) and precision (bf16, fp32)`."""
    return words.listed([f"{name} ({', '.join(values)})" for name, values in found.items()], "and")


def by_split(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs of each split, in their order: those of the report's split first, else the most common one, else by fold.

    Figures of different splits are of different clips: only runs of one split are ranked.

    Returns:
        by the split's id, or by its name where older records don't say the id.
    """
    splits: dict[str, list[Run]] = {}
    for run in runs:
        splits.setdefault(run.split_name if run.split_id == UNKNOWN else run.split_id, []).append(run)
    folds = {fold: number for number, fold in enumerate(FOLD_IDS)}
    order = sorted(splits, key=lambda split: (split != REPORT_SPLIT_ID, -len(splits[split]), folds.get(split, N_FOLDS)))
    return {split: splits[split] for split in order}


def candidates(runs: Iterable[Run]) -> list[Run]:
    """Those that stand for their settings: repeats of another one with another seed only say how much is chance.

    Nor is a short run of one of the report's configurations one where a longer one is known.
    """
    known, usual = list(runs), TrainConfig().seed
    longest: dict[str | None, int] = {None: 0}
    for run in known:
        if name := configuration_of(run):
            longest[name] = max(longest.get(name, 0), run.train.epochs)

    def but_the_seed(run: Run) -> str:
        return str(asdict(run.train.effective) | {"seed": usual})

    first = {but_the_seed(run) for run in known if run.train.seed == usual}
    return [
        run
        for run in known
        if (run.train.seed == usual or but_the_seed(run) not in first)
        and run.train.epochs >= longest[configuration_of(run)]
    ]


def best_of_each(runs: Iterable[Run]) -> dict[str, Run]:
    """Of each network, by what it is called, the candidate that has the best validation accuracy, the best first."""
    best: dict[str, Run] = {}
    for run in sorted(candidates(runs), key=lambda run: run.val_rank, reverse=True):
        best.setdefault(network_label(run), run)
    return best


def split_title(runs: Sequence[Run]) -> str:
    """What a table of runs of one split is called."""
    run = runs[0]
    if run.split_id == REPORT_SPLIT_ID:
        return "The report's split"
    if run.environment.corpora:
        return f"{', '.join(part.title for part in run.environment.corpora)} ({run.split_id})"
    if run.split_id in FOLD_IDS:
        return f"Speakers apart, fold {FOLD_IDS.index(run.split_id) + 1} of {len(FOLD_IDS)}"
    return f"Split {run.split_name} ({'id unknown' if run.split_id == UNKNOWN else run.split_id})"


def which_folds(runs: Iterable[Run]) -> str:
    """Which folds runs are of, all of CREMA-D's: `fold 2 of 5`, `folds 1 and 3 of 5`, `all 5 folds`."""
    numbers = sorted({SPLITS.index(run.train.split) for run in runs})
    if len(numbers) == N_FOLDS:
        return f"all {N_FOLDS} folds"
    return f"fold{'s' if len(numbers) > 1 else ''} {words.listed(list(map(str, numbers)), 'and')} of {N_FOLDS}"


def over(runs: Iterable[Run]) -> str:
    """What the intervals of these runs are over, as part of a sentence: `speakers and clips`."""
    return " or ".join(sorted({run.intervals_over for run in runs}, reverse=True))
