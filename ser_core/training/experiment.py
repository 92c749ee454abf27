"""A run from settings to record: features, training, one look at the test set, checkpoint."""

from __future__ import annotations

import math
import platform
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ser_core.corpus.clips import voice_votes
from ser_core.corpus.folder import Corpus
from ser_core.corpus.gathered import Gathered, GatheredSplit
from ser_core.corpus.identity import CONTENTS
from ser_core.corpus.splits import Split, load_split
from ser_core.emotions import EMOTIONS
from ser_core.errors import RunError
from ser_core.features.cache import data_checksum
from ser_core.files import replace_folder
from ser_core.models.pretrained import have_encoder
from ser_core.models.registry import MODELS, count_parameters
from ser_core.models.winograd import Numerics
from ser_core.records.checkpoints import CHECKPOINTS_DIR, CheckpointConfig, save_checkpoint
from ser_core.records.metrics import evaluate
from ser_core.records.model_card import model_card
from ser_core.records.predictions import Predictions
from ser_core.records.runs import (
    RUNS_DIR,
    Run,
    alone,
    load_run,
    partial_folder,
    read_config,
    write_config,
    write_history,
    write_result,
)
from ser_core.records.schema import ClipCounts, Environment, Result, RunConfig, TaughtBy
from ser_core.records.weights import HALF_TOLERANCE, halved
from ser_core.training import run_folders
from ser_core.training.batches import ClipTensors, load_inputs
from ser_core.training.calibration import fit_temperature, probabilities
from ser_core.training.config import TrainConfig
from ser_core.training.device import Device, full_precision
from ser_core.training.embedding import embedding_statistics
from ser_core.training.provenance import git_commit, versions
from ser_core.training.refit import changed_for_refit, check_refit, refitted
from ser_core.training.saved_state import RESTART, STATE_FILE, read_state
from ser_core.training.settings import read_settings, settings_of
from ser_core.training.teacher import find_teacher, teach
from ser_core.training.trainer import SAVE_EVERY_SECONDS, Trainer, loss_and_accuracy, predict_logits
from ser_core.training.watching import Watcher, tell

CHANCE_MARGIN = 0.01  # a best validation loss less than this share below that of guessing is chance


