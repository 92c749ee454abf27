"""Write the figures of README.md and docs/ from runs/ and benchmarks/results/: `python tools/readme.py`.

They are those of the runs that git tracks, which `runs/shipped.txt` then lists: `git add` a new one first.

What is written stands between marks as `<!-- best: made by tools/readme.py -->` and `<!-- end of best -->`; the name
says which of `PARTS` it is. All else in these files is written by hand, and holds no figure of ours.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ser_core.analysis.raters import rater_confusion  # noqa: E402
from ser_core.analysis.report import REPORT_SUMMARY  # noqa: E402
from ser_core.corpus.clips import load_index  # noqa: E402
from ser_core.corpus.splits import RANDOM_SEED, report_split  # noqa: E402
from ser_core.files import write_text  # noqa: E402
from ser_core.records.runs import RUNS_DIR, Run, load_runs  # noqa: E402
from ser_core.records.shipped import shipped, write_shipped  # noqa: E402
from tools.aims import aims, small_aims  # noqa: E402
from tools.build_hook import shipped_files  # noqa: E402
from tools.certainty import certainty  # noqa: E402
from tools.recordings import (  # noqa: E402
    adaptation,
    known_speakers,
    neutral,
    recordings,
    seldom,
    silent_clips,
    thousand_hours,
)
from tools.results import best, missing, missing_folds, results, selections, speakers  # noqa: E402
from tools.studies import future, ingredients, steps, verdicts  # noqa: E402

FILES = ("README.md", "docs/results.md")
MARKED = re.compile(r"<!-- (\w+): made by tools/readme\.py -->\n.*?<!-- end of \1 -->", re.DOTALL)


def report(_: list[Run]) -> str:
    """What the report is, in two sentences."""
    return REPORT_SUMMARY


def split(_: list[Run]) -> str:
    """A sentence on the report's split."""
    parts = report_split()
    return (
        f"The report's split is random (seed {RANDOM_SEED}): {len(parts.train):,} clips to train on, "
        f"{len(parts.val):,} to validate on and {len(parts.test):,} to test on. Of the {len(parts.test_speakers)} "
        f"speakers who are tested on, {len(parts.shared_speakers)} are also trained on."
    )


def people(_: list[Run]) -> str:
    """A sentence on how well people do."""
    ratings = rater_confusion(list(load_index().values()))
    share = ratings.trace() / ratings.sum()
    return f"People who only heard these clips named the intended emotion in {share:.0%} of {ratings.sum():,} ratings."


PARTS: dict[str, Callable[[list[Run]], str]] = {
    part.__name__: part
    for part in (
        report,
        best,
        split,
        people,
        recordings,
        adaptation,
        known_speakers,
        silent_clips,
        seldom,
        neutral,
        thousand_hours,
        speakers,
        results,
        selections,
        steps,
        ingredients,
        verdicts,
        future,
        aims,
        small_aims,
        certainty,
        missing,
        missing_folds,
    )
}
"""What can stand between marks, by name."""


def shipped_runs() -> list[Run]:
    """The records that come with the project; a user's own are not in its documents."""
    return [run for run in load_runs(RUNS_DIR)[0] if run.name in shipped(RUNS_DIR)]


def with_parts(text: str, runs: list[Run]) -> str:
    """A file's text with all that stands between marks made anew."""

    def made(found: re.Match[str]) -> str:
        name = found[1]
        said = re.sub(r"(?<=\d)%", "\u00a0%", PARTS[name](runs))  # as the app writes it
        return f"<!-- {name}: made by tools/readme.py -->\n{said}\n<!-- end of {name} -->"

    return MARKED.sub(made, text)


def tracked_runs() -> set[str]:
    """Names of the records that git tracks, or of all where git can't say: of runs and of searches."""
    records = (re.fullmatch(r"runs/([^/]+?)(/test|\.search)\.json", path) for path in shipped_files(ROOT))
    return {record[1] for record in records if record}


if __name__ == "__main__":
    write_shipped(RUNS_DIR, tracked_runs())
    recorded = shipped_runs()
    for file in FILES:
        path = ROOT / file
        write_text(path, with_parts(path.read_text(encoding="utf-8"), recorded))
