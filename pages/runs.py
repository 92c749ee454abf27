"""Runs: every recorded training run beside the report's figures, compared, and what they say of its findings."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ser_app.charts import show_figure
from ser_app.navigation import start_page
from ser_app.records import HOW_TO_TRAIN, architecture, records, run_table, show_unreadable
from ser_core.compare import compare, confused_pairs
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import RunError
from ser_core.figures_runs import accuracy_heatmap, confusion_figure, curves_figure, emotion_bars
from ser_core.findings import Verdict, findings, probability
from ser_core.runs import Run

VIEWS = ("All", "Settings", "Best", "Findings")  # the address says them, too
GRID = ("1D", "2D", "Combined")
ICONS = {
    Verdict.CONFIRMED: ":green-badge[:material/check: confirmed]",
    Verdict.CONTRADICTED: ":red-badge[:material/close: contradicted]",
    Verdict.UNDECIDED: ":gray-badge[:material/help: undecided]",
    Verdict.UNEQUAL: ":gray-badge[:material/timelapse: runs of different lengths]",
    Verdict.MISSING: ":gray-badge[:material/hourglass_empty: no run yet]",
}
COLUMNS = {
    "accuracy": st.column_config.NumberColumn(format="%.1f %%", help="Of the test clips; the interval is beside it"),
    "interval": st.column_config.TextColumn("95 % interval", help="Bootstrapped over the test clips"),
    "report": st.column_config.NumberColumn(format="%.1f %%", help="The report's own accuracy, where it gives one"),
    "difference": st.column_config.NumberColumn(format="%+.1f", help="Ours minus the report's, in points"),
    **{name: st.column_config.NumberColumn(format="%.3f") for name in ("weighted F1", "precision", "recall")},
    "UAR": st.column_config.NumberColumn(format="%.3f", help="Unweighted average recall"),
    "validation": st.column_config.NumberColumn(
        format="%.1f %%", help="Validation accuracy of the epoch that was chosen: what models are picked by"
    ),
    "parameters": st.column_config.NumberColumn(format="localized"),
    "minutes": st.column_config.NumberColumn(format="%.1f", help="Of training"),
}
SHOWN = [
    "run",
    "accuracy",
    "interval",
    "report",
    "difference",
    "epochs",
    "weighted F1",
    "precision",
    "recall",
    "UAR",
    "validation",
    "parameters",
    "status",
    "minutes",
    "trained on",
]


def show_all(runs: Sequence[Run]) -> None:
    """The table of all runs, with filters; its selected rows are the runs that are shown below."""
    table = run_table(runs)
    with st.expander("Filter", icon=":material/filter_list:"):
        cells = st.columns(3) + st.columns(3)
        columns = ("architecture", "activation", "learning rate", "epochs", "split", "status")
        for cell, column in zip(cells, columns, strict=True):
            if chosen := cell.multiselect(column.capitalize(), sorted(table[column].unique())):
                table = table[table[column].isin(chosen)]
    st.caption(
        f"{len(table)} of {len(runs)} runs, the best validation accuracy first. Select one to see it, or several."
    )
    names = table["run"].tolist()
    key = f"table-{hash(tuple(names))}"

    def select() -> None:
        st.session_state["run"] = [names[row] for row in st.session_state[key].selection.rows]

    chosen = st.session_state.get("run", st.query_params.get_all("run"))
    st.dataframe(
        table[SHOWN],
        hide_index=True,
        height="auto" if len(table) < 12 else 460,
        column_config=COLUMNS,
        placeholder="–",
        on_select=select,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [i for i, name in enumerate(names) if name in chosen]}},
        key=key,
    )


def show_settings(runs: Sequence[Run]) -> None:
    """Heatmaps of test accuracy (figure 7)."""
    st.caption("Test accuracy over activation and learning rate (the report's figure 7). Choose a cell to see its run.")
    usual = [run for run in runs if run.train["split"] == "report" and run.train["form"] == "fixed"]
    for column, label in zip(st.columns(len(GRID)), GRID, strict=True):
        of_architecture = [run for run in usual if architecture(run) == label]
        key = f"heatmap-{label}"

        def select(key: str = key) -> None:
            if points := st.session_state[key].selection.points:
                st.session_state["run"] = [points[0]["customdata"][0]]

        with column, st.container(border=True):
            st.markdown(f"**{label}**")
            if not of_architecture:
                st.caption("No run yet.")
                continue
            show_figure(
                accuracy_heatmap(of_architecture),
                key,
                on_select=select,
                selection_mode="points",
                alt=f"Test accuracy of {label} over activation and learning rate",
            )
    lengths = sorted({run.train["epochs"] for run in usual if architecture(run) in GRID})
    if len(lengths) > 1:
        st.caption(f"Mind the epochs: these runs were trained for {' or '.join(map(str, lengths))}.")


def best_of_each(runs: Sequence[Run]) -> list[Run]:
    """The run with the best validation accuracy of each architecture on the report's split (table 2)."""
    best: dict[str, Run] = {}
    for run in runs:
        if run.train["split"] == "report":
            best.setdefault(architecture(run), run)
    return list(best.values())


def show_best(runs: Sequence[Run]) -> None:
    """Table 2: the test set has no say in which runs these are."""
    best = best_of_each(runs)
    st.caption("Of each architecture, the run with the best validation accuracy (the report's table 2).")
    st.dataframe(run_table(best)[SHOWN], hide_index=True, column_config=COLUMNS, placeholder="–", key="best")
    show_comparison(best)


