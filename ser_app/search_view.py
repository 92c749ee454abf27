"""What a search for settings found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from ser_core.errors import RunError
from ser_core.file_state import Fingerprint, fingerprint
from ser_core.records.searches import Found, SearchRecord, Trial
from ser_core.training.search_results import can_be_read, searches_in, what_matters
from ser_core.words import code, counted, percent

SHOWN = 3  # of the best trials
_IMPORTANCE = "**Importance**: how much of the differences between trials a setting explains. "


@st.cache_data(max_entries=4, show_spinner="Looking at the trials…")
def _searches(file: Path, state: Fingerprint) -> list[Found]:
    return searches_in(file)


def show_searches(records: Sequence[SearchRecord], file: Path) -> None:
    """Of each search, a row a setting: how much it matters, and its value in the best trials.

    Args:
        records: of searches that ended.
        file: with the trials of this machine, those that go on among them; it need not be there.
    """
    searches = [(record.found, record.found.name, record.usual) for record in records]
    if can_be_read(file):
        try:
            here = _searches(file, fingerprint(file))
        except RunError as error:
            st.warning(str(error))
            if not searches:
                return
            here = []
        for found in here:
            earlier = next((n for n, (recorded, *_) in enumerate(searches) if found.goes_on(recorded)), None)
            if earlier is not None:  # with more trials than were recorded
                searches[earlier] = (found, *searches[earlier][1:])
            elif not any(recorded.goes_on(found) for recorded, *_ in searches):
                taken = any(name == found.name for _, name, _ in searches)
                searches.append((found, f"{found.name} in {file.name}" if taken else found.name, None))
    if not searches:
        st.info("No trial was trained to its end yet.")
    for found, name, usual in searches:
        best = found.trials[0]
        trials = counted(len(found.trials), "trial")
        how = f" in {found.precision}" if found.precision else ""
        st.caption(
            f"{code(name)}: {trials} trained to the end{how}, {found.given_up} given up. The best has "
            f"{percent(best.accuracy)} of the validation clips{_than_usual(usual, best)}. It was picked by them, so "
            f"expect less of it on other clips. {_IMPORTANCE if found.importance else ''}{what_matters(found)}"
        )
        names = [*found.importance, *(name for name in best.settings if name not in found.importance)]
        table = pd.DataFrame(
            {
                "setting": names,
                **_importance(found, names),
                **{
                    f"trial {trial.number}, {percent(trial.accuracy)}": [trial.shown(name) for name in names]
                    for trial in found.trials[:SHOWN]
                },
                **(
                    {f"by itself, {percent(usual.accuracy)}": [usual.shown(name) for name in names]}
                    if usual and usual not in found.trials[:SHOWN]
                    else {}
                ),
            }
        )
        st.dataframe(
            table,
            hide_index=True,
            height="content",
            placeholder="–",
            column_config={
                "importance": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
            },
            alt="Search",
        )


def _importance(found: Found, names: Sequence[str]) -> dict[str, list]:
    """Columns of how much each setting matters, and whether that is more than chance would show, where it is known."""
    columns: dict[str, list] = {}
    if found.importance:
        columns["importance"] = [100 * found.importance.get(name, float("nan")) for name in names]
    if found.chance is not None:
        columns["more than chance"] = ["yes" if name in found.matters else "no" for name in names]
    return columns


def _than_usual(usual: Trial | None, best: Trial) -> str:
    if usual is None:
        return ""
    if usual.accuracy == best.accuracy:
        return "; none has more than the settings that the network has by itself"
    return f"; the settings that the network has by itself have {percent(usual.accuracy)}"
