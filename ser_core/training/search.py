"""A search for the settings of the small network by Optuna, judged on the validation clips alone.

Trials live in a file of SQLite, one study for each kind of training: the same command goes on with it. Several workers
take trials from it until there are as many as asked for, those of other machines by way of this one
(`ser_core.training.ray_search`). A trial that is worse than the median of the others at its epoch is given up. Nothing
here looks at a test clip.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import Split, load_split
from ser_core.errors import ConfigError
from ser_core.records.searches import with_settings
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig
from ser_core.training.search_results import DEVICE, SEARCH, SPLIT
from ser_core.training.search_space import SPACE, suggest
from ser_core.training.search_storage import no_trials, require_place, storage_in
from ser_core.words import counted, percent

if TYPE_CHECKING:
    import optuna

WARM_UP_SHARE = 0.25  # of a trial's epochs, before which none is given up: learning rates rise and averages settle
FIRST_TRIALS = 5  # which are not given up: there is no median yet


@dataclass(frozen=True)
class Search:
    """What is searched, and where.

    Attributes:
        file: of SQLite, with the trials.
        trials: how many there are to be in all, those given up among them.
        base: settings that all trials have.
        corpus, cache: folders; None for the usual ones.
        compute: where and how a trial computes.
        threads: of each worker.
    """

    file: Path
    trials: int
    base: TrainConfig
    corpus: Path | None = None
    cache: Path | None = None
    compute: Compute = field(default_factory=Compute)
    threads: int = 1

    @property
    def name(self) -> str:
        """Of the study: trainings of other lengths, splits or copies are others."""
        return f"{self.base.name}-{self.base.epochs}"

    def config(self, values: dict[str, Any]) -> TrainConfig:
        """The settings of a trial."""
        return with_settings(self.base, values)


def open_study(search: Search, worker: int = 0) -> optuna.Study:
    """The study, which is made if there is none.

    Raises:
        ConfigError: Optuna is not installed, or the file is none of its, or can't be.
    """
    require_place(search.file)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    from sqlalchemy.exc import SQLAlchemyError

    search.file.parent.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            storage=storage_in(search.file, write=True),
            study_name=search.name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(FIRST_TRIALS, n_warmup_steps=int(WARM_UP_SHARE * search.base.epochs)),
        )
    except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError):
        raise no_trials(search.file) from None
    # Of the trials so far, too: a search that goes on would propose what it did from the beginning.
    seeds = np.random.SeedSequence((search.base.seed, worker, len(study.trials)))
    study.sampler = optuna.samplers.TPESampler(seed=int(seeds.generate_state(1)[0]))
    return study


def lock_of(file: Path, what: str) -> FileLock:
    """A lock beside the storage: `searching` for the one search that goes on, `taking` for each worker in turn."""
    return FileLock(file.with_name(f".{file.name}.{what}"))


def begin_again(search: Search) -> None:
    """Put trials of a search that was stopped or killed back in the queue; the caller holds the lock `searching`.

    The first trial of all is of the settings that the network has by itself: the others are to be better.

    Raises:
        ConfigError: the trials so far are of another split.
    """
    from optuna.trial import TrialState

    study, split = open_study(search), load_split(search.base.split).id
    if study.user_attrs.get(SPLIT, split) != split:
        raise ConfigError(
            f"The trials of {search.name} in {search.file} are of other clips: another split had the name "
            f"`{search.base.split}`. Choose another --storage, or name the split otherwise."
        )
    study.set_user_attr(SPLIT, split)
    if SEARCH not in study.user_attrs:
        study.set_user_attr(SEARCH, secrets.token_hex(8))
    usual = {name: search.base.flat[name] for name in SPACE}
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(_proposed(trial))
    others = study.get_trials(states=[state for state in TrialState if state != TrialState.FAIL])
    if not any(_proposed(trial) == usual for trial in others):
        study.enqueue_trial(usual)


def _proposed(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """What a trial proposes: all of what was put in the queue for it, also where it had not come to that."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def take(study: optuna.Study, search: Search) -> optuna.Trial | None:
    """The next trial; None if there are as many as asked for, those of other workers among them."""
    from optuna.trial import TrialState

    with lock_of(search.file, "taking"):
        counting = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        return study.ask() if len(study.get_trials(states=counting)) < search.trials else None


