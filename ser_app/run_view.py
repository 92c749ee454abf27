"""One run in detail, or several beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

import pandas as pd
import streamlit as st

from ser_app.charts import show_figure, spoken
from ser_app.clip_list import answers, in_cell, link_to_cell, pick_cell, picked_in, show_clips
from ser_app.messages import literal, sentence
from ser_app.records import heard_elsewhere
from ser_app.tables import choose_row, choose_rows
from ser_core.analysis.calibration import answered_from, reliability, risk_coverage
from ser_core.analysis.comparable import differences, listed
from ser_core.analysis.comparison import compare, probability
from ser_core.analysis.configurations import run_label
from ser_core.analysis.confusion import cell_label, confused_pairs
from ser_core.analysis.run_figures import (
    confusion_figure,
    curves_figure,
    emotion_bars,
    reliability_figure,
    risk_coverage_figure,
)
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import RunError
from ser_core.models.registry import architecture
from ser_core.records.evaluations import evaluations_dir, folder_of, load_predictions
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run
from ser_core.serving.prediction import MIN_CONFIDENCE
from ser_core.words import between, code, counted, percent, points, points_between

EXPLAINED = {
    "accuracy": "Share of the test clips whose intended emotion is predicted",
    "f1_weighted": "Mean of the emotions' F1, each counted by its clips",
    "precision_weighted": "Mean of the emotions' precision, each counted by its clips",
    "uar": "Unweighted average recall: the mean of the emotions' recalls",
}
DIFFERENCES = {  # on a phone, the first two are all that one sees
    "difference in points": st.column_config.TextColumn(width=150, help="Accuracy of the first minus the second"),
    "significant": st.column_config.TextColumn(width=110),
    "second": st.column_config.TextColumn(width=330),
}


def show_run(run: Run) -> None:
    """What only one run has room for."""
    st.header(literal(run_label(run)))
    columns = st.columns(4)
    shares = (("Test accuracy", "accuracy"), ("Weighted F1", "f1_weighted"), ("Precision", "precision_weighted"))
    for column, (label, key) in zip(columns, (*shares, ("UAR", "uar")), strict=True):
        low, high = run.metrics.intervals[key]
        as_percent = key == "accuracy"
        column.metric(
            label,
            percent(run.metrics.summary[key]) if as_percent else f"{run.metrics.summary[key]:.3f}",
            between(low, high) if as_percent else f"{low:.3f} – {high:.3f}",
            delta_color="off",
            delta_arrow="off",
            help=EXPLAINED[key],
        )
    if run.status != "finished":
        reasons = {
            "diverged": "Its loss became NaN; the figures are of the best epoch before that.",
            "chance": "Its validation loss was never better than guessing.",
        }
        st.warning(reasons.get(run.status, literal(run.status)))
    environment, clips = run.environment, run.environment.clips
    chosen = f"Validation {run.train.select} picked epoch {run.test.best_epoch}" if run.test.best_epoch else "No epoch"
    st.markdown(
        f"{run.test.parameters:,} parameters. {clips.train:,} clips are in the training set, {clips.val:,} in the "
        f"validation set, {clips.test:,} in the test set. {counted(run.test.epochs, 'epoch')} took "
        f"{run.test.training_seconds / 60:.1f} minutes on {literal(environment.device)}. {chosen}"
        f"{'' if run.test.best_epoch else ' was picked'}. Intervals are 95\u00a0%, over {run.intervals_over}."
    )
    if teacher := run.environment.teacher:
        alone = ": what it knows is not from its clips alone" if teacher.pretrained else ""
        st.caption(f"Taught by {code(teacher.name)}, {architecture(teacher.model).purpose}, beside its labels{alone}.")
    if run.environment.corpora:
        st.caption(f"Trained and tested on {literal(', '.join(part.title for part in run.environment.corpora))}.")
    else:
        listen, people, _ = st.columns([1, 1, 2])
        query = {"run": run_label(run)}
        listen.page_link("pages/mistakes.py", label="Hear its mistakes", icon=":material/hearing:", query_params=query)
        people.page_link(
            "pages/humans.py", label="Compare it with people", icon=":material/groups:", query_params=query
        )
    with st.expander("Settings and environment", icon=":material/settings:"):
        st.json(asdict(run.config), expanded=2)


def show_comparison(runs: Sequence[Run]) -> None:
    """Differences, confusions, curves and emotions of one run or several."""
    if len(runs) > 1:
        st.header("Is the difference significant?")
        show_differences(runs)
    show_confusions(runs)
    curves, emotions = st.columns([3, 2])
    names = " and ".join(run_label(run) for run in runs)
    with curves, st.container(border=True):
        quantity = st.segmented_control(
            "Curves", ["Loss", "Accuracy"], default="Loss", required=True, label_visibility="collapsed"
        )
        figure = curves_figure({run_label(run): run.history for run in runs}, quantity.lower())
        st.caption("Solid: on the validation set. Dotted: on the training set.")
        show_figure(figure, "curves", alt=f"{quantity} over epochs, {names}", file=f"{quantity} by epoch {names}")
    with emotions, st.container(border=True):
        st.markdown("F1 of each emotion")
        scores = {run_label(run): f1_by_emotion(run) for run in runs}
        alt = f"F1 of each emotion, {spoken(scores)}"
        show_figure(emotion_bars(scores, "F1"), "f1", alt=alt, file=f"F1 by emotion {names}")
    show_calibration(runs)


def show_confusions(runs: Sequence[Run]) -> None:
    """A confusion matrix a run, and the clips of a cell where one is picked."""
    st.header("Confusion matrix" if len(runs) == 1 else "Confusion matrices")
    normalised = st.segmented_control(
        "Cells", ["Shares", "Counts"], default="Shares", required=True, label_visibility="collapsed"
    )
    columns = st.columns(min(len(runs), 3) if len(runs) > 1 else [3, 2])
    picked: dict[str, str] = {}
    for i, run in enumerate(runs):
        key, file = f"confusion-{run.name}", f"confusion matrix {run_label(run)}"
        with columns[i % len(columns)], st.container(border=True):
            st.markdown(code(run_label(run)))
            if run.environment.corpora:
                figure = confusion_figure(run.metrics.confusion, normalised=normalised == "Shares")
                show_figure(figure, key, file=file, alt="Confusion matrix")
            elif cell := pick_cell(run.metrics.confusion, key, normalised=normalised == "Shares", file=file):
                picked[run.name] = cell
    with columns[-1] if len(runs) == 1 else st.container(), st.container(border=True):
        st.markdown("Most confused")
        show_pairs(runs)
    for run in runs:
        if cell := picked.get(run.name):
            show_cell(run, cell)


def show_cell(run: Run, cell: str) -> None:
    """The clips in a cell of a run's confusion matrix."""
    try:
        table = in_cell(answers(run.predictions()), cell)
    except RunError as error:
        st.warning(sentence(error))
        return
    label = run_label(run)
    show_clips(f"{cell}, by {label}", table, f"cell-{run.name}", link_to_cell(label, cell))


