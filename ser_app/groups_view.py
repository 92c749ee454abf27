"""Where a run fails: how far groups of clips are apart, which of that is beyond chance, and the clips of each group."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ser_app.address import say_unknown
from ser_app.clip_list import answers, pick, show_clips
from ser_app.tables import choose_named_row
from ser_core.analysis.configurations import run_label
from ser_core.analysis.gaps import Gap, gaps
from ser_core.analysis.group_figures import groups_figure
from ser_core.analysis.groups import groups_of
from ser_core.file_state import Fingerprint, fingerprint
from ser_core.records.predictions import Predictions
from ser_core.records.runs import Run
from ser_core.words import percent, points, points_between

COLUMNS = {
    "groups by": st.column_config.TextColumn(width=160),
    "highest": st.column_config.TextColumn(width=180),
    "lowest": st.column_config.TextColumn(width=180),
    "gap in points": st.column_config.TextColumn(
        width=160, help="Accuracy of the highest minus the lowest group, with its 95 % interval over speakers and clips"
    ),
    "beyond chance": st.column_config.TextColumn(width=105, help="At the 5 % level, for all groupings together"),
    "p": st.column_config.TextColumn(
        width=80, help="How often shuffling puts groups as far apart, adjusted for the number of groupings"
    ),
}


@st.cache_data(max_entries=32, show_spinner="Comparing groups…")
def _gaps(name: str, file: Fingerprint, _predictions: Predictions) -> list[Gap]:
    return gaps(_predictions)


def show_groups(predictions: Predictions, run: Run) -> None:
    """Verdicts on all groupings, one of them in a picture, and the clips of a group."""
    st.header("Where it fails")
    found = _gaps(run.name, fingerprint(run.folder / "predictions.csv"), predictions)
    if not found:
        st.caption("All test clips are of one group.")
        return
    st.markdown(_verdict(found))
    st.caption(
        "The gap is between the best and the worst group, picked after looking: by chance alone it is never 0, and the "
        "more so the more groups there are. Whether it is beyond chance is another question: shuffled clips answer it."
    )
    by_grouping = {gap.grouping: gap for gap in found}
    say_unknown("by", known=by_grouping)
    rows = pd.DataFrame([_row(gap) for gap in found])
    grouping = choose_named_row(rows, list(by_grouping), f"gaps-{run.name}", "by", column_config=COLUMNS)
    gap = by_grouping[grouping or found[0].grouping]
    with st.container(border=True):
        st.markdown(f"**{gap.grouping}**")
        st.caption(
            "Accuracy of each group, with 95\u00a0% intervals over speakers and clips. The dotted line is the accuracy "
            "over all test clips. "
            + (
                "Groups that differ from all other clips beyond chance are filled."
                if gap.beyond
                else "Such gaps are no more than chance makes: no group is filled."
            )
        )
        apart = {group: filled and gap.beyond for group, filled in gap.apart.items()}
        group = pick(
            groups_figure(gap.groups, run.accuracy, apart),
            f"group-{run.name}-{gap.grouping}",
            [group.group for group in gap.groups],
            file=f"accuracy by {gap.grouping} {run_label(run)}",
            alt=f"Accuracy by {gap.grouping}",
        )
    with st.expander("How this is measured", icon=":material/help:"):
        st.markdown(HOW)
    if group:
        table = answers(predictions)[groups_of(predictions.names, gap.grouping) == group]
        wrong = table[table["intended"] != table["predicted"]].sort_values("model score", ascending=False)
        title = f"{gap.grouping}: {group}, wrong in {len(wrong):,} of {len(table):,}"
        link = {"run": run_label(run), "group": f"{gap.grouping}: {group}", "here": "false"}
        show_clips(title, wrong.reset_index(drop=True), f"group-clips-{run.name}", link)


HOW = """
- **Intervals** are bootstrapped: speakers are drawn again and again, with replacement, and clips of each. Clips of one
  speaker are not independent, so few speakers make wide intervals.
- **Beyond chance**: shuffled answers show how far groups are apart by chance alone. Groups of actors, as the sexes, are
  shuffled among actors; other groups, as the emotions, among the clips of each actor. If fewer than 5\u00a0% of the
  shuffles put groups as far apart, that is beyond chance. Where there are two groups, the interval of their gap has to
  exclude 0, too.
- **Many questions**: who asks many questions finds something by chance. So p is adjusted for the number of groupings
  (Holm's method), and marks of groups for the number of groups.
- The highest and the lowest of many groups are far apart by chance, too: look at "beyond chance", not at the gap alone.
  Groups of a single actor are no end of a gap.
"""


def _row(gap: Gap) -> dict[str, str]:
    accuracy = {group.group: group.accuracy for group in gap.groups}
    return {
        "groups by": gap.grouping,
        "beyond chance": "yes" if gap.beyond else "no",
        "gap in points": f"{points(gap.gap)} ({points_between(gap.low, gap.high)})",
        "highest": f"{gap.best} ({percent(accuracy[gap.best], 0)})",
        "lowest": f"{gap.worst} ({percent(accuracy[gap.worst], 0)})",
        "p": "< 0.001" if gap.p_value < 0.001 else f"{gap.p_value:.3f}",
    }


def _verdict(found: list[Gap]) -> str:
    """What is beyond chance and what isn't, in two sentences."""
    names = {state: [gap.grouping.lower() for gap in found if gap.beyond == state] for state in (True, False)}
    said = []
    if names[True]:
        said.append(f"How often it is right differs beyond chance by {_listed(names[True])}.")
    if names[False]:
        said.append(f"By {_listed(names[False])}, it differs no more than chance would make it.")
    return " ".join(said)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