@dataclass(frozen=True)
class Loaded:
    """What all trials train on, see `ser_core.training.trainer.Trainer`."""

    data: Any
    train: Sequence[int]
    val: Sequence[int]
    device: Any
    copies: Sequence[Any]


def load(search: Search, split: Split) -> Loaded:
    """Find or compute the features of a split, on the device of the search.

    Raises:
        SERError: clips are missing, or there is no such device.
    """
    from ser_core.training.device import Device
    from ser_core.training.experiment import Watcher, load_data

    base, corpus, device = search.base, Corpus.open(search.corpus), Device.of(search.compute)
    names = sorted(split.train + split.val + split.test)  # as in a training, so that both find the same features
    clips, position = corpus.clips(names), {name: i for i, name in enumerate(names)}
    quiet: Sequence[Watcher] = ()
    data = load_data(base, clips, corpus, search.cache, device, quiet)
    copies = [
        load_data(base, corpus.clips(split.train), corpus, search.cache, device, quiet, copy)
        for copy in range(min(base.copies, base.epochs))
    ]
    train, val = ([position[name] for name in part] for part in (split.train, split.val))
    return Loaded(data, train, val, device, copies)


def work(job: tuple[Search, int]) -> None:
    """Take trials and train them until there are enough, and say how each went.

    Args:
        job: the search, and the worker's number.
    """
    import torch
    from optuna.trial import TrialState

    from ser_core.training.device import Device

    search, number = job
    torch.set_num_threads(search.threads)
    study, device = open_study(search, number), Device.of(search.compute)
    loaded = load(search, load_split(search.base.split))
    while trial := take(study, search):
        try:
            value, epochs = train_trial(trial, search.config(suggest(trial)), loaded)
        except Exception:  # a trial that somebody stops is begun again
            study.tell(trial, state=TrialState.FAIL)
            raise
        tell(study, trial, search, value, epochs, device.label)


def tell(study: optuna.Study, trial: optuna.Trial, search: Search, value: float, epochs: int, device: str) -> None:
    """Write down and say how a trial went, see `train_trial`, and what trained it."""
    from optuna.trial import TrialState

    trial.set_user_attr(DEVICE, device)
    pruned = epochs < search.base.epochs
    study.tell(trial, None if pruned else value, TrialState.PRUNED if pruned else TrialState.COMPLETE)
    print(
        f"trial {trial.number}: {percent(value)} of the validation clips"
        + (f", given up after {counted(epochs, 'epoch')}" if pruned else ""),
        flush=True,
    )


def train_trial(trial: Any, config: TrainConfig, loaded: Loaded) -> tuple[float, int]:
    """Train what a trial proposes.

    Args:
        trial: of Optuna, or what else takes reports and says whether to give up.

    Returns:
        validation accuracy of the epoch that a training would keep, 0..1, 0 if it diverged; and epochs that it took,
        fewer than all where it was given up.
    """
    from ser_core.training.trainer import Trainer

    trainer = Trainer(config, loaded.data, loaded.train, loaded.val, loaded.device, loaded.copies)
    while not trainer.finished:
        epoch = trainer.run_epoch()
        trial.report(epoch.val_accuracy, epoch.epoch)
        if not trainer.finished and trial.should_prune():
            break
    best = trainer.best_epoch
    if trainer.diverged:
        return 0.0, trainer.config.epochs
    return (best.val_accuracy if best else 0.0), len(trainer.history)


def only_one(search: Search) -> FileLock:
    """The lock of a search in progress, held from now on.

    Raises:
        ConfigError: another search has it, or trials can't be written there.
    """
    require_place(search.file)
    search.file.parent.mkdir(parents=True, exist_ok=True)
    lock = lock_of(search.file, "searching")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"Another search goes on in {search.file}. Wait for it, or choose another --storage."
        ) from None
    return lock
