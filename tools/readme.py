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
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ser_core.analysis.comparable import by_split, candidates, differences, over, split_title  # noqa: E402
from ser_core.analysis.comparison import compare, probability  # noqa: E402
from ser_core.analysis.configurations import by_configuration, network_label, reported_result  # noqa: E402
from ser_core.analysis.findings import findings  # noqa: E402
from ser_core.analysis.future import hopes  # noqa: E402
from ser_core.analysis.ingredient_table import GAINED, ingredient_rows  # noqa: E402
from ser_core.analysis.ingredients import ingredient_results  # noqa: E402
from ser_core.analysis.raters import rater_confusion  # noqa: E402
from ser_core.analysis.report import REPORT_SUMMARY  # noqa: E402
from ser_core.analysis.steps import INTERVAL, step_results, step_rows  # noqa: E402
from ser_core.analysis.untrained import untrained_results  # noqa: E402
from ser_core.corpus.clips import load_index  # noqa: E402
from ser_core.corpus.splits import RANDOM_SEED, REPORT_SPLIT_ID, report_split  # noqa: E402
from ser_core.emotions import EMOTION_NAMES  # noqa: E402
from ser_core.files import write_text  # noqa: E402
from ser_core.records.evaluations import evaluations_dir, load_evaluations  # noqa: E402
from ser_core.records.runs import RUNS_DIR, Run, load_runs  # noqa: E402
from ser_core.records.searches import load_searches  # noqa: E402
from ser_core.records.shipped import shipped, write_shipped  # noqa: E402
from ser_core.training.config import TrainConfig  # noqa: E402
from ser_core.training.study import report_study  # noqa: E402
from tools.aims import aims, columns, small_aims  # noqa: E402
from tools.build_hook import shipped_files  # noqa: E402
from tools.certainty import certainty  # noqa: E402

FILES = ("README.md", "docs/results.md")
MANY = ROOT / "benchmarks" / "results" / "many.txt"
ROBUSTNESS = ROOT / "benchmarks" / "results" / "robustness.txt"
STEPS = ROOT / "benchmarks" / "results" / "steps.txt"
ADAPTATION = ROOT / "benchmarks" / "results" / "adaptation.txt"
SHOWN_CHANGES = {
    "40 dB quieter": "40 dB quieter",
    "telephone band, 300–3,400 Hz": "telephone",
    "spectral gating": "noise suppression",
    "pink noise, 15 dB SNR": "noise",
    "room, RT60 0.5 s": "room",
}
"""Rows of the robustness benchmark that the README shows, and what they are called there."""
MARKED = re.compile(r"<!-- (\w+): made by tools/readme\.py -->\n.*?<!-- end of \1 -->", re.DOTALL)


