"""Write the README's results table from the records in runs/: `python tools/readme.py`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ser_core.files import write_text  # noqa: E402
from ser_core.report import REPORT_RESULTS  # noqa: E402
from ser_core.runs import Run, load_runs  # noqa: E402
from ser_core.study import report_study  # noqa: E402

BEGIN, END = "<!-- results: made by tools/readme.py -->", "<!-- end of results -->"


def results_table(runs: list[Run]) -> str:
    """Markdown, a line a run, the best on the validation set first."""
    lines = [
        "| run | report | ours | 95 % interval | weighted F1 | UAR | parameters | epochs | trained on |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in sorted(runs, key=lambda run: run.val_rank, reverse=True):
        metrics, (low, high) = run.metrics, run.accuracy_interval
        status = "" if run.status == "finished" else f", {run.status}"
        report = REPORT_RESULTS.get(run.name)
        lines.append(
            f"| `{run.name}` | {f'{report.accuracy:.1%}' if report else '–'} | **{run.accuracy:.1%}** "
            f"| {low:.1%} – {high:.1%} | {metrics['f1_weighted']:.3f} | {metrics['uar']:.3f} "
            f"| {run.test['parameters']:,} | {run.test['epochs']}{status} "
            f"| {run.environment['device']} |"
        )
    study, recorded = [config.name for config in report_study()], {run.name for run in runs}
    if missing := set(study) - recorded:
        lines += [
            "",
            f"Not trained yet: {len(missing)} of the report's {len(study)}; `grid.py report --list` names them.",
        ]
    return "\n".join(lines)


def with_results(readme: str, runs: list[Run]) -> str:
    """The README with the table between its two marks replaced."""
    block = f"{BEGIN}\n{results_table(runs)}\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: block, readme, flags=re.DOTALL)


if __name__ == "__main__":
    path = ROOT / "README.md"
    write_text(path, with_results(path.read_text(encoding="utf-8"), load_runs()[0]))
