"""Write the README's results tables from the records in runs/: `python tools/readme.py`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ser_core.analysis.comparable import by_split, differences, over, split_title  # noqa: E402
from ser_core.analysis.comparison import compare, probability  # noqa: E402
from ser_core.analysis.configurations import by_configuration, reported_result  # noqa: E402
from ser_core.files import write_text  # noqa: E402
from ser_core.records.runs import Run, load_runs  # noqa: E402
from ser_core.training.study import report_study  # noqa: E402

BEGIN, END = "<!-- results: made by tools/readme.py -->", "<!-- end of results -->"
BEGIN_SELECTIONS, END_SELECTIONS = "<!-- selections: made by tools/readme.py -->", "<!-- end of selections -->"


def results(runs: list[Run]) -> str:
    """Markdown, a table for each split: the report's first, and others by their names."""
    splits = list(by_split(runs).values())
    tables = [split_table(of_split) for of_split in splits]
    if len(splits) > 1:
        tables = [f"{split_title(runs)}:\n\n{table}" for runs, table in zip(splits, tables, strict=True)]
    return "\n\n".join([*tables, *unfinished(runs)])


def split_table(runs: list[Run]) -> str:
    """A line a run, the best on the validation set first."""
    lines = [
        f"| run | report | ours | 95 % interval over {over(runs)} | weighted F1 | UAR | parameters | epochs "
        "| trained on |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in sorted(runs, key=lambda run: run.val_rank, reverse=True):
        metrics, (low, high) = run.metrics, run.accuracy_interval
        status = "" if run.status == "finished" else f", {run.status}"
        lines.append(
            f"| `{run.name}` | {reported(run)} | **{run.accuracy:.1%}** "
            f"| {low:.1%} – {high:.1%} | {metrics.f1_weighted:.3f} | {metrics.uar:.3f} "
            f"| {run.test.parameters:,} | {run.test.epochs}{status} "
            f"| {run.environment.device} |"
        )
    return "\n".join(lines)


def unfinished(runs: list[Run]) -> list[str]:
    """How much of the report's study is missing or shorter than it should be, and why; nothing if it is complete."""
    study, known = report_study(), by_configuration(runs)
    missing = [config for config in study if config.name not in known]
    short = [config for config in study if config.name in known and _is_short(known[config.name], config.epochs)]
    if not missing and not short:
        return []
    fastest: dict[tuple[str, str], Run] = {}  # of each network and form of input
    for run in sorted(runs, key=epoch_seconds):
        fastest.setdefault((run.train.model, run.train.form), run)
    slowest = max(fastest.values(), key=epoch_seconds)
    minutes = epoch_seconds(slowest) * study[0].epochs / 60
    not_yet = [f"{len(missing)} are not trained yet"] if missing else []
    not_yet += [f"{len(short)} are not trained for {study[0].epochs} epochs yet"] if short else []
    return [
        f"Of the report's {len(study)}, {' and '.join(not_yet)}; `grid.py report --list` names them. "
        f"They wait for a GPU: on {slowest.environment.device}, `{slowest.name}` takes {minutes:.0f} minutes for "
        f"{study[0].epochs} epochs.",
    ]


def _is_short(records: dict[int, list[Run]], epochs: int) -> bool:
    """Whether a configuration's longest training is too short, and didn't end early for good."""
    longest = max(records)
    return longest < epochs and all(run.status == "finished" for run in records[longest])


def reported(run: Run) -> str:
    """Its accuracy in the report."""
    report = reported_result(run)
    return f"{report.accuracy:.1%}" if report else "–"


def epoch_seconds(run: Run) -> float:
    """Of a run; the median, as some epochs were trained beside other work."""
    return median(run.history["seconds"])


def selections_table(runs: list[Run]) -> str:
    """Markdown, a line a training of which both epochs are recorded, that of the lowest loss and of the most right."""
    known = {run.name: run for run in runs}
    lines = [
        "| run | report | epoch of the lowest validation loss | of the highest validation accuracy | difference |",
        "|---|---|---|---|---|",
    ]
    for run in runs:
        other = known.get(f"{run.name}-by-accuracy")
        if not other or {run.status, other.status} != {"finished"} or run.train.select == other.train.select:
            continue
        if not differences((run, other), asked=("select",)):
            difference = compare(other.predictions(), run.predictions())
            low, high = difference.interval
            lines.append(
                f"| `{run.name}` | {reported(run)} | {chosen_epoch(run)} | {chosen_epoch(other)} "
                f"| {100 * difference.accuracy:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}), "
                f"p {probability(difference.p_value)}{'' if difference.significant else ', not beyond chance'} |"
            )
    return "\n".join(lines)


def chosen_epoch(run: Run) -> str:
    """Which it is, and how good in training and on the test set."""
    epoch = run.test.best_epoch
    assert epoch is not None  # of a run that finished
    training = run.history["train_accuracy"][epoch - 1]
    return f"{epoch}: **{run.accuracy:.1%}** ({training:.0%} in training)"


def with_results(readme: str, runs: list[Run]) -> str:
    """The README with the tables between their marks replaced."""
    for begin, table, end in (
        (BEGIN, results(runs), END),
        (BEGIN_SELECTIONS, selections_table(runs), END_SELECTIONS),
    ):
        block = f"{begin}\n{table}\n{end}"
        readme = re.sub(f"{re.escape(begin)}.*{re.escape(end)}", block.replace("\\", r"\\"), readme, flags=re.DOTALL)
    return readme


if __name__ == "__main__":
    path = ROOT / "README.md"
    write_text(path, with_results(path.read_text(encoding="utf-8"), load_runs()[0]))
