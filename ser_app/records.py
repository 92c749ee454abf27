"""Recorded runs as pages show them: read again only when a record changed, and a table of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from ser_app.address import choose_titled
from ser_app.messages import literal
from ser_core.analysis.comparable import by_split, candidates
from ser_core.analysis.configurations import network_label, reported_result, run_label
from ser_core.emotions import EMOTION_NAMES
from ser_core.file_state import Fingerprint, fingerprint
from ser_core.models.activations import activation_label
from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints
from ser_core.records.evaluations import Evaluation, evaluation_files, evaluations_dir, load_evaluations
from ser_core.records.runs import Run, load_runs, recorded_in
from ser_core.records.searches import SearchRecord, load_searches, search_files
from ser_core.training.config import TrainConfig
from ser_core.words import between, counted, listed, percent

HOW_TO_TRAIN = "Train one with `python train.py --model 2d --act silu`, or many with `python grid.py report`."
FEWEST_CLIPS = 100  # of an evaluation that pages believe
RECORD_FILES = ("config.json", "history.csv", "test.json")


def records() -> tuple[list[Run], dict[str, str]]:
    """All runs, and why other records can't be shown.

    Split by split, see `by_split`, and the best validation accuracy of each first.
    """
    folder = recorded_in()
    files = sorted(path / file for path in folder.glob("[!.]*") for file in RECORD_FILES)
    return _records(str(folder), fingerprint(*files))


@st.cache_resource(max_entries=2, show_spinner=False)
def _records(folder: str, files: Fingerprint) -> tuple[list[Run], dict[str, str]]:
    runs, unreadable = load_runs(Path(folder))
    ranked = sorted(runs, key=lambda run: run.val_rank, reverse=True)
    return [run for of_split in by_split(ranked).values() for run in of_split], unreadable


def evaluations() -> tuple[list[Evaluation], dict[str, str]]:
    """What checkpoints heard in whole corpora, and why other records can't be shown."""
    folder = evaluations_dir()
    return _evaluations(str(folder), fingerprint(*evaluation_files(folder)))


@st.cache_resource(max_entries=2, show_spinner=False)
def _evaluations(folder: str, files: Fingerprint) -> tuple[list[Evaluation], dict[str, str]]:
    return load_evaluations(Path(folder))


def searches() -> tuple[list[SearchRecord], dict[str, str]]:
    """What searches for settings found, and why other records can't be shown."""
    folder = recorded_in()
    return _recorded_searches(str(folder), fingerprint(*search_files(folder)))


@st.cache_resource(max_entries=2, show_spinner=False)
def _recorded_searches(folder: str, files: Fingerprint) -> tuple[list[SearchRecord], dict[str, str]]:
    return load_searches(Path(folder))


def heard_elsewhere(name: str) -> list[Evaluation]:
    """What a run's checkpoint heard in corpora of which nothing was trained on, as they are.

    A few clips say little of a model: of fewer than 100, an accuracy of a half is known to ten points.
    """
    known = [one for one in evaluations()[0] if one.checkpoint.name == name and not one.corpus.change]
    return [one for one in known if one.checkpoint.heard == "nothing" and one.corpus.clips >= FEWEST_CLIPS]


def elsewhere(name: str) -> str:
    """How far a run's checkpoint can be believed on corpora of which it heard nothing, as sentences without the last
    dot."""
    measured = ". ".join(_measured(one) for one in heard_elsewhere(name))
    return measured or "On recordings from elsewhere, nobody has measured it"


def _measured(evaluation: Evaluation) -> str:
    """One such corpus: how often it is right, how far its scores are off, and what it mostly takes for something
    else."""
    missed = ["a neutral voice" if one == "NEU" else EMOTION_NAMES[one] for one in evaluation.mostly_missed]
    off = counted(round(100 * evaluation.calibration_error), "point")
    seldom = f", and it seldom hears {listed(missed)}" if missed else ""
    return (
        f"On recordings from elsewhere ({literal(evaluation.corpus.title)}) it is right in "
        f"{percent(evaluation.metrics.accuracy, 0)}; its scores are {off} off there{seldom}"
    )


def run_table(runs: Sequence[Run]) -> pd.DataFrame:
    """A row a run: settings, test figures in percent, the report's own accuracy and, of whole runs, the difference in
    points."""
    rows = []
    for run in runs:
        low, high = run.accuracy_interval
        report, figures = reported_result(run), run.metrics.summary
        whole = run.train.epochs >= TrainConfig.epochs  # as the report's
        rows.append(
            {
                "run": run_label(run),
                "accuracy": 100 * run.accuracy,
                "interval": between(low, high),
                "report": 100 * report.accuracy if report else None,
                "difference": round(100 * (run.accuracy - report.accuracy), 1) + 0.0 if report and whole else None,
                "weighted F1": figures["f1_weighted"],
                "precision": figures["precision_weighted"],
                "recall": figures["recall_weighted"],
                "UAR": figures["uar"],
                "validation": 100 * run.val_accuracy,
                "parameters": run.test.parameters,
                "epochs": run.train.epochs,
                "status": run.status,
                "minutes": run.test.training_seconds / 60,
                "trained on": run.environment.device,
                "teacher": run.environment.teacher.name if run.environment.teacher else None,
                "architecture": network_label(run),
                "activation": activation_label(run.train.activation),
                "learning rate": run.train.lr,
                "split": run.split_name,
            }
        )
    return pd.DataFrame(rows)


SHOWN_RUN, SHOWN_RUNS = "run", "runs"
"""Parameters of the address: the run that a page is about, and those that Runs shows. They are two, since a box for one
and a box for several can't share what is chosen."""


def of_cremad(runs: Sequence[Run]) -> list[Run]:
    """Runs that were trained and tested on CREMA-D by itself, of whose clips everything is known."""
    return [run for run in runs if not run.environment.corpora]


def run_labels(runs: Iterable[Run]) -> dict[str, str]:
    """What people call runs, by their names."""
    return {run.name: run_label(run) for run in runs}


def choose_run(runs: Sequence[Run]) -> Run:
    """Draw the choice of one run, at first the best of the `candidates` that can be tried; the address keeps it."""
    several, here = candidates(runs), list_checkpoints(checkpoints_dir())
    # At the top of the box, which has no other default that would lie in the address.
    first = next((run for run in several if run.name in here), several[0])
    ordered = [first, *(run for run in runs if run is not first)]
    name = choose_titled(st.selectbox, "Run", run_labels(ordered), key=SHOWN_RUN)
    run = next(run for run in runs if run.name == name)
    st.caption(f"{percent(run.accuracy)} of the test clips right. {elsewhere(run.name)}.")
    return run
