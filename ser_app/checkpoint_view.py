"""The checkpoints beside each other: how good, how large, how fast; and what the card of each says."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import streamlit as st

from ser_app.address import say_unknown
from ser_app.charts import show_figure
from ser_app.loaders import HOW_TO_MAKE_CHECKPOINTS, checkpoint_files, checkpoints, predictor, said
from ser_app.messages import show_unreadable
from ser_app.records import heard_elsewhere
from ser_app.tables import choose_named_row
from ser_app.titles import about_checkpoint, network
from ser_core.analysis.cost_figure import cost_figure
from ser_core.analysis.report import REPORT_LINK
from ser_core.errors import SERError
from ser_core.file_state import Fingerprint
from ser_core.json_file import check_size

MAX_CARD_BYTES = 100_000
MEASURED = "latency-measured"
ELSEWHERE = "accuracy, "  # and the title of a corpus: how a column begins
LATENCIES = Path(__file__).parents[1] / "benchmarks" / "results" / "latency.txt"
LATENCY = re.compile(r"^(\S+) .*3 s on one core: +([0-9.]+) ms", re.MULTILINE)
COLUMNS = {
    "network": st.column_config.TextColumn(width=165),  # pixels: the longest whole
    "accuracy": st.column_config.NumberColumn(format="%.1f %%", help="Of the test clips of its run"),
    "UAR": st.column_config.NumberColumn(format="%.1f %%", help="Unweighted average recall, of the same clips"),
    "megabytes": st.column_config.NumberColumn("MB", format="%.1f", help="Of its weights"),
    "parameters": st.column_config.NumberColumn(format="localized"),
    "milliseconds": st.column_config.NumberColumn(
        "ms for 3 s",
        format="%.0f",
        help="From 3 s of audio to its answer, on one core: as `python -m benchmarks latency` measured it, until you "
        "measure it on this server",
    ),
}


def show_checkpoints() -> None:
    """A table and a figure."""
    names, unreadable = checkpoints()
    if not names:
        st.error(HOW_TO_MAKE_CHECKPOINTS)
    else:
        st.caption(
            "The networks that Classify, Live and Samples offer. The first is the default: of the checkpoints of the "
            f"{REPORT_LINK}'s split, the one with the best validation accuracy."
        )
        if st.button("Measure their speed on this server", icon=":material/timer:"):
            st.session_state[MEASURED] = True
        here = MEASURED in st.session_state
        recorded = {} if here else _benchmarked()
        rows = [
            _row(name, _milliseconds(name, checkpoint_files(name)) if here else recorded.get(name)) for name in names
        ]
        table = pd.DataFrame(rows)
        others = [column for row in rows for column in row if column.startswith(ELSEWHERE)]
        help_text = "Accuracy on a corpus of which nothing was trained on"
        columns = {
            **COLUMNS,
            **{name: st.column_config.NumberColumn(format="%.1f %%", help=help_text) for name in others},
        }
        st.caption("Choose a row to read its model card.")
        say_unknown("card", known=names, why="there is no checkpoint of that name")
        card = choose_named_row(
            table,
            names,
            "checkpoints",
            "card",
            required=False,
            column_config=columns,
            placeholder="–",
            alt="Checkpoints",
        )
        shown = [row for row in rows if row["accuracy"] is not None]
        timed = [row for row in shown if row["milliseconds"] is not None]
        cost = "milliseconds" if here or len(timed) == len(shown) else "megabytes"
        shown = timed if cost == "milliseconds" else shown
        where = "on this server" if here else "as `python -m benchmarks latency` measured it"
        what = f"time for 3 s of audio, {where}" if cost == "milliseconds" else "size"
        st.caption(f"Accuracy over {what}; the area of a mark is its number of parameters.")
        show_figure(cost_figure(shown, cost), "checkpoint-cost", alt=f"Test accuracy of each checkpoint over {cost}")
        show_card(card if card in names else None)
    show_unreadable(unreadable, "checkpoint")


def show_card(name: str | None) -> None:
    """What a checkpoint's card says of it: how it was made, how good it is, what it is not for."""
    from ser_core.records.checkpoints import checkpoints_dir

    if name is None:
        return
    card = checkpoints_dir() / name / "README.md"
    try:
        check_size(card, MAX_CARD_BYTES)
        text = card.read_text(encoding="utf-8")
    except (OSError, ValueError):
        st.info("This checkpoint has no card that can be read.")
        return
    with st.container(border=True):
        text_alone = text.replace("![", "!\\[")  # a picture would be fetched from wherever the card says
        st.markdown(re.sub(r"^(#+ )", r"##\1", text_alone, flags=re.MULTILINE))
        st.download_button(
            "Save the card",
            text,
            f"model-card-{name}.md",
            "text/markdown",
            icon=":material/download:",
            on_click="ignore",
        )


def benchmarked(text: str) -> dict[str, float]:
    """Milliseconds for 3 s of audio by checkpoint, from what `python -m benchmarks latency` printed."""
    return {name: float(milliseconds) for name, milliseconds in LATENCY.findall(text)}


def _benchmarked() -> dict[str, float]:
    return benchmarked(LATENCIES.read_text(encoding="utf-8")) if LATENCIES.is_file() else {}


def _row(name: str, milliseconds: float | None) -> dict:
    from ser_core.records.checkpoints import checkpoints_dir, load_config

    folder = checkpoints_dir() / name
    config = load_config(folder)
    accuracy = said(config.provenance, "test", "metrics", "accuracy")
    uar = said(config.provenance, "test", "metrics", "uar")
    return {
        "checkpoint": name,
        "network": network(config),
        "accuracy": None if accuracy is None else 100 * accuracy,
        "UAR": None if uar is None else 100 * uar,
        **{f"{ELSEWHERE}{one.corpus.title}": 100 * one.metrics.accuracy for one in heard_elsewhere(name)},
        "megabytes": (folder / "model.safetensors").stat().st_size / 1e6,
        "parameters": said(config.provenance, "test", "parameters"),
        "milliseconds": milliseconds,
        "what it is": about_checkpoint(name),
    }


@st.cache_data(show_spinner="Measuring…")
def _milliseconds(name: str, files: Fingerprint) -> float | None:
    from ser_core.serving.latency import one_core_milliseconds

    try:
        return one_core_milliseconds(predictor(name))
    except SERError:
        return None
