"""The report's findings: the verdict on each, what was measured in a picture, and the clips behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from ser_app.clip_list import answers, pick, show_clips
from ser_app.messages import sentence
from ser_app.records import RECORD_FILES, searches
from ser_app.run_view import show_disagreement
from ser_core.analysis.configurations import by_configuration, run_label
from ser_core.analysis.evidence import Finding, Verdict
from ser_core.analysis.findings import findings
from ser_core.analysis.future import Hope, hopes
from ser_core.analysis.ingredients import IngredientResult
from ser_core.analysis.marks import Mark, finding_figure
from ser_core.analysis.report import REPORT_LINK
from ser_core.analysis.steps import StepResult
from ser_core.corpus.clips import load_index
from ser_core.emotions import EMOTION_NAMES
from ser_core.errors import RunError
from ser_core.file_state import Fingerprint, fingerprint
from ser_core.records.evaluations import evaluation_files, evaluations_dir
from ser_core.records.robustness import kept_by_steps
from ser_core.records.runs import Run, recorded_in
from ser_core.records.searches import search_files
from ser_core.training.config import TrainConfig
from ser_core.words import code, counted, first_few

ICONS = {
    Verdict.CONFIRMED: ":green-badge[:material/check: confirmed]",
    Verdict.CONTRADICTED: ":red-badge[:material/close: contradicted]",
    Verdict.UNDECIDED: ":gray-badge[:material/help: undecided]",
    Verdict.NOT_COMPARABLE: ":gray-badge[:material/balance: not comparable]",
    Verdict.MISSING: ":gray-badge[:material/hourglass_empty: no run yet]",
}
FEW_SET_ASIDE = 2  # sentences that stand beside a figure; all are among its words
SETTLED = (Verdict.CONFIRMED, Verdict.CONTRADICTED, Verdict.UNDECIDED)


@st.cache_data(max_entries=4, show_spinner="Settling the report's findings…")
def _findings(files: Fingerprint, _runs: Sequence[Run]) -> list[Finding]:
    return findings(_runs)


@st.cache_data(max_entries=4, show_spinner=False)
def _hopes(
    files: Fingerprint,
    heard: Fingerprint,
    _runs: Sequence[Run],
    _steps: Sequence[StepResult],
    _ingredients: Sequence[IngredientResult],
) -> list[Hope]:
    clips, (searched, _) = list(load_index().values()), searches()
    try:
        return hopes(_runs, _steps, clips, searched, _ingredients, kept_by_steps("telephone"))
    except RunError:  # of a step, or of an evaluation, which the intervals of one seed are made from
        return hopes(_runs, [], clips, searched, [replace(result, root=None) for result in _ingredients])


def show_findings(
    runs: Sequence[Run], steps: Sequence[StepResult], ingredients: Sequence[IngredientResult] = ()
) -> None:
    """The report's findings one by one, and what it would try next."""
    files = fingerprint(*(run.folder / file for run in runs for file in (*RECORD_FILES, "predictions.csv")))
    found = _findings(files, runs)
    counts = Counter(finding.verdict for finding in found)
    listing = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    st.markdown(f"What our runs say about {counted(len(found), 'finding')} of the {REPORT_LINK}: **{listing}**.")
    st.caption(
        "A mark is what we measured, its line the 95\u00a0% interval, over speakers and clips. The diamond is the "
        "report's own value. A large mark is of several pairs of runs together."
    )
    with st.expander("How findings are settled", icon=":material/help:"):
        st.markdown(HOW)
    known, by_name = by_configuration(runs), {run.name: run for run in runs}
    for finding in found:
        with st.container(border=True):
            show_finding(finding, by_name)
            if missing := [name for name in finding.runs if name not in known]:
                st.caption(f"Not trained yet: {', '.join(code(name) for name in missing)}")

    st.header("What the report would try next")
    st.caption(f"Its section 7.3, and what we measured of it so far. The {REPORT_LINK} gives no figures for these.")
    # Evaluations in other corpora, which steps and ingredients tell of, and searches.
    heard = fingerprint(*evaluation_files(evaluations_dir()), *search_files(recorded_in()))
    for hope in _hopes(files, heard, runs, steps, ingredients):
        show_hope(hope)


def show_hope(hope: Hope) -> None:
    """What is hoped for, and what was measured of it."""
    with st.container(border=True):
        st.markdown(f"**{hope.title}** {':gray-badge[not measured yet]' * (not hope.measured)}")
        st.caption(f"The {REPORT_LINK}: {hope.report}")
        for said in hope.measured:
            st.markdown(f"- {sentence(said)}")


HOW = f"""
- Only runs are compared that differ in nothing but what is asked. Where a network was trained several times, the
  longest training counts of which all runs are comparable. Each run is one training from one seed.
- A difference is **beyond chance** if McNemar's exact test says so, at the 5\u00a0% level and on the clips that both
  runs classified, and if its 95\u00a0% interval excludes 0. Several pairs are tested together where the report speaks
  of them together.
- Where the report says by how much, its value has to lie in our interval: if not, the finding is **contradicted**.
- A finding is **undecided** if our runs can't tell: the interval holds both what the report says and its contrary, or
  it would be the other way round with longer runs, which can't be compared or are not there for both sides.
- The report trained for {TrainConfig.epochs} epochs. Where our runs are shorter, that stands beside the verdict.
"""


def show_finding(finding: Finding, runs: Mapping[str, Run]) -> None:
    """The verdict, the picture, the clips of a mark that was picked, and, folded away, all of it in words."""
    badges = ICONS[finding.verdict]
    if finding.remark:
        badges += f" :gray-badge[{finding.remark}]"
    if finding.epochs and finding.epochs < TrainConfig.epochs and finding.verdict in SETTLED:
        badges += f" :orange-badge[after {finding.epochs} of the report's {TrainConfig.epochs} epochs]"
    st.markdown(f"**{finding.title}** {badges}")
    st.caption(f"The {REPORT_LINK}: {finding.report}")
    if finding.picture:
        marks = {mark.label: mark for mark in finding.picture.marks if mark.runs}
        key = f"finding-{finding.title}"
        figure = finding_figure(finding.picture)
        if picked := pick(figure, key, list(marks), file=f"finding {finding.title}", alt=finding.title):
            try:
                show_mark(marks[picked], runs, key)
            except RunError as error:
                st.warning(sentence(error))
    if finding.set_aside:
        st.caption(sentence(first_few(finding.set_aside, FEW_SET_ASIDE)))
    if finding.turned:
        st.caption(sentence(finding.turned))
    if finding.evidence:
        with st.expander("In words"):
            for said in finding.evidence:
                st.markdown(f"- {sentence(said)}")


def show_mark(mark: Mark, runs: Mapping[str, Run], key: str) -> None:
    """The clips on which two runs differ, or those that one run gets wrong, maybe of one emotion.

    Raises:
        RunError: predictions can't be read.
    """
    if len(mark.runs) == 2:
        show_disagreement(runs[mark.runs[0]], runs[mark.runs[1]], key)
        return
    (name,) = mark.runs
    table = answers(runs[name].predictions())
    table, label = table[table["intended"] != table["predicted"]], run_label(runs[name])
    title, link = f"mistakes of {label}", {"run": label}
    if mark.emotion:
        emotion = EMOTION_NAMES[mark.emotion]
        table, link = table[table["intended"] == emotion], link | {"intended": emotion}
        title = f"{emotion}, {title}"
    show_clips(title, table.sort_values("model score", ascending=False, ignore_index=True), key, link)
