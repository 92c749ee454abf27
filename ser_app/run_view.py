"""One run in detail, or several beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from ser_app.charts import show_figure
from ser_app.messages import literal, sentence
from ser_core.analysis.calibration import answered_from, reliability, risk_coverage
from ser_core.analysis.comparable import differences, listed
from ser_core.analysis.comparison import compare, probability
from ser_core.analysis.confusion import confused_pairs
from ser_core.analysis.run_figures import (
    confusion_figure,
    curves_figure,
    emotion_bars,
    reliability_figure,
    risk_coverage_figure,
)
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import RunError
from ser_core.records.runs import Run
from ser_core.serving.prediction import MIN_CONFIDENCE
from ser_core.words import counted


def show_run(run: Run) -> None:
    """What only one run has room for."""
    st.header(literal(run.name))
    columns = st.columns(4)
    for column, (label, key, form) in zip(
        columns,
        (
            ("Test accuracy", "accuracy", ".1%"),
            ("Weighted F1", "f1_weighted", ".3f"),
            ("Precision", "precision_weighted", ".3f"),
            ("UAR", "uar", ".3f"),
        ),
        strict=True,
    ):
        low, high = run.metrics.intervals[key]
        column.metric(
            label,
            f"{run.metrics.summary[key]:{form}}",
            f"{low:{form}} to {high:{form}}",
            delta_color="off",
            delta_arrow="off",
        )
    if run.status != "finished":
        reasons = {
            "diverged": "Its loss became NaN; the figures are of the best epoch before that.",
            "chance": "Its validation loss was never better than guessing.",
        }
        st.warning(reasons.get(run.status, run.status))
    environment, clips = run.environment, run.environment.clips
    st.markdown(
        f"{run.test.parameters:,} parameters, {counted(run.test.epochs, 'epoch')} in "
        f"{run.test.training_seconds / 60:.1f} min on {environment.device}; trained on {clips.train:,} clips, "
        f"epoch {run.test.best_epoch or '–'} chosen by {run.train.select} on {clips.val:,}, "
        f"tested on {clips.test:,}. Intervals are 95 %, over {run.intervals_over}."
    )
    if run.environment.corpora:
        st.caption(f"Trained and tested on {', '.join(part.title for part in run.environment.corpora)}.")
    else:
        listen, people, _ = st.columns([1, 1, 2])
        query = {"run": run.name}
        listen.page_link("pages/mistakes.py", label="Hear its mistakes", icon=":material/hearing:", query_params=query)
        people.page_link(
            "pages/humans.py", label="Compare it with people", icon=":material/groups:", query_params=query
        )
    with st.expander("Settings and surroundings", icon=":material/settings:"):
        st.json(asdict(run.config), expanded=2)


def show_comparison(runs: Sequence[Run]) -> None:
    """Differences, confusions, curves and emotions of one run or several."""
    if len(runs) > 1:
        st.header("Do they differ beyond chance?")
        show_differences(runs)
    st.header("What is taken for what")
    normalised = st.segmented_control(
        "Confusion matrix", ["Shares", "Counts"], default="Shares", required=True, label_visibility="collapsed"
    )
    columns = st.columns(min(len(runs), 3) if len(runs) > 1 else [3, 2])
    for i, run in enumerate(runs):
        with columns[i % len(columns)], st.container(border=True):
            st.markdown(f"`{run.name}`, {counted(run.train.epochs, 'epoch')}")
            figure = confusion_figure(run.metrics.confusion, normalised=normalised == "Shares")
            show_figure(figure, f"confusion-{run.name}")
    with columns[-1] if len(runs) == 1 else st.container(), st.container(border=True):
        st.markdown("Most confused")
        st.dataframe(pairs_table(runs), hide_index=True, key=f"pairs-{len(runs)}")
    curves, emotions = st.columns([3, 2])
    with curves, st.container(border=True):
        quantity = st.segmented_control(
            "Curves", ["Loss", "Accuracy"], default="Loss", required=True, label_visibility="collapsed"
        )
        figure = curves_figure({run.name: run.history for run in runs}, quantity.lower())
        if len(runs) > 1:
            st.caption("Solid lines are of validation, dotted ones of training.")
        show_figure(figure, "curves")
    with emotions, st.container(border=True):
        st.markdown("F1 of each emotion")
        scores = {run.name: f1_by_emotion(run) for run in runs}
        show_figure(emotion_bars(scores, "F1"), "f1")
    show_calibration(runs)


def show_calibration(runs: Sequence[Run]) -> None:
    """Whether the probabilities of runs can be believed; of those whose predictions can be read."""
    said = {}
    for run in runs:
        try:
            said[run.name] = run.predictions()
        except RunError as error:
            st.warning(f"`{run.name}`: {sentence(error)}")
    if not said:
        return
    st.header("Can its probabilities be believed?")
    believed, surest = st.columns(2)
    with believed, st.container(border=True):
        found = {name: reliability(predictions) for name, predictions in said.items()}
        errors = "; ".join(f"`{name}` {one.expected_calibration_error:.1%}" for name, one in found.items())
        st.caption(
            "Over how sure it says it is: how often it is right. Its expected calibration error, the mean distance "
            f"from the dotted line: {errors}."
        )
        show_figure(reliability_figure(found), "reliability")
    with surest, st.container(border=True):
        marks = {name: answered_from(predictions, MIN_CONFIDENCE) for name, predictions in said.items()}
        answers = "; ".join(
            f"`{name}` answers {share:.0%}" + (f", and is right in {right:.1%} of those" if share else "")
            for name, (share, right) in marks.items()
        )
        st.caption(
            "If it only answered where it is surest: how often it would be right. The dot is where it answers from "
            f"{MIN_CONFIDENCE:.0%} on and is unsure of all else, as in Classify: {answers}."
        )
        curves = {name: risk_coverage(predictions) for name, predictions in said.items()}
        show_figure(risk_coverage_figure(curves, marks), "coverage")


def f1_by_emotion(run: Run) -> dict[str, float]:
    """F1 of each emotion that has test clips."""
    of_emotion = run.metrics.per_class
    return {e: of_emotion[e].f1 for e in EMOTIONS if of_emotion[e].support}


def show_differences(runs: Sequence[Run]) -> None:
    """The first run against each other: how far they are apart, and whether that is beyond chance."""
    first, rows = runs[0], []
    for other in runs[1:]:
        try:
            difference = compare(first.predictions(), other.predictions())
        except RunError as error:
            st.warning(f"`{first.name}` and `{other.name}`: {sentence(error)}")
            continue
        low, high = difference.interval
        comparable = not differences([first, other])
        rows.append(
            {
                "first": first.name,
                "second": other.name,
                "difference in points": f"{100 * difference.accuracy:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})",
                "only first right": difference.only_first,
                "only second right": difference.only_second,
                "p": probability(difference.p_value),
                "beyond chance": ("yes" if difference.significant else "no") if comparable else "not comparable",
            }
        )
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="differences")
    st.caption(
        "The interval is 95 %, over speakers and clips; p is of McNemar's exact test on the same clips. Beyond chance "
        "is what is so by both. It compares these trained networks; another seed would give others."
    )
    found = {other.name: differences([first, other]) for other in runs[1:]}
    lines = [f"- `{name}` also differs in {listed(settings)}" for name, settings in found.items() if settings]
    if lines:
        st.warning("\n".join([f"Not comparable with `{first.name}`; part of a difference may be that:", *lines]))


def pairs_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The most confused emotions of each run."""
    rows = [
        {
            **({"run": run.name} if len(runs) > 1 else {}),
            "meant": EMOTION_NAMES[pair.true],
            "said": EMOTION_NAMES[pair.predicted],
            "clips": pair.clips,
            "share": f"{pair.share:.0%}",
        }
        for run in runs
        for pair in confused_pairs(run.metrics.confusion, 6 if len(runs) == 1 else 3)
    ]
    return pd.DataFrame(rows)