def run_experiment(
    config: TrainConfig,
    *,
    corpus: Corpus | Gathered,
    device: Device,
    resume: bool = False,
    restart: bool = False,
    runs_dir: Path = RUNS_DIR,
    checkpoints_dir: Path = CHECKPOINTS_DIR,
    cache_dir: Path | None = None,
    name: str | None = None,
    split: Split | None = None,
    watchers: Sequence[Watcher] = (),
) -> Run:
    """Train, evaluate and record one configuration.

    Args:
        config: what to train.
        corpus: where the wav files are: CREMA-D's, or those of several corpora with a split of their own.
        device: where and how to compute. A precision or numerics that it was chosen by is one of the run's settings.
        resume: go on from what an interrupted run saved, or begin if there is none, which watchers are told.
        restart: replace an interrupted run of that name, and its record once the new one is whole, whatever their
            settings; watchers are told if those are others.
        runs_dir, checkpoints_dir, cache_dir: where the record, the weights and the features go.
        name: of the run, if not the configuration's own.
        split: clips to use instead of the configured split's.
        watchers: are told of progress.

    Returns:
        the record, as it was written to `runs_dir/<name>`.

    Raises:
        SERError: a name that no run can have; a folder that can't be written to; no corpus or a damaged clip; a
            record that would be lost; a name that is taken by other settings, and in what they differ.
    """
    run_folders.check_name(config.name if name is None else name, given=name is not None)
    run_folders.check_folders(runs_dir, checkpoints_dir, cache_dir)
    folder = runs_dir / (name or config.name)
    partial = partial_folder(runs_dir, folder.name)
    if config.refit:
        check_refit(config)
    with alone(runs_dir, folder.name), run_folders.resumable(partial, resume):
        run_folders.put_right(folder, partial, checkpoints_dir / folder.name)
        split = corpus.split if isinstance(corpus, Gathered) else split or load_split(config.split)
        asked = settings_of(config, split, device.asked)
        if restart:
            for sentence in run_folders.what_is_replaced(asked, folder, partial):
                for watcher in watchers:
                    watcher.says(sentence)
        else:
            saved = run_folders.refuse_to_replace(asked, folder, partial, checkpoints_dir / folder.name, resume)
            if resume and not saved:
                resume = False
                for watcher in watchers:
                    watcher.says(f"There is nothing to resume in {partial}: training begins from the start.")
        if resume:
            config = read_settings(partial).config  # the same, but its split file may have lain in another place
        teacher = find_teacher(config.teacher, split)
        taught_by = teacher.described if teacher else None
        if resume and read_config(partial).environment.teacher != taught_by:
            raise RunError(f"{partial} was begun with another {config.teacher} as teacher. Start over with {RESTART}.")
        clips: Sequence[Any] = corpus.clips(sorted(split.train + split.val + split.test))
        positions = {clip.name: i for i, clip in enumerate(clips)}
        train, val, test = ([positions[clip] for clip in part] for part in (split.train, split.val, split.test))

        if MODELS[config.model].pretrained:
            have_encoder(config.model)  # before minutes of features
        data = load_data(config, clips, corpus, cache_dir, device, watchers)
        to_do = config.epochs - (len(read_state(partial).history) if resume else 0)
        copies = [
            load_data(config, corpus.clips(split.train), corpus, cache_dir, device, watchers, number)
            for number in range(min(config.copies, config.epochs) if to_do else 0)
        ]
        if teacher and to_do:
            told = {"features": tell(watchers, "features"), "answered": tell(watchers, "taught")}
            asked_about = corpus.clips(split.train)
            teach(teacher, config, corpus, asked_about, data, train, copies, device=device, cache_dir=cache_dir, **told)
        trainer = Trainer(config, data, train, val, device, copies)
        if resume:
            trainer.load(partial)
        else:
            shutil.rmtree(partial, ignore_errors=True)
            write_config(partial, RunConfig(config, _environment(device, trainer.numerics, split, clips, taught_by)))
        for watcher in watchers:
            watcher.started(trainer)
        _train(trainer, partial, watchers)
        run_folders.say_what_finished(partial, git_commit())

        refit_copies = [
            load_data(changed, corpus.clips(split.train), corpus, cache_dir, device, watchers, config.copies)
            for changed in changed_for_refit(config)
        ]
        weights = _storable_weights(
            trainer, refitted(trainer, watchers, refit_copies) if config.refit else trainer.best
        )
        logits, labels = _logits(trainer, weights, trainer.val_clips), trainer.data.labels[trainer.val_clips]
        temperature = fit_temperature(logits, labels)
        speakers = corpus.said_speakers(split.test) if isinstance(corpus, Gathered) else ()
        tested = torch.as_tensor(test, device=device.device)
        validated = loss_and_accuracy(logits, labels) if config.refit else None
        _record(trainer, weights, temperature, partial, split, tested, speakers, validated)
        run = load_run(partial)
        # Of the weights that the checkpoint gets, which `_record` has left in the network.
        statistics = embedding_statistics(trainer.model, trainer.data, trainer.train_clips)
        heard = {CONTENTS: corpus.heard} if isinstance(corpus, Gathered) else {}
        described, card = _checkpoint_config(config, run, heard), model_card(run, split)
        save_checkpoint(checkpoints_dir / run.name, described, weights, card, statistics)
        run_folders.keep_shorter(partial, folder)
        # Until here, whatever ends this process, the saved state is what `resume` goes on from.
        replace_folder(partial, folder)
        (folder / STATE_FILE).unlink()
    run = load_run(folder)
    for watcher in watchers:
        watcher.finished(run)
    return run


