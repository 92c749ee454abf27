"""Write the README's results table from the records in runs/: `python tools/readme.py`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from statistics import median

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
    return "\n".join(lines + unfinished(runs))


def unfinished(runs: list[Run]) -> list[str]:
    """How much of the report's study is missing or shorter than it should be, and why; nothing if it is complete."""
    study, known = report_study(), {run.name: run for run in runs}
    missing = [config for config in study if config.name not in known]
    short = [
        config
        for config in study
        if config.name in known
        and known[config.name].status == "finished"
        and known[config.name].test["epochs"] < config.epochs
    ]
    if not missing and not short:
        return []
    fastest: dict[tuple[str, str], Run] = {}  # of each network and form of input
    for run in sorted(runs, key=epoch_seconds):
        fastest.setdefault((run.train["model"], run.train["form"]), run)
    slowest = max(fastest.values(), key=epoch_seconds)
    minutes = epoch_seconds(slowest) * study[0].epochs / 60
    return [
        "",
        f"Of the report's {len(study)}, {len(missing)} are not trained yet and {len(short)} not for {study[0].epochs} "
        f"epochs; `grid.py report --list` names them. They wait for a GPU: on {slowest.environment['device']}, "
        f"`{slowest.name}` takes {minutes:.0f} minutes for {study[0].epochs} epochs.",
    ]


def epoch_seconds(run: Run) -> float:
    """Of a run; the median, as some epochs were trained beside other work."""
    return median(run.history["seconds"])


def with_results(readme: str, runs: list[Run]) -> str:
    """The README with the table between its two marks replaced."""
    block = f"{BEGIN}\n{results_table(runs)}\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: block, readme, flags=re.DOTALL)


if __name__ == "__main__":
    path = ROOT / "README.md"
    write_text(path, with_results(path.read_text(encoding="utf-8"), load_runs()[0]))
