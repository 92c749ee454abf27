"""What a search for settings found, from the trials in its file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ser_core.errors import RunError
from ser_core.records.searches import Found, Trial
from ser_core.training.search_space import SPACE
from ser_core.training.search_storage import require_trials, storage_in

if TYPE_CHECKING:
    import optuna

STORAGE = "search.sqlite"
"""The file with the trials, beside the folder of records."""
FEWEST_FOR_IMPORTANCE = 10  # finished trials; fewer say nothing


def found_in(study: optuna.Study) -> Found:
    """What a study's trials say."""
    import optuna

    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    given_up = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.PRUNED,))
    trials = [Trial(trial.number, trial.value or 0.0, dict(trial.params)) for trial in done]
    varied = [name for name in SPACE if len({str(trial.settings.get(name)) for trial in trials}) > 1]
    importance: dict[str, float] = {}
    if len(done) >= FEWEST_FOR_IMPORTANCE and len({trial.accuracy for trial in trials}) > 1:
        importance = optuna.importance.get_param_importances(study, params=varied)
    ranked = sorted(trials, key=lambda trial: (-trial.accuracy, trial.number))
    return Found(study.study_name, tuple(ranked), len(given_up), importance)


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