def _record(
    trainer: Trainer,
    weights: dict[str, Tensor],
    temperature: float,
    folder: Path,
    split: Split,
    test: Tensor,
    speakers: tuple[str, ...],
    validated: tuple[float, float] | None,
) -> None:
    """The one look at the test set, with the weights and the temperature that the checkpoint gets.

    Args:
        validated: their validation loss and accuracy, if not those of the best epoch.
    """
    found = probabilities(_logits(trainer, weights, test), temperature).cpu().numpy()
    predictions = Predictions(split.test, trainer.data.labels[test].cpu().numpy(), found, speakers)
    best = trainer.best_epoch
    if validated is None:
        validated = (best.val_loss, best.val_accuracy) if best else None
    result = Result(
        status=_status(trainer),
        epochs=len(trainer.history),
        best_epoch=best.epoch if best else None,
        val_loss=validated[0] if validated else None,
        val_accuracy=validated[1] if validated else None,
        parameters=count_parameters(trainer.model),
        training_seconds=round(sum(epoch.seconds for epoch in trainer.history), 1),
        temperature=temperature,
        metrics=evaluate(predictions.targets.tolist(), predictions.predicted.tolist(), speakers=predictions.speakers),
    )
    write_result(folder, predictions, result)


def _status(trainer: Trainer) -> str:
    """See `Run.status`."""
    if trainer.diverged:
        return "diverged"
    counts = Counter(trainer.data.labels[trainer.train_clips].tolist()).values()
    guessing = -sum(n / sum(counts) * math.log(n / sum(counts)) for n in counts)
    learned = any(epoch.val_loss < (1 - CHANCE_MARGIN) * guessing for epoch in trainer.history)
    return "finished" if learned else "chance"


def _checkpoint_config(config: TrainConfig, run: Run, heard: dict[str, str]) -> CheckpointConfig:
    provenance = {**asdict(run.config), "test": asdict(run.test), **heard}
    return CheckpointConfig(
        run.name,
        config.model,
        config.activation,
        config.form,
        config.audio,
        config.features,
        provenance,
        run.test.temperature,
        config.network,
    )


def load_data(
    config: TrainConfig,
    clips: Sequence[Any],
    corpus: Any,
    cache_dir: Path | None,
    device: Device,
    watchers: Sequence[Watcher],
    copy: int | None = None,
) -> ClipTensors:
    """The clips' features; `copy` says which of the changed copies, if not the clips as they are."""
    told = tell(watchers, "features")
    inputs = load_inputs(config, clips, corpus, copy=copy, cache_dir=cache_dir, progress=told)
    labels = [EMOTIONS.index(clip.emotion) for clip in clips]
    votes = [voice_votes(clip.name) for clip in clips] if config.soft_labels else ()
    return ClipTensors(inputs, labels, config.form, device.device, votes)


def _train(trainer: Trainer, folder: Path, watchers: Sequence[Watcher]) -> None:
    def on_step(clips: int, loss_sum: Tensor, right: Tensor) -> None:
        for watcher in watchers:
            watcher.step(clips, loss_sum, right)

    unsaved_seconds = 0.0
    while not trainer.finished:
        epoch = trainer.run_epoch(on_step)
        unsaved_seconds += epoch.seconds
        if unsaved_seconds >= SAVE_EVERY_SECONDS or trainer.finished:
            trainer.save(folder)
            unsaved_seconds = 0.0
        write_history(folder, trainer.history)
        for watcher in watchers:
            watcher.epoch(epoch)


def _logits(trainer: Trainer, weights: dict[str, Tensor], clips: Tensor) -> Tensor:
    """In float32, as `Predictor` computes them, whatever training used."""
    trainer.model.load_state_dict(weights)
    return predict_logits(trainer.model, trainer.data, clips, full_precision(trainer.device))


def _storable_weights(trainer: Trainer, best: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights in 16 bits, if that leaves the probabilities of the validation clips as they are."""
    half = halved(best)
    if trainer.pretrained:  # in 32 bits, these are too large to ship
        return half
    exact, rounded = (_logits(trainer, weights, trainer.val_clips).softmax(1) for weights in (best, half))
    return half if bool((exact - rounded).abs().max() <= HALF_TOLERANCE) else best


def _environment(
    device: Device, numerics: Numerics, split: Split, clips: Sequence[Any], teacher: TaughtBy | None
) -> Environment:
    return Environment(
        device=device.label,
        precision=device.precision,
        numerics=numerics,
        python=platform.python_version(),
        libraries=versions(),
        git_commit=git_commit(),
        split_id=split.id,
        data_checksum=data_checksum(clips),
        clips=ClipCounts(len(split.train), len(split.val), len(split.test)),
        corpora=split.parts if isinstance(split, GatheredSplit) else (),
        teacher=teacher,
    )