def show_calibration(runs: Sequence[Run]) -> None:
    """Whether the probabilities of runs can be believed: on their test clips, and on corpora that are new to them.

    Of those whose predictions can be read.
    """
    said: dict[str, Predictions] = {}
    for run in runs:
        label = run_label(run)
        places = {label: run.predictions}
        for one in heard_elsewhere(run.name):
            folder = folder_of(evaluations_dir(), one.corpus.name, run.name)
            places[f"{label} on {one.corpus.title}"] = partial(load_predictions, folder)
        for name, load in places.items():
            try:
                said[name] = load()
            except RunError as error:
                st.warning(f"{code(name)}: {sentence(error)}")
    if not said:
        return
    st.header("Can its probabilities be believed?" if len(runs) == 1 else "Can their probabilities be believed?")
    believed, surest = st.columns(2)
    with believed, st.container(border=True):
        found = {name: reliability(predictions) for name, predictions in said.items()}
        errors = "; ".join(f"{code(name)} {percent(one.expected_calibration_error)}" for name, one in found.items())
        st.caption(
            "To the right, the probability that a network gives its prediction; upwards, the share of such predictions "
            f"that is right. The mean distance from the dotted line is the expected calibration error: {errors}."
        )
        alt = "How often answers are right, over their scores"
        show_figure(reliability_figure(found), "reliability", alt=alt, file=f"calibration {' and '.join(said)}")
    with surest, st.container(border=True):
        marks = {name: answered_from(predictions, MIN_CONFIDENCE) for name, predictions in said.items()}
        shares = "; ".join(
            f"{code(name)} answers {percent(share, 0)}"
            + (f", and is right in {percent(right)} of those" if share else "")
            for name, (share, right) in marks.items()
        )
        st.caption(
            "If a network only answered where it is surest: the share that it would answer, and how often it would be "
            f"right. The dot is where it answers from {percent(MIN_CONFIDENCE, 0)} on, as in Classify: {shares}."
        )
        curves = {name: risk_coverage(predictions) for name, predictions in said.items()}
        alt = "Accuracy over the share that is answered"
        show_figure(
            risk_coverage_figure(curves, marks), "coverage", alt=alt, file=f"accuracy by coverage {' and '.join(said)}"
        )


