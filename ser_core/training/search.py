"""A search for the settings of the small network by Optuna, judged on the validation clips alone.

Trials live in a file of SQLite, one study for each kind of training: the same command goes on with it. Several workers
take trials from it until there are as many as asked for, those of other machines by way of this one
(`ser_core.training.ray_search`). A trial that is worse than the median of the others at its epoch is given up. Nothing
here looks at a test clip.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import Split, load_split
from ser_core.errors import ConfigError, SERError
from ser_core.records.searches import with_settings
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig
from ser_core.training.search_results import DEVICE, PRECISION, SEARCH, SPACE_ID, SPLIT, STOPPING
from ser_core.training.search_space import SPACE, THIS_SPACE, suggest
from ser_core.training.search_storage import no_trials, require_place, storage_errors, storage_in
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
        SERError: the file can't be read or written, see `storage_errors`.
    """
    require_place(search.file)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    search.file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with storage_errors(search.file):
            study = optuna.create_study(
                storage=storage_in(search.file, write=True),
                study_name=search.name,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(
                    FIRST_TRIALS, n_warmup_steps=int(WARM_UP_SHARE * search.base.epochs)
                ),
            )
    except (optuna.exceptions.OptunaError, RuntimeError):
        raise no_trials(search.file) from None
    # Of the trials so far, too: a search that goes on would propose what it did from the beginning.
    seeds = np.random.SeedSequence((search.base.seed, worker, len(study.trials)))
    study.sampler = optuna.samplers.TPESampler(seed=int(seeds.generate_state(1)[0]))
    return study


def lock_of(file: Path, what: str) -> FileLock:
    """A lock beside the storage: `searching` for the one search that goes on, `taking` for each worker in turn."""
    return FileLock(file.with_name(f".{file.name}.{what}"))


def begin_again(search: Search, usual_precision: str) -> Search:
    """Put trials of a search that was stopped or killed back in the queue; the caller holds the lock `searching`.

    The first trial of all is of the settings that the network has by itself: the others are to be better.

    Args:
        usual_precision: `fp32` or `bf16`, where neither the search nor its trials so far say one.

    Returns:
        the search, in the precision of its trials.

    Raises:
        ConfigError: the trials so far are of another split or precision, or of other ranges of settings.
    """
    from optuna.trial import TrialState

    study = open_study(search)
    search = _like_its_trials(study, search, usual_precision)
    study.set_user_attr(STOPPING, False)
    if SEARCH not in study.user_attrs:
        study.set_user_attr(SEARCH, secrets.token_hex(8))
    usual = {name: search.base.flat[name] for name in SPACE}
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(_proposed(trial))
    others = study.get_trials(states=[state for state in TrialState if state != TrialState.FAIL])
    if not any(_proposed(trial) == usual for trial in others):
        study.enqueue_trial(usual)
    return search


def _like_its_trials(study: optuna.Study, search: Search, usual_precision: str) -> Search:
    """The search in the precision of its trials, which are all trained and judged alike. See `begin_again`."""
    had, asked = study.user_attrs, search.compute.precision
    precision = had.get(PRECISION, usual_precision) if asked == "auto" else asked
    alike = {SPLIT: load_split(search.base.split).id, PRECISION: precision, SPACE_ID: THIS_SPACE}
    other = next((name for name, value in alike.items() if had.get(name, value) != value), None)
    if other:
        why = {
            SPLIT: f"of other clips: another split had the name `{search.base.split}`. Name the split otherwise, or",
            PRECISION: f"trained in {had.get(PRECISION)}, and figures of {precision} aren't compared with them. Leave "
            "--precision away, or",
            SPACE_ID: "of another version of this project, with other settings or ranges of them. Begin anew:",
        }
        raise ConfigError(f"The trials of {search.name} in {search.file} are {why[other]} choose another --storage.")
    for name, value in alike.items():
        study.set_user_attr(name, value)
    return replace(search, compute=replace(search.compute, precision=precision))


def _proposed(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """What a trial proposes: all of what was put in the queue for it, also where it had not come to that."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def take(study: optuna.Study, search: Search) -> optuna.Trial | None:
    """The next trial; None if there are as many as asked for, those of other workers among them, or if one failed."""
    from optuna.trial import TrialState

    with lock_of(search.file, "taking"):
        if study.user_attrs.get(STOPPING):
            return None
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
    """Take trials and train them until there are enough, and say how each went. Where one fails, other workers finish
    theirs and take no more: what they trained isn't lost, and nobody waits for long to hear of it.

    Args:
        job: the search, and the worker's number.

    Raises:
        SERError: clips are missing, or trials can't be written down.
    """
    import torch
    from optuna.trial import TrialState

    search, number = job
    torch.set_num_threads(search.threads)
    study, trial = open_study(search, number), None
    with storage_errors(search.file):
        try:
            loaded = load(search, load_split(search.base.split))
            while trial := take(study, search):
                tell(study, trial, train_trial(trial, search.config(suggest(trial)), loaded))
        except Exception:  # a trial that somebody stops is begun again
            with suppress(SERError), storage_errors(search.file):
                study.set_user_attr(STOPPING, True)
                if trial:
                    study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
            raise


class Trained(NamedTuple):
    """How a trial went.

    Attributes:
        value: validation accuracy of the epoch that a training would keep, 0..1.
        epochs: that it took.
        complete: whether it was trained to its end. Where its loss is no number any more, it was not.
        device: what trained it, see `ser_core.training.device.Device.label`.
    """

    value: float
    epochs: int
    complete: bool
    device: str


def tell(study: optuna.Study, trial: optuna.Trial, trained: Trained) -> None:
    """Write down and say how a trial went."""
    from optuna.trial import TrialState

    trial.set_user_attr(DEVICE, trained.device)
    if trained.complete:
        study.tell(trial, trained.value)
    else:
        study.tell(trial, state=TrialState.PRUNED)
    print(
        f"trial {trial.number}: {percent(trained.value)} of the validation clips"
        + ("" if trained.complete else f", given up after {counted(trained.epochs, 'epoch')}"),
        flush=True,
    )


def train_trial(trial: Any, config: TrainConfig, loaded: Loaded) -> Trained:
    """Train what a trial proposes.

    Args:
        trial: of Optuna, or what else takes reports and says whether to give up.
    """
    from ser_core.training.trainer import Trainer

    trainer = Trainer(config, loaded.data, loaded.train, loaded.val, loaded.device, loaded.copies)
    while not trainer.finished:
        epoch = trainer.run_epoch()
        trial.report(epoch.val_accuracy, epoch.epoch)
        if not trainer.finished and trial.should_prune():
            break
    value = trainer.best_epoch.val_accuracy if trainer.best_epoch else 0.0
    return Trained(value, len(trainer.history), trainer.finished and not trainer.diverged, loaded.device.label)


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
