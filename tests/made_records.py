"""Records of runs that nobody trained; they have no sums, so that tests may change them."""

from __future__ import annotations

import csv
import json
from collections.abc import Hashable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from ser_core.checksums import remove_sums
from ser_core.corpus.clips import load_index
from ser_core.corpus.recordings import CorpusPart
from ser_core.corpus.splits import REPORT_SPLIT_ID
from ser_core.emotions import EMOTIONS
from ser_core.records.evaluations import (
    EvaluatedCheckpoint,
    EvaluatedCorpus,
    Evaluation,
    GroupFigures,
    Heard,
    folder_of,
    save_evaluation,
)
from ser_core.records.metrics import Metrics, evaluate
from ser_core.records.predictions import Predictions
from ser_core.records.runs import HISTORY_COLUMNS, Epoch, write_config, write_history, write_result
from ser_core.records.schema import ClipCounts, Environment, Result, RunConfig
from ser_core.training.config import TrainConfig
from ser_core.training.saved_state import STATE_FILE
from ser_core.training.study import report_study

CLIPS = ("1001_DFA_ANG_XX", "1001_DFA_DIS_XX", "1001_DFA_FEA_XX", "1001_DFA_HAP_XX")
NAMES = tuple(name for name, clip in load_index().items() if clip.report_split == "test")[:400]
TARGETS = np.array([EMOTIONS.index(name.split("_")[2]) for name in NAMES])
MINE = CorpusPart("mine", "Mine", "0" * 12, "1" * 12, {"train": ("cy",), "val": ("di",), "test": ("anna",)})
"""A corpus of one's own."""
CONFIGS = {config.name: config for config in report_study()}


@cache
def metrics_of(targets: tuple[int, ...], said: tuple[int, ...], speakers: tuple[Hashable, ...]) -> Metrics:
    """As `evaluate`, whose bootstrap takes a while; many records that tests make say the same."""
    return evaluate(targets, said, speakers=speakers)


def write_run(
    folder: Path,
    config: TrainConfig = TrainConfig(),
    *,
    status: str = "finished",
    device: str = "CPU, 1 thread, bf16",
    predictions: Predictions | None = None,
    environment: dict[str, Any] | None = None,
    val_accuracy: float = 0.4,
) -> None:
    """A record of three epochs, and of four clips or what is given; `environment` replaces parts of the usual one."""
    if predictions is None:
        probabilities = np.random.default_rng(0).dirichlet(np.ones(6), 4).astype(np.float32)
        predictions = Predictions(CLIPS, np.array([0, 1, 2, 3]), probabilities)
    write_config(folder, RunConfig(config, surroundings(config, device, len(predictions.names), environment or {})))
    write_history(folder, [Epoch(i, 0.001, 1.5, 0.3, 1.4, val_accuracy, 2.0) for i in (1, 2, 3)])
    answers = (predictions.targets, predictions.predicted, predictions.speakers)
    metrics = metrics_of(*(tuple(values.tolist()) for values in answers))
    write_result(folder, predictions, Result(status, 3, 2, None, val_accuracy, 9, 6.0, 1.0, metrics))
    remove_sums(folder)


def write_state(folder: Path, config: TrainConfig) -> None:
    """What an interrupted run saved, but for its weights."""
    metadata = {"config": json.dumps(asdict(config)), "history": "[]"}
    save_file({"model.weight": np.zeros(1, np.float32)}, folder / STATE_FILE, metadata)


def surroundings(config: TrainConfig, device: str, clips: int, changes: dict[str, Any]) -> Environment:
    usual = Environment(
        device=device,
        precision="bf16",
        numerics="pytorch",
        python="3.11.7",
        libraries={"torch": "2.13.0"},
        git_commit=None,
        split_id=REPORT_SPLIT_ID if config.split == "report" else f"id of {config.split}",
        data_checksum="578b33035034",
        clips=ClipCounts(3, 2, clips),
    )
    return replace(usual, **changes)


def answering(said: np.ndarray, names: tuple[str, ...] = NAMES, targets: np.ndarray = TARGETS) -> Predictions:
    return Predictions(names, targets, np.eye(6, dtype=np.float32)[said])


def record(
    root: Path,
    name: str,
    errors: int,
    *,
    epochs: int = 150,
    seed: int = 0,
    folder: str | None = None,
    settings: dict | None = None,
    environment: dict[str, Any] | None = None,
) -> None:
    """A run of the report's study that is wrong on so many of 400 clips."""
    said = TARGETS.copy()
    wrong = np.random.default_rng(seed).permutation(len(said))[:errors]
    said[wrong] = (said[wrong] + 1) % 6
    config: TrainConfig = replace(CONFIGS[name], epochs=epochs, **(settings or {}))
    write_run(root / (folder or name), config, predictions=answering(said), environment=environment)


def evaluated(
    root: Path,
    checkpoint: str,
    corpus: str = "RAVDESS",
    *,
    right: float = 0.5,
    heard: Heard = "nothing",
    clips: int = 120,
    speakers: int | None = 12,
) -> Evaluation:
    """A record of a checkpoint that is right on so many clips of a corpus, which nobody evaluated."""
    targets = np.arange(clips) % 6
    said = np.where(np.arange(clips) < right * clips, targets, (targets + 1) % 6)
    who = np.arange(clips) // 6 % speakers if speakers else None
    metrics = evaluate(targets.tolist(), said.tolist(), speakers=who)
    figures = GroupFigures(clips, metrics.accuracy, metrics.uar, *metrics.intervals["uar"])
    evaluation = Evaluation(
        EvaluatedCorpus(corpus.lower(), corpus, "all clips", clips, speakers, f"{clips:012x}", {"song": 3}, ""),
        EvaluatedCheckpoint(checkpoint, "0" * 64, ("crema-d",), heard),
        metrics,
        0.1,
        {},
        {"female": figures, "male": figures} if speakers else {},
        {},
        "3.11.7",
        {"torch": "2.13.0"},
        None,
    )
    names = tuple(f"clip{i}" for i in range(clips))
    predictions = Predictions(names, targets, np.eye(6, dtype=np.float32)[said], ("",) * clips)
    folder = folder_of(root, corpus.lower(), checkpoint)
    save_evaluation(folder, evaluation, predictions)
    remove_sums(folder)
    return evaluation


def older(path: Path, part: str, *unsaid: str) -> None:
    """Make a record's file one of the first version, which left this out of a part."""
    values = json.loads(path.read_text())
    del values["version"]
    for name in unsaid:
        del values[part][name]
    path.write_text(json.dumps(values))


def set_val_accuracy(folder: Path, value: float) -> None:
    """Let a record say another validation accuracy of its best epoch, in test.json and in history.csv."""
    test = json.loads((folder / "test.json").read_text())
    (folder / "test.json").write_text(json.dumps(test | {"val_accuracy": value}))
    with (folder / "history.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    rows[test["best_epoch"] - 1]["val_accuracy"] = str(value)
    with (folder / "history.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
