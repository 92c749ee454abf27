"""Tables of the runs that are recorded, and of those that are missing."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from ser_core.analysis.comparable import best_of_each, by_split, differences, over, split_title, which_folds
from ser_core.analysis.comparison import compare, probability
from ser_core.analysis.configurations import by_configuration, reported_result
from ser_core.analysis.speakers import HEARD, UNHEARD, most_folds, not_yet, speaker_results
from ser_core.corpus.splits import N_FOLDS, REPORT_SPLIT_ID
from ser_core.records.runs import Run
from ser_core.training.config import TrainConfig
from ser_core.training.study import BEST_HERE, report_study, speakers_study
from ser_core.words import points_between
from tools.aims import names_of_shipped_checkpoints


def best(runs: list[Run]) -> str:
    """Markdown, a line an architecture: its run of the best validation accuracy on the report's split."""
    ships = names_of_shipped_checkpoints()
    chosen = best_of_each(by_split(runs).get(REPORT_SPLIT_ID, []))
    lines = [
        f"| network | run | validation | report | ours | 95 % interval over {over(chosen.values())} | parameters "
        "| epochs | weights ship |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for network, run in chosen.items():
        low, high = run.accuracy_interval
        lines.append(
            f"| {network} | `{run.name}` | {run.val_accuracy:.1%} | {reported(run)} | **{run.accuracy:.1%}** "
            f"| {low:.1%} – {high:.1%} | {run.test.parameters:,} | {run.test.epochs} "
            f"| {'yes' if run.name in ships else 'no'} |"
        )
    return "\n".join(lines)


def results(runs: list[Run]) -> str:
    """Markdown, a table for each split: the report's first, and others by their names."""
    return "\n\n".join(f"**{split_title(of_split)}**\n\n{table(of_split)}" for of_split in by_split(runs).values())


def speakers(runs: list[Run]) -> str:
    """Markdown, a line a network that was also trained on folds: on speakers it learned from, and never heard."""
    lines = [f"| run | {HEARD} | {UNHEARD} | difference |", "|---|---|---|---|"]
    for result in most_folds(speaker_results(runs), names_of_shipped_checkpoints()):
        heard, unheard = result.heard, result.unheard
        lines.append(
            f"| `{result.shared.name}` | {heard.value:.1%} ({heard.low:.1%} – {heard.high:.1%}) "
            f"| {unheard.value:.1%} ({unheard.low:.1%} – {unheard.high:.1%}), {which_folds(result.folds)} "
            f"| {100 * (unheard.value - heard.value):+.1f} points |"
        )
    return "\n".join(lines)


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
    fastest = fastest_of_each(runs)
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


def missing_folds(runs: list[Run]) -> str:
    """Markdown, how much of what keeps speakers apart is missing, and how long that takes."""
    absent, study, fastest = not_yet(runs), speakers_study(), fastest_of_each(runs)
    if not absent:
        return f"All {len(study)} runs on speakers that a network never heard are trained."
    lines = [
        f"Of the {len(study)} runs that `python grid.py speakers` trains, {len(absent)} are missing:",
        "",
        "| run | folds missing | hours, all together | on |",
        "|---|---|---|---|",
    ]
    for best in BEST_HERE:
        if folds := sum(replace(config, split=best.split) == best for config in absent):
            run = fastest.get((best.model, best.form))
            hours = f"{folds * best.epochs * epoch_seconds(run) / 3600:.1f}" if run else "–"
            device = run.environment.device if run else "–"
            lines.append(f"| `{best.name}` | {folds} of {N_FOLDS} | {hours} | {device} |")
    return "\n".join(lines)


def fastest_of_each(runs: list[Run]) -> dict[tuple[str, str], Run]:
    """The run of each network and form of input that was trained fastest."""
    fastest: dict[tuple[str, str], Run] = {}
    for run in sorted(runs, key=epoch_seconds):
        fastest.setdefault((run.train.model, run.train.form), run)
    return fastest


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
                f"| {100 * difference.accuracy:+.1f} points ({points_between(*difference.interval)}), "
                f"p {probability(difference.p_value)}{'' if difference.significant else ', not beyond chance'} |"
            )
    return "\n".join(lines)


def chosen_epoch(run: Run) -> str:
    """Which it is, and how good in training and on the test set."""
    epoch = run.test.best_epoch
    assert epoch is not None  # of a run that finished
    training = run.history["train_accuracy"][epoch - 1]
    return f"{epoch}: **{run.accuracy:.1%}** ({training:.0%} in training)"
