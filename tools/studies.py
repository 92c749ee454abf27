"""What several trainings say together: steps, ingredients, findings of the report, and what it would try next."""

from __future__ import annotations

from typing import Any

from ser_core.analysis.findings import findings
from ser_core.analysis.future import hopes
from ser_core.analysis.ingredient_table import GAINED, ingredient_rows
from ser_core.analysis.ingredients import ingredient_results
from ser_core.analysis.steps import INTERVAL, step_results, step_rows
from ser_core.analysis.untrained import untrained_results
from ser_core.corpus.clips import load_index
from ser_core.records.evaluations import evaluations_dir, load_evaluations
from ser_core.records.robustness import kept_by_steps
from ser_core.records.runs import RUNS_DIR, Run
from ser_core.records.searches import load_searches
from ser_core.records.shipped import shipped
from tools.aims import RESULTS
from tools.recordings import SHOWN_CHANGES, kept_labels

STEPS = RESULTS / "steps.txt"


def steps(runs: list[Run]) -> str:
    """Markdown, a line a step towards hearing the voice and not the recording."""
    found = step_results(runs, load_evaluations(evaluations_dir())[0])
    rows = step_rows(found)
    kept: dict[str, list[str]] = {}
    for printed in STEPS.read_text(encoding="utf-8").split("$ ")[1:]:
        kept |= kept_labels(printed)
    header = [name for name in (rows[0] if rows else ["step"]) if not name.endswith(INTERVAL)]
    lines = [
        f"| {' | '.join(header)} | same label: {' | '.join(SHOWN_CHANGES.values())} |",
        f"|{'---|' * (len(header) + len(SHOWN_CHANGES))}",
    ]
    for result, row in zip(found, rows, strict=True):
        cells = [step_cell(row, name) for name in header]
        lines.append(f"| {' | '.join([*cells, *kept.get(result.run.name, ['–'] * len(SHOWN_CHANGES))])} |")
    return "\n".join(lines)


def ingredients(runs: list[Run]) -> str:
    """Markdown, a line a network of `grid.py future`, and one each for what needs no training."""
    evaluations = load_evaluations(evaluations_dir())[0]
    found = ingredient_results(runs, evaluations, evaluations_dir())
    rows = ingredient_rows(found, untrained_results(found, evaluations, evaluations_dir()))
    if not rows:
        return "None is recorded yet."
    header = [name for name in rows[0] if not name.endswith(INTERVAL)]
    titles = [GAINED.strip(", ") if name.endswith(GAINED) else name for name in header]
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(step_cell(row, name) for name in header)} |" for row in rows]
    return "\n".join(lines)


def step_cell(row: dict[str, Any], name: str) -> str:
    """What a step's row says in a column, with its interval if it has one."""
    value, interval = row[name], row.get(name + INTERVAL)
    if value is None or isinstance(value, str | int):
        return str(value) if value else "–"
    figure = f"{value:+.1f}" if name.endswith("gained") else f"{value:.1f}"
    return f"**{figure}** ({interval})" if interval else figure


def verdicts(runs: list[Run]) -> str:
    """Markdown, a line a finding of the report."""
    lines = ["| finding | the report | verdict | epochs |", "|---|---|---|---|"]
    for found in findings(runs):
        remark = f": {found.remark}" if found.remark else ""
        lines.append(f"| {found.title} | {found.report} | **{found.verdict}**{remark} | {found.epochs or '–'} |")
    return "\n".join(lines)


def future(runs: list[Run]) -> str:
    """Markdown, an item each thing that the report would try, and below it one each sentence of ours."""
    evaluations = load_evaluations(evaluations_dir())[0]
    found = step_results(runs, evaluations)
    tried = ingredient_results(runs, evaluations, evaluations_dir())
    searches = [search for search in load_searches(RUNS_DIR)[0] if search.found.name in shipped(RUNS_DIR)]
    return "\n".join(
        "\n  - ".join([f"- **{hope.title}.** {hope.report}", *(hope.measured or ["Not measured yet."])])
        for hope in hopes(runs, found, list(load_index().values()), searches, tried, kept_by_steps("telephone"))
    )