def f1_by_emotion(run: Run) -> dict[str, float]:
    """F1 of each emotion that has test clips."""
    of_emotion = run.metrics.per_class
    return {e: of_emotion[e].f1 for e in EMOTIONS if of_emotion[e].support}


def show_differences(runs: Sequence[Run]) -> None:
    """The first run against each other: how far they are apart, and whether that is beyond chance."""
    first, others, rows = runs[0], [], []
    for other in runs[1:]:
        try:
            difference = compare(first.predictions(), other.predictions())
        except RunError as error:
            st.warning(f"{code(run_label(first))} and {code(run_label(other))}: {sentence(error)}")
            continue
        comparable = not differences([first, other])
        others.append(other)
        rows.append(
            {
                "difference in points": f"{points(difference.accuracy)} ({points_between(*difference.interval)})",
                "significant": ("yes" if difference.significant else "no") if comparable else "not comparable",
                "second": run_label(other),
                "p": probability(difference.p_value),
                "only first right": difference.only_first,
                "only second right": difference.only_second,
            }
        )
    if rows:
        key = f"differences-{'-'.join(run.name for run in runs)}"
        st.markdown(f"{code(run_label(first))} is the first of {'both' if len(rows) == 1 else 'each pair'}.")
        row = choose_row(pd.DataFrame(rows), key, required=False, column_config=DIFFERENCES)
        st.caption(
            "Choose a row to hear the clips on which both differ. Intervals are 95\u00a0%, over speakers and clips; "
            "p is of McNemar's exact test on the same clips. A difference is significant if both say so: p below "
            "0.05, and an interval without 0. It is one between these trained networks; another seed would give others."
        )
        if row is not None and not (first.environment.corpora or others[row].environment.corpora):
            show_disagreement(first, others[row], key)
    found = {other: differences([first, other]) for other in runs[1:]}
    lines = [
        f"{code(run_label(other))} also differs in {literal(listed(settings))}"
        for other, settings in found.items()
        if settings
    ]
    if lines:
        what = lines[0] if len(lines) == 1 else f"{len(lines)} of the runs also differ in other settings"
        st.warning(f"{what}. Part of a difference from {code(run_label(first))} may be due to that.")
    if len(lines) > 1:
        with st.expander("Which settings"):
            st.markdown("\n".join(f"- {line}" for line in lines))


def show_disagreement(first: Run, second: Run, key: str) -> None:
    """The clips that one of two runs predicts as intended, and the other does not.

    Raises:
        RunError: their predictions can't be read.
    """
    tables = [answers(run.predictions()) for run in (first, second)]
    table, other = tables[0], tables[1].set_index("clip").loc[tables[0]["clip"]].reset_index()
    right = [one["predicted"] == one["intended"] for one in (table, other)]
    labels = [run_label(run) for run in (first, second)]
    shown = table.drop(columns=["model score", "predicted"])
    for place, (label, one) in enumerate(zip(labels, (table, other), strict=True)):
        shown.insert(2 + place, f"predicted by {label}", one["predicted"])
    only = {
        f"Only {labels[0]} is right": shown[right[0] & ~right[1]],
        f"Only {labels[1]} is right": shown[right[1] & ~right[0]],
        "Both are wrong": shown[~right[0] & ~right[1]],
    }
    which = st.segmented_control(
        "Clips", list(only), default=next(iter(only)), required=True, format_func=literal, key=f"{key}-which"
    )
    show_clips(which, only[which].reset_index(drop=True), f"{key}-clips")


def show_pairs(runs: Sequence[Run]) -> None:
    """The most confused emotions of each run; a chosen row opens its cell of the confusion matrix."""
    found = [(run, pair) for run in runs for pair in confused_pairs(run.metrics.confusion, 6 if len(runs) == 1 else 3)]
    table = pd.DataFrame(
        [
            {
                **({"run": run_label(run)} if len(runs) > 1 else {}),
                "intended": EMOTION_NAMES[pair.true],
                "predicted": EMOTION_NAMES[pair.predicted],
                "clips": pair.clips,
                "share": percent(pair.share, 0),
            }
            for run, pair in found
        ]
    )
    cells = [(picked_in(f"confusion-{run.name}"), cell_label(pair.true, pair.predicted)) for run, pair in found]
    chosen = [i for i, (box, cell) in enumerate(cells) if st.session_state.get(box) == cell]

    def open_cells(rows: list[int], _alone: bool) -> None:
        asked = dict(cells[row] for row in rows)
        for box in {box for box, _ in cells}:
            if box in asked or st.session_state.get(box) in {cell for one, cell in cells if one == box}:
                st.session_state[box] = asked.get(box)

    choose_rows(table, chosen, f"pairs-{'-'.join(run.name for run in runs)}", open_cells)
