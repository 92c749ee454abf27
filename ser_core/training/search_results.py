"""What a search for settings found, from the trials in its file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser_core.errors import RunError
from ser_core.records.searches import Found, Trial
from ser_core.training.search_space import SPACE, retypable
from ser_core.training.search_storage import require_trials, storage_in
from ser_core.words import counted

if TYPE_CHECKING:
    import optuna

STORAGE = "search.sqlite"
"""The file with the trials, beside the folder of records."""
SEARCH = "search"
"""The attribute of a study that tells it from all others."""
SPLIT = "split_id"
"""The attribute that says which clips all trials of a study are trained and validated on."""
PRECISION = "precision"
"""The attribute that says how all trials of a study compute, `fp32` or `bf16`."""
SPACE_ID = "space_id"
"""The attribute that says which settings a study searches, and where."""
STOPPING = "stopping"
"""The attribute that says that a worker of a study failed, and that the others take no more trials."""
DEVICE = "device"
"""The attribute of a trial that says what trained it."""
FEWEST_FOR_IMPORTANCE = 20  # finished trials, more than there are settings; of fewer, chance gives one nearly all
TREES = 16
DEALS = 19  # of which the greatest share is that of chance at the 5 % level


def found_in(study: optuna.Study) -> Found:
    """What a study's trials say."""
    import optuna

    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    given_up = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.PRUNED,))
    trials = [Trial(trial.number, trial.value or 0.0, retypable(trial.params)) for trial in done]
    importance, chance = _importance(study, trials)
    ranked = sorted(trials, key=lambda trial: (-trial.accuracy, trial.number))
    told, precision = (str(study.user_attrs.get(name, "")) for name in (SEARCH, PRECISION))
    return Found(study.study_name, tuple(ranked), len(given_up), importance, chance, told, precision)


def what_matters(found: Found) -> str:
    """Which settings matter, see `Found.what_matters`, or why that can't be said; empty if it isn't known."""
    if found.importance or len(found.trials) >= FEWEST_FOR_IMPORTANCE:
        return found.what_matters
    return (
        f"With {counted(len(found.trials), 'trial')} trained to the end, it can't be said which settings matter: that "
        f"takes {FEWEST_FOR_IMPORTANCE}."
    )


def devices_of(study: optuna.Study) -> list[str]:
    """What trained the trials, in the order in which each was first used; empty where none says so."""
    named = (trial.user_attrs.get(DEVICE) for trial in study.get_trials(deepcopy=False))
    return list(dict.fromkeys(str(name) for name in named if name))


def _importance(study: optuna.Study, trials: Sequence[Trial]) -> tuple[dict[str, float], float | None]:
    """How much of the differences between trials each setting explains, and how much one explains by chance.

    Shares add up to 1 whatever the accuracies are, those of noise, too: of 20 trials, chance gives a setting 40 %. So
    accuracies are dealt anew to the same trials, several times, and a share counts that is above all of those.

    A forest's share of variance (MDI) finds a setting that matters in fewer trials than PED-ANOVA, which Optuna
    computes by itself and which looks at the best tenth of them; fANOVA takes many times as long.
    """
    import optuna

    varied = [name for name in SPACE if all(name in trial.settings for trial in trials)]
    varied = [name for name in varied if len({str(trial.settings[name]) for trial in trials}) > 1]
    accuracies = [trial.accuracy for trial in trials]
    if len(trials) < FEWEST_FOR_IMPORTANCE or len(varied) < 2 or len(set(accuracies)) < 2:
        return {}, None
    evaluator = optuna.importance.MeanDecreaseImpurityImportanceEvaluator(n_trees=TREES, seed=0)

    def shares(dealt: Sequence[float]) -> dict[str, float]:
        by_number = {trial.number: accuracy for trial, accuracy in zip(trials, dealt, strict=True)}
        found = optuna.importance.get_param_importances(
            study,
            evaluator=evaluator,
            params=sorted(varied),  # in any other order, Optuna 5.0 gives settings the shares of others
            target=lambda trial: by_number[trial.number],
        )
        return {name: float(share) for name, share in found.items()}

    random = np.random.default_rng(0)
    chance = max(max(shares(random.permutation(accuracies).tolist()).values()) for _ in range(DEALS))
    return shares(accuracies), min(chance, 1.0)


def can_be_read(file: Path) -> bool:
    """Whether the file is there, and Optuna is installed."""
    return file.is_file() and find_spec("optuna") is not None


def search_in(file: Path, name: str) -> tuple[Found | None, list[str]]:
    """What one search of a file found, None if it is not there; and the names of the others. Nothing is changed.

    Raises:
        SERError: Optuna is not installed, or the file can't be read.
    """
    if not os.path.lexists(file):
        return None, []
    require_trials(file)
    import optuna

    with _readable(file):
        storage = storage_in(file)
        names = optuna.get_all_study_names(storage)
        found = found_in(optuna.load_study(study_name=name, storage=storage)) if name in names else None
    return found, [other for other in names if other != name]


def searches_in(file: Path) -> list[Found]:
    """All searches of a file, those that have a trial that was trained to its end.

    Raises:
        RunError: the file can't be read.
    """
    import optuna

    with _readable(file):
        storage = storage_in(file)
        names = optuna.get_all_study_names(storage)
        results = [found_in(optuna.load_study(study_name=name, storage=storage)) for name in names]
    return [found for found in results if found.trials]


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError, ValueError) as error:
        raise RunError(f"{file} can't be read as the trials of a search ({type(error).__name__}).") from None