def show_findings(runs: Sequence[Run]) -> None:
    """The report's findings one by one."""
    st.caption(
        "Differences are tested with McNemar's test on the clips that both runs classified, at the 5 % level; runs of "
        "different lengths settle nothing. Each run is one training from one seed."
    )
    for finding in findings(runs):
        with st.container(border=True):
            st.markdown(f"**{finding.title}** {ICONS[finding.verdict]}")
            st.markdown(f"The report: {finding.report}")
            for sentence in finding.evidence:
                st.markdown(f"- {sentence}")
            known = {run.name for run in runs}
            if missing := [name for name in finding.runs if name not in known]:
                names = ", ".join(f"`{name}`" for name in missing)
                st.caption(f"Not trained yet: {names}")


def show_chosen(runs: Sequence[Run]) -> None:
    """The runs that were selected above: one in detail, or several compared."""
    by_name = {run.name: run for run in runs}
    names = st.multiselect(
        "Shown below",
        list(by_name),
        key="run",
        bind="query-params",
        persist_state="page",
        placeholder="Choose a run, or several to compare them",
    )
    chosen = [by_name[name] for name in names]
    if len(chosen) == 1:
        show_run(chosen[0])
    if chosen:
        show_comparison(chosen)


def show_run(run: Run) -> None:
    """What only one run has room for."""
    st.subheader(run.name)
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
        low, high = run.metrics["intervals"][key]
        column.metric(
            label, f"{run.metrics[key]:{form}}", f"{low:{form}} to {high:{form}}", delta_color="off", delta_arrow="off"
        )
    if run.status != "finished":
        reasons = {
            "diverged": "Its loss became NaN; the figures are of the best epoch before that.",
            "chance": "Its validation loss was never better than guessing.",
        }
        st.warning(reasons.get(run.status, run.status))
    environment, clips = run.environment, run.environment["clips"]
    st.markdown(
        f"{run.test['parameters']:,} parameters, {run.test['epochs']} epochs in "
        f"{run.test['training_seconds'] / 60:.1f} min on {environment['device']}; trained on {clips['train']:,} clips, "
        f"epoch {run.test['best_epoch'] or '–'} chosen on {clips['val']:,}, tested on {clips['test']:,}."
    )
    listen, people, _ = st.columns([1, 1, 2])
    query = {"run": run.name}
    listen.page_link("pages/mistakes.py", label="Hear its mistakes", icon=":material/hearing:", query_params=query)
    people.page_link("pages/humans.py", label="Compare it with people", icon=":material/groups:", query_params=query)
    with st.expander("Settings and surroundings", icon=":material/settings:"):
        st.json({"train": run.train, "environment": environment}, expanded=2)


def show_comparison(runs: Sequence[Run]) -> None:
    """Differences, confusions, curves and emotions of one run or several."""
    if len(runs) > 1:
        st.subheader("Do they differ beyond chance?")
        show_differences(runs)
    st.subheader("What is taken for what")
    normalised = st.segmented_control(
        "Confusion matrix", ["Shares", "Counts"], default="Shares", required=True, label_visibility="collapsed"
    )
    columns = st.columns(min(len(runs), 3) if len(runs) > 1 else [3, 2])
    for i, run in enumerate(runs):
        with columns[i % len(columns)], st.container(border=True):
            st.markdown(f"`{run.name}`, {run.train['epochs']} epochs")
            figure = confusion_figure(run.metrics["confusion"], normalised=normalised == "Shares")
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
        show_figure(figure, "curves")
    with emotions, st.container(border=True):
        st.markdown("F1 of each emotion")
        scores = {run.name: {e: run.metrics["per_class"][e]["f1"] for e in EMOTIONS} for run in runs}
        show_figure(emotion_bars(scores, "F1"), "f1")


def show_differences(runs: Sequence[Run]) -> None:
    """McNemar's test of the first run against each other."""
    first, rows = runs[0], []
    for other in runs[1:]:
        try:
            difference = compare(first.predictions(), other.predictions())
        except RunError as error:
            st.warning(f"`{first.name}` and `{other.name}`: {error}")
            continue
        low, high = difference.interval
        rows.append(
            {
                "first": first.name,
                "second": other.name,
                "difference in points": f"{100 * difference.accuracy:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})",
                "only first right": difference.only_first,
                "only second right": difference.only_second,
                "p": probability(difference.p_value),
                "beyond chance": "yes" if difference.significant else "no",
            }
        )
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="differences")
    st.caption(
        "McNemar's exact test on the same clips. It compares these trained networks; another seed would give others."
    )
    lengths = {run.train["epochs"] for run in runs}
    if len(lengths) > 1:
        listed = " and ".join(map(str, sorted(lengths)))
        st.warning(f"These runs were trained for {listed} epochs: part of the difference may be that.")


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
        for pair in confused_pairs(run.metrics["confusion"], 6 if len(runs) == 1 else 3)
    ]
    return pd.DataFrame(rows)


start_page("Runs")
st.title("Runs")
runs, unreadable = records()
if runs:
    view = st.segmented_control(
        "View",
        VIEWS,
        default="All",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    match view:
        case "Settings":
            show_settings(runs)
        case "Best":
            show_best(runs)
        case "Findings":
            show_findings(runs)
        case _:
            show_all(runs)
    if view in ("All", "Settings"):
        show_chosen(runs)
else:
    st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
show_unreadable(unreadable)