def best(runs: list[Run]) -> str:
    """Markdown, a line an architecture: its run of the best validation accuracy on the report's split."""
    ranked = sorted(candidates(by_split(runs).get(REPORT_SPLIT_ID, [])), key=lambda run: run.val_rank, reverse=True)
    chosen: dict[str, Run] = {}
    for run in ranked:
        chosen.setdefault(network_label(run), run)
    lines = [
        f"| network | run | validation | report | ours | 95 % interval over {over(chosen.values())} | parameters "
        "| epochs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for network, run in chosen.items():
        low, high = run.accuracy_interval
        lines.append(
            f"| {network} | `{run.name}` | {run.val_accuracy:.1%} | {reported(run)} | **{run.accuracy:.1%}** "
            f"| {low:.1%} – {high:.1%} | {run.test.parameters:,} | {run.test.epochs} |"
        )
    return "\n".join(lines)


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


def recordings(_: list[Run]) -> str:
    """Markdown, a line a shipped checkpoint: what it keeps of its labels, and what it hears in another corpus."""
    changes, _title, other = ROBUSTNESS.read_text(encoding="utf-8").partition("RAVDESS")
    recall = dict(re.findall(r"^(\S+) +unweighted average recall (\S+)", other, re.MULTILINE))
    shown = kept_labels(changes)
    return "\n".join(
        [
            f"| checkpoint | RAVDESS, average recall | same label: {' | '.join(SHOWN_CHANGES.values())} |",
            f"|---|---|{'---|' * len(SHOWN_CHANGES)}",
            *(
                f"| `{name}` | **{recall[name]}** | {' | '.join(shares)} |"
                for name, shares in sorted(shown.items(), key=lambda item: -float(recall[item[0]].rstrip("%")))
            ),
        ]
    )


def kept_labels(text: str) -> dict[str, list[str]]:
    """Of each checkpoint in what the robustness benchmark printed, the shares of labels kept in `SHOWN_CHANGES`."""
    of_change = columns(text)
    names = next(iter(of_change.values()))
    return {name: [of_change[label][name].split(" / ")[0] for label in SHOWN_CHANGES] for name in names}


def adaptation(_: list[Run]) -> str:
    """Markdown, a line a shipped checkpoint: recall on RAVDESS by number of a speaker's own clips."""
    other = ADAPTATION.read_text(encoding="utf-8").split("\nRAVDESS")[1]
    header, *cells = [re.split(r"  +", line.strip()) for line in other.splitlines()[1:] if line.strip()]
    lines = [
        f"| checkpoint | without | {' | '.join(header)} |",
        f"|---|---|{'---|' * len(header)}",
    ]
    for checkpoint, *pairs in sorted(cells, key=lambda row: -float(row[-1].split()[1].rstrip("%"))):
        plain = pairs[-1].split()[0]
        lines.append(f"| `{checkpoint}` | {plain} | {' | '.join(pair.split()[1] for pair in pairs)} |")
    return "\n".join(lines)


def known_speakers(_: list[Run]) -> str:
    """A sentence: what adaptation to one clip does where nothing is to be gained."""
    title, _header, *rows = ADAPTATION.read_text(encoding="utf-8").split("\n\n")[1].splitlines()
    cells = [re.split(r"  +", row.strip())[1].split() for row in rows]
    changes = [float(after.rstrip("%")) - float(before.rstrip("%")) for before, after in cells]
    ((clips, speakers),) = re.findall(r"(\d+) clips of (\d+) speakers", title)
    return (
        f"Where nothing is to be gained, one clip hardly hurts: on {clips} validation clips of CREMA-D, of {speakers} "
        f"speakers whom the networks know, the accuracy changes by {min(changes):+.1f} to {max(changes):+.1f} points."
    )


def silent_clips(_: list[Run]) -> str:
    """A sentence: why the best checkpoint has three figures on RAVDESS, and what each is."""
    first = adaptation([]).splitlines()[2].split(" | ")
    name, left_out = first[0].removeprefix("| ").strip("`"), first[1]
    other = ROBUSTNESS.read_text(encoding="utf-8").partition("RAVDESS")[2]
    ((wrong, silent),) = re.findall(rf"^{re.escape(name)} +\D+ (\S+%) .*no speech in (\d+)$", other, re.MULTILINE)
    evaluated = {(one.corpus.name, one.checkpoint.name): one.uar for one in load_evaluations(evaluations_dir())[0]}
    return (
        f"In {silent} clips of RAVDESS no voice is recognised. Without adaptation, `{name}` has {wrong} where they "
        f"count as wrong, as in the table above this one, {left_out} where they are left out, as here, and "
        f"{evaluated['ravdess', name]:.1%} where all are answered, as by `ser evaluate` and on the app's Runs page."
    )


def seldom(_: list[Run]) -> str:
    """A sentence: what the best checkpoint mostly misses on RAVDESS, and how far off its model scores are there."""
    name = adaptation([]).splitlines()[2].split("`")[1]
    evaluated = {(one.corpus.name, one.checkpoint.name): one for one in load_evaluations(evaluations_dir())[0]}
    found = evaluated["ravdess", name]
    heard = [f"{EMOTION_NAMES[one]} in {found.metrics.per_class[one].recall:.0%}" for one in found.mostly_missed]
    missed = f" It hears {' and '.join(heard)} of the clips that are intended so." if heard else ""
    return (
        f"On RAVDESS, the model scores of `{name}` are {100 * found.calibration_error:.0f} points off on average: "
        f"don't take them for the chance of being right.{missed}"
    )


def neutral(_: list[Run]) -> str:
    """Markdown, a line a shipped checkpoint: recall on RAVDESS by number of a speaker's own neutral clips."""
    other = ADAPTATION.read_text(encoding="utf-8").split("\nRAVDESS")[2]
    header, *cells = [re.split(r"  +", line.strip()) for line in other.splitlines()[1:] if line.strip()]
    lines = [f"| checkpoint | without | {' | '.join(header)} |", f"|---|---|{'---|' * len(header)}"]
    for checkpoint, *threes in sorted(cells, key=lambda row: -float(row[1].split()[2].rstrip("%"))):
        values = [threes[0].split()[0], *(three.split()[2] for three in threes)]
        lines.append(f"| `{checkpoint}` | {' | '.join(values)} |")
    return "\n".join(lines)


def thousand_hours(_: list[Run]) -> str:
    """Markdown, a line a checkpoint: core hours for 1,000 hours of sound."""
    of_checkpoint = re.split(r"\n(?=\S+: [\d,]+ clips)", MANY.read_text(encoding="utf-8"))[1:]
    costs = {
        part.split(":")[0]: dict(re.findall(r"1,000 hours of (.+): ([\d.,]+) core hours", part))
        for part in of_checkpoint
    }
    kinds = list(dict.fromkeys(kind for cost in costs.values() for kind in cost))
    return "\n".join(
        [
            f"| checkpoint | {' | '.join(kinds)} |",
            f"|---|{'---|' * len(kinds)}",
            *(f"| `{name}` | {' | '.join(cost[kind] for kind in kinds)} |" for name, cost in costs.items()),
        ]
    )


def results(runs: list[Run]) -> str:
    """Markdown, a table for each split: the report's first, and others by their names."""
    return "\n\n".join(f"**{split_title(of_split)}**\n\n{table(of_split)}" for of_split in by_split(runs).values())


def table(runs: list[Run]) -> str:
    """A line a run, the best on the validation set first."""
    lines = [
        f"| run | validation | report | ours | 95 % interval over {over(runs)} | weighted F1 | UAR | parameters "
        "| epochs | trained on |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in sorted(runs, key=lambda run: run.val_rank, reverse=True):
        metrics, (low, high) = run.metrics, run.accuracy_interval
        status = "" if run.status == "finished" else f", {run.status}"
        lines.append(
            f"| `{run.name}`{' (with a teacher)' if run.taught else ''} | {run.val_accuracy:.1%} | {reported(run)} "
            f"| **{run.accuracy:.1%}** "
            f"| {low:.1%} – {high:.1%} | {metrics.f1_weighted:.3f} | {metrics.uar:.3f} "
            f"| {run.test.parameters:,} | {run.test.epochs}{status} "
            f"| {run.environment.device} |"
        )
    return "\n".join(lines)


def missing(runs: list[Run]) -> str:
    """Markdown, how much of the report's study is missing or shorter than it should be, and how long that takes."""
    study, known = report_study(), by_configuration(runs)
    absent = [config for config in study if config.name not in known]
    short = [config for config in study if config.name in known and _is_short(known[config.name], config.epochs)]
    if not absent and not short:
        return f"All of the report's {len(study)} settings are trained."
    counts = [f"{len(absent)} are not trained yet"] if absent else []
    counts += [f"{len(short)} are not trained for {TrainConfig.epochs} epochs yet"] if short else []
    fastest: dict[tuple[str, str], Run] = {}  # of each network and form of input
    for run in sorted(runs, key=epoch_seconds):
        fastest.setdefault((run.train.model, run.train.form), run)
    seconds = {
        config.name: epoch_seconds(fastest[config.model, config.form]) * config.epochs
        for config in [*absent, *short]
        if (config.model, config.form) in fastest
    }
    lines = [
        f"Of the report's {len(study)} settings, {' and '.join(counts)}. That would "
        f"take {sum(seconds.values()) / 3600:.0f} hours, if each is trained from its first epoch on what trained its "
        "network fastest until now.",
        "",
        "| run | epochs now | epochs wanted | hours | on |",
        "|---|---|---|---|---|",
    ]
    for config in [*absent, *short]:
        hours, device = "–", "–"  # of a network that nothing has trained yet
        if config.name in seconds:
            hours = f"{seconds[config.name] / 3600:.1f}"
            device = fastest[config.model, config.form].environment.device
        now = max(known.get(config.name, [0]))
        lines.append(f"| `{config.name}` | {now} | {config.epochs} | {hours} | {device} |")
    return "\n".join(lines)


def _is_short(records: dict[int, list[Run]], epochs: int) -> bool:
    """Whether a configuration's longest training is too short, and didn't end early for good."""
    longest = max(records)
    return longest < epochs and all(run.status == "finished" for run in records[longest])


def reported(run: Run) -> str:
    """Its accuracy in the report."""
    result = reported_result(run)
    return f"{result.accuracy:.1%}" if result else "–"


def epoch_seconds(run: Run) -> float:
    """Of a run; the median, as some epochs were trained beside other work."""
    return median(run.history["seconds"])


def selections(runs: list[Run]) -> str:
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
            lines.append(
                f"| `{run.name}` | {reported(run)} | {chosen_epoch(run)} | {chosen_epoch(other)} "
                f"| {100 * difference.accuracy:+.1f} points ({points(difference.interval)}), "
                f"p {probability(difference.p_value)}{'' if difference.significant else ', not beyond chance'} |"
            )
    return "\n".join(lines)


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


def verdicts(runs: list[Run]) -> str:
    """Markdown, a line a finding of the report."""
    lines = ["| finding | the report | verdict | epochs |", "|---|---|---|---|"]
    for found in findings(runs):
        lines.append(f"| {found.title} | {found.report} | **{found.verdict}** | {found.epochs or '–'} |")
    return "\n".join(lines)


def future(runs: list[Run]) -> str:
    """Markdown, an item each thing that the report would try."""
    found = step_results(runs, load_evaluations(evaluations_dir())[0])
    searches = [search for search in load_searches(RUNS_DIR)[0] if search.found.name in shipped(RUNS_DIR)]
    return "\n".join(
        f"- **{hope.title}.** {hope.report} {' '.join(hope.measured) or 'Not measured yet.'}"
        for hope in hopes(runs, found, list(load_index().values()), searches)
    )


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


def points(ends: tuple[float, float]) -> str:
    """An interval in points."""
    low, high = ends
    return f"{100 * low:+.1f} to {100 * high:+.1f}"


def chosen_epoch(run: Run) -> str:
    """Which it is, and how good in training and on the test set."""
    epoch = run.test.best_epoch
    assert epoch is not None  # of a run that finished
    training = run.history["train_accuracy"][epoch - 1]
    return f"{epoch}: **{run.accuracy:.1%}** ({training:.0%} in training)"


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
