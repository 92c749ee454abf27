"""Runs: every recorded training run beside the report's figures, compared, and what they say of its findings."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ser_app.address import asked_for, choose, follow_names, names_in_address, say_unknown
from ser_app.charts import show_figure
from ser_app.checkpoint_view import show_checkpoints
from ser_app.corpora_view import show_corpora
from ser_app.findings_view import show_findings
from ser_app.ingredients_view import show_ingredients
from ser_app.messages import literal, show_unreadable
from ser_app.navigation import start_page
from ser_app.records import (
    HOW_TO_TRAIN,
    SHOWN_RUNS,
    evaluations,
    records,
    run_labels,
    run_table,
    searches,
)
from ser_app.run_view import show_comparison, show_run
from ser_app.search_view import show_searches
from ser_app.speakers_view import show_speakers
from ser_app.steps_view import show_steps
from ser_app.tables import choose_rows
from ser_core.analysis.comparable import best_of_each, by_split, differences, listed, over, split_title
from ser_core.analysis.deciding import Grid, runs_of_the_grid
from ser_core.analysis.ingredients import ingredient_results, left_out
from ser_core.analysis.report import REPORT_LINK
from ser_core.analysis.run_figures import accuracy_heatmap
from ser_core.analysis.speakers import not_yet, speaker_results
from ser_core.analysis.steps import step_results
from ser_core.analysis.untrained import untrained_results
from ser_core.models.registry import MODELS
from ser_core.places import found
from ser_core.records.evaluations import evaluations_dir
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.report_grid import REPORT_MODELS
from ser_core.training.search_results import STORAGE, can_be_read
from ser_core.words import counted

VIEWS = ("All", "Settings", "Best", "Findings", "Checkpoints")  # the address says them, too
SPEAKERS, STEPS, INGREDIENTS = "Speakers", "Steps", "Ingredients"  # where there are records of them
SEARCH, CORPORA = "Search", "Corpora"  # the same
COLUMNS = {
    "run": st.column_config.TextColumn(
        width=300, help="Learning rate, activation and network, other settings that are unusual, and its length"
    ),
    "accuracy": st.column_config.NumberColumn(format="%.1f %%", help="Of the test clips; the interval is beside it"),
    "interval": st.column_config.TextColumn(
        "95 % interval", width=110, help="Bootstrapped; the line above the table says over what"
    ),
    "report": st.column_config.NumberColumn(
        format="%.1f %%", help=f"The report's own accuracy after {TrainConfig.epochs} epochs, where it gives one"
    ),
    "difference": st.column_config.NumberColumn(
        format="%+.1f", help=f"Ours minus the report's, in points, if ours has {TrainConfig.epochs} epochs, too"
    ),
    **{name: st.column_config.NumberColumn(format="%.3f") for name in ("weighted F1", "precision", "recall")},
    "UAR": st.column_config.NumberColumn(format="%.3f", help="Unweighted average recall"),
    "validation": st.column_config.NumberColumn(
        format="%.1f %%", help="Validation accuracy of the epoch that was chosen: what models are picked by"
    ),
    "parameters": st.column_config.NumberColumn(format="localized"),
    "minutes": st.column_config.NumberColumn(format="%.1f", help="Of training"),
    "trained on": st.column_config.TextColumn(width=200),
    "teacher": st.column_config.TextColumn(width=200, help="A network whose answers it learned from, beside labels"),
}
SHOWN = [
    "accuracy",  # where a phone shows it
    "run",
    "validation",
    "interval",
    "report",
    "difference",
    "epochs",
    "weighted F1",
    "precision",
    "recall",
    "UAR",
    "parameters",
    "status",
    "minutes",
    "trained on",
]
FILTERS = {
    "architecture": "architecture",
    "activation": "activation",
    "learning rate": "rate",
    "epochs": "trained-for",
    "split": "split",
    "status": "status",
}
"""Columns, and the parameters of the address that filter them."""


def show_all(runs: Sequence[Run]) -> list[Run]:
    """All runs, a table for each split, with filters; those that are listed."""
    table = run_table(runs)
    with st.expander("Filter", asked_for(FILTERS.values()), icon=":material/filter_list:"):
        cells = st.columns(3) + st.columns(3)
        for cell, (column, key) in zip(cells, FILTERS.items(), strict=True):
            values = sorted(table[column].unique())
            if chosen := choose(cell.multiselect, column.capitalize(), values, key=key):
                table = table[table[column].isin(chosen)]
    listed = [runs[i] for i in table.index]
    keep_listed(listed)
    st.caption(
        f"{len(table)} of {len(runs)} runs, the best validation accuracy first. Click on a run to see it, or tick "
        f"several to compare them. Intervals are over {over(runs)}."
    )
    splits = by_split(listed)
    for of_split in splits.values():
        if len(by_split(runs)) > 1:
            st.markdown(f"**{literal(split_title(of_split))}**")
        show_table(of_split)
    return listed


def keep_listed(listed: Sequence[Run]) -> None:
    """Of the runs that are shown, drop those that are not listed any more."""
    if SHOWN_RUNS in st.session_state:
        names = {run.name for run in listed}
        st.session_state[SHOWN_RUNS] = [name for name in st.session_state[SHOWN_RUNS] if name in names]


def show_table(runs: Sequence[Run]) -> None:
    """Runs of one split; its chosen rows, beside what other tables have ticked, are the runs that are shown."""
    names = [run.name for run in runs]

    def choose(rows: list[int], alone: bool) -> None:
        elsewhere = [] if alone else [name for name in st.session_state.get(SHOWN_RUNS, []) if name not in names]
        st.session_state[SHOWN_RUNS] = elsewhere + [names[row] for row in rows]

    shown = st.session_state.get(SHOWN_RUNS, names_in_address(run_labels(runs), SHOWN_RUNS))
    choose_rows(
        run_table(runs)[[*SHOWN, *(["teacher"] if any(run.taught for run in runs) else [])]],
        [i for i, name in enumerate(names) if name in shown],
        f"table-{hash(tuple(names))}",
        choose,
        height="auto" if len(runs) < 12 else 460,
        column_config=COLUMNS,
        placeholder="–",
        alt=split_title(runs),
    )


def show_settings(runs: Sequence[Run]) -> list[Run]:
    """Heatmaps of test accuracy (figure 7); the runs in them."""
    st.caption(
        f"Test accuracy by activation and learning rate (the {REPORT_LINK}'s figure 7). Click on a cell to see its run."
    )
    grid = runs_of_the_grid(runs)
    length = max(grid, default=0)
    if len(grid) > 1:
        shown = st.session_state.get(SHOWN_RUNS, names_in_address(run_labels(runs), SHOWN_RUNS))
        length = st.segmented_control(
            "Trained for",
            sorted(grid),
            default=next((run.train.epochs for run in runs_in(grid) if run.name in shown), length),
            format_func=lambda epochs: counted(epochs, "epoch"),
            required=True,
            key="epochs",
            bind="query-params",
        )
    usual = runs_in({length: grid.get(length, {})})
    keep_listed(usual)
    for column, model in zip(st.columns(len(REPORT_MODELS)), REPORT_MODELS, strict=True):
        label = MODELS[model].label
        of_network = [run for run in usual if run.train.model == model]
        key = f"heatmap-{label}"

        def select(key: str = key) -> None:
            if points := st.session_state[key].selection.points:
                st.session_state[SHOWN_RUNS] = [points[0]["customdata"][0]]

        with column, st.container(border=True):
            st.markdown(f"**{label}**")
            if not of_network:
                st.caption("No run yet.")
                continue
            if found := differences(of_network, ("activation", "lr")):
                st.warning(f"Not all are comparable: they also differ in {literal(listed(found))}.")
            show_figure(
                accuracy_heatmap(of_network),
                key,
                file=f"test accuracy {label} by activation and learning rate",
                on_select=select,
                selection_mode="points",
                alt=f"Test accuracy of {label} by activation and learning rate",
            )
    return usual


def runs_in(grid: Grid) -> list[Run]:
    """All runs of a grid."""
    return [run for of_length in grid.values() for of_network in of_length.values() for run in of_network.values()]


def show_best(runs: Sequence[Run]) -> None:
    """Table 2: the test set has no say in which runs these are."""
    st.caption(
        f"Of each network, the run with the best validation accuracy (the {REPORT_LINK}'s table 2). Repeats with "
        "another seed are left out: they say how much is chance. "
        f"Click on a run to see it, or tick several to compare them. Intervals are over {over(runs)}."
    )
    best = {split: list(best_of_each(of_split).values()) for split, of_split in by_split(runs).items()}
    keep_listed([run for of_split in best.values() for run in of_split])
    for of_split in best.values():
        if len(best) > 1:
            st.markdown(f"**{literal(split_title(of_split))}**")
        show_table(of_split)
    show_chosen([run for of_split in best.values() for run in of_split])


def show_chosen(runs: Sequence[Run]) -> None:
    """The runs that were selected above: one in detail, or several compared."""
    by_name = {run.name: run for run in runs}
    labels = run_labels(runs)
    names = st.multiselect(
        "Shown below",
        list(labels),
        format_func=labels.__getitem__,
        key=SHOWN_RUNS,
        bind="query-params",
        persist_state="page",
        placeholder="Choose a run, or several to compare them",
    )
    chosen = [by_name[name] for name in names]
    if len(chosen) == 1:
        show_run(chosen[0])
    if chosen:
        show_comparison(chosen)


start_page("Runs")
st.title("Runs")
st.markdown(f"Every recorded training run, beside what the {REPORT_LINK} says of the same settings.")
runs, unreadable = records()
evaluated, damaged = evaluations()
searched, unknown_searches = searches()
steps, speakers = step_results(runs, evaluated), speaker_results(runs)
ingredients, trials = ingredient_results(runs, evaluated, evaluations_dir()), found("runs").parent / STORAGE
in_steps = {step.run.name for step in steps if step.before}  # which are in a table of their own
untrained = untrained_results(ingredients, evaluated, evaluations_dir())
in_steps |= {name for one in ingredients if one.before for name in one.checkpoints}
in_steps |= {name for one in untrained for name in one.names}
evaluated = [one for one in evaluated if one.checkpoint.name not in in_steps]
if runs:
    labels = run_labels(runs)
    say_unknown(SHOWN_RUNS, known={*labels, *labels.values()})
    follow_names(labels, SHOWN_RUNS, several=True)
    view = choose(
        st.segmented_control,
        "View",
        [
            *VIEWS,
            *([SPEAKERS] if speakers else []),
            *([STEPS] if len(steps) > 1 else []),
            *([INGREDIENTS] if len(ingredients) + len(untrained) > 1 else []),
            *([SEARCH] if searched or can_be_read(trials) else []),
            *([CORPORA] if evaluated else []),
        ],
        default="All",
        required=True,
        key="view",
        label_visibility="collapsed",
    )
    match view:
        case "Settings":
            show_chosen(show_settings(runs))
        case "Best":
            show_best(runs)
        case "Findings":
            show_findings(runs, steps, ingredients)
        case "Checkpoints":
            show_checkpoints()
        case "Speakers":
            show_speakers(speakers, not_yet(runs))
        case "Steps":
            show_steps(steps)
        case "Ingredients":
            show_ingredients(ingredients, untrained, left_out(runs, ingredients))
        case "Search":
            show_searches(searched, trials)
        case "Corpora":
            show_corpora(evaluated)
        case _:
            show_chosen(show_all(runs))
else:
    st.info(f"No run is recorded yet. {HOW_TO_TRAIN}")
    if evaluated:
        show_corpora(evaluated)
show_unreadable(unreadable)
show_unreadable(damaged, "evaluation")
show_unreadable(unknown_searches, "search record")
