"""What networks were to reach, and what was reached, from records and results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from ser_core.analysis.calibration import reliability
from ser_core.analysis.comparable import which_folds
from ser_core.analysis.speakers import pooled
from ser_core.corpus.splits import N_FOLDS, REPORT_SPLIT_ID
from ser_core.models.registry import MODELS, model_label
from ser_core.records.evaluations import evaluations_dir, load_evaluations
from ser_core.records.robustness import columns
from ser_core.records.runs import Run
from tools.build_hook import shipped_files

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
FULL_LENGTH = 150  # epochs, as in the report
LEVELS = ("20 dB quieter", "40 dB quieter", "20 dB louder, not clipped")
"""Changes of level, which have an aim of their own."""


@dataclass(frozen=True)
class Reached:
    """A figure, and what a reader has to know of it."""

    value: float
    of_what: str = ""


@dataclass(frozen=True)
class Aim:
    """A line of the table.

    Attributes:
        label: what is measured.
        figure: how a number is written, as `.0%`, and what follows it.
        at_least: whether more is better.
        wanted: what was to be reached by each of the networks that the table is of; None for no aim.
        reached: by a checkpoint; None where it wasn't measured.
    """

    label: str
    figure: tuple[str, str]
    at_least: bool
    wanted: tuple[float | None, ...]
    reached: Callable[[Sequence[Run], str], Reached | None]

    def cells(self, runs: Sequence[Run], name: str | None, aim: float | None) -> list[str]:
        """An aim, and what was reached of it by the run of that name."""
        if aim is None:
            return ["–", "–"]
        form, unit = self.figure
        said = f"{'≥' if self.at_least else '≤'} {aim:{'.0%' if '%' in form else 'g'}}{unit}"
        if name is None or (found := self.reached(runs, name)) is None:
            return [said, "not measured"]
        text = f"{found.value:{form}}"  # what is judged is what is read
        shown = float(text.rstrip("%")) / (100 if "%" in form else 1)
        met = shown >= aim if self.at_least else shown <= aim
        note = f" ({found.of_what})" if found.of_what else ""
        return [said, f"{f'**{text}{unit}**' if met else f'missed: {text}{unit}'}{note}"]


def printed(benchmark: str, name: str | None = None) -> str:
    """What it printed last; of the shipped checkpoints, or of the retrained one of that name, which doesn't ship."""
    text = (RESULTS / f"{benchmark}.txt").read_text(encoding="utf-8")
    retrained = RESULTS / f"{benchmark}_retrained.txt"
    if name and not re.search(rf"(^|\s){re.escape(name)}(\s|$)", text) and retrained.is_file():
        return retrained.read_text(encoding="utf-8")
    return text


def alike(runs: Iterable[Run], name: str, **other: object) -> list[Run]:
    """The run of that name, and those that differ from it in nothing but these settings."""
    runs = list(runs)
    own = next(run for run in runs if run.name == name)
    settings = {key: getattr(own.train, key) for key in other}
    return [run for run in runs if replace(run.train, **settings) == own.train]


def shipped_checkpoints() -> list[str]:
    """Files of those that come with the project."""
    return [path for path in shipped_files(ROOT) if path.startswith("checkpoints/")]


def names_of_shipped_checkpoints() -> set[str]:
    """Their folders, which are named as their runs."""
    return {path.split("/")[1] for path in shipped_checkpoints()}


def best_shipped(runs: Sequence[Run], kind: Callable[[Run], bool]) -> str | None:
    """Name of the checkpoint of a kind that was best in validation; None where none comes with the project."""
    names = names_of_shipped_checkpoints()
    of_kind = [run for run in runs if run.name in names and kind(run)]
    return max(of_kind, key=lambda run: run.val_rank).name if of_kind else None


def is_pretrained(run: Run) -> bool:
    return MODELS[run.train.model].pretrained and not run.taught


def is_the_reports(run: Run) -> bool:
    return not (MODELS[run.train.model].pretrained or is_small(run) or run.taught)


def retrained(runs: Sequence[Run]) -> str | None:
    """Name of the report's network that learned from changed copies by the voice pipeline at the report's full length,
    and was best in validation; None where none did."""
    found = [
        run
        for run in runs
        if is_the_reports(run)
        and run.split_id == REPORT_SPLIT_ID
        and run.train.audio.pipeline == "voice"
        and run.train.copies > 1
        and run.train.epochs >= FULL_LENGTH
    ]
    return max(found, key=lambda run: run.val_rank).name if found else None


def is_small(run: Run) -> bool:
    """Whether it is of the small network of our own, with a teacher or without."""
    return MODELS[run.train.model].configurable


def on_the_reports_split(runs: Sequence[Run], name: str) -> Reached:
    accuracies = [run.accuracy for run in alike(runs, name, seed=None)]
    low, high = min(accuracies), max(accuracies)
    return Reached(
        mean(accuracies), f"{len(accuracies)} seeds, {low:.1%} to {high:.1%}" if len(accuracies) > 1 else "one seed"
    )


def of_unseen_actors(runs: Sequence[Run], name: str) -> list[Run]:
    return [run for run in alike(runs, name, split=None) if run.train.split.startswith("fold")]


def unless_all(folds: Sequence[Run]) -> str:
    return "" if len(folds) == N_FOLDS else f"only {which_folds(folds)}"


def on_unseen_actors(runs: Sequence[Run], name: str) -> Reached | None:
    folds = of_unseen_actors(runs, name)
    return Reached(pooled(folds).value, unless_all(folds)) if folds else None


def elsewhere(runs: Sequence[Run], name: str) -> Reached | None:
    text = printed("robustness", name)
    found = re.findall(rf"^{re.escape(name)} +unweighted average recall ([\d.]+)%", text, re.M)
    return Reached(float(found[0]) / 100) if found else None


def adapted(runs: Sequence[Run], name: str) -> Reached | None:
    of_ravdess = printed("adaptation", name).split("\nRAVDESS")[1]
    found = re.findall(rf"^{re.escape(name)} .*$", of_ravdess, re.M)
    return Reached(float(found[0].split()[-1].rstrip("%")) / 100, "to all clips of a speaker") if found else None


def kept(name: str) -> dict[str, float]:
    """Share of labels that stay, by change."""
    rows = columns(printed("robustness", name).partition("RAVDESS")[0])
    return {
        label: float(cells[name].split("%")[0]) / 100
        for label, cells in rows.items()
        if label != "unchanged" and name in cells
    }


def least_kept(runs: Sequence[Run], name: str) -> Reached | None:
    if not kept(name):
        return None
    others = {label: share for label, share in kept(name).items() if label not in LEVELS}
    least = min(others, key=lambda label: others[label])
    return Reached(others[least], least)


def kept_at_any_level(runs: Sequence[Run], name: str) -> Reached | None:
    if not kept(name):
        return None
    least = min(LEVELS, key=lambda label: kept(name)[label])
    return Reached(kept(name)[least], least)


def miscalibrated(runs: Sequence[Run], name: str) -> Reached | None:
    folds = of_unseen_actors(runs, name)
    errors = [reliability(run.predictions()).expected_calibration_error for run in folds]
    return Reached(mean(errors), unless_all(folds)) if folds else None


def miscalibrated_elsewhere(runs: Sequence[Run], name: str) -> Reached | None:
    evaluated = {(one.corpus.name, one.checkpoint.name): one for one in load_evaluations(evaluations_dir())[0]}
    found = evaluated.get(("ravdess", name))
    return Reached(found.calibration_error) if found else None


def milliseconds(runs: Sequence[Run], name: str) -> Reached | None:
    text = printed("latency", name)
    found = re.findall(rf"^{re.escape(name)} .*3 s on one core: +([\d.]+) ms", text, re.M)
    return Reached(float(found[0])) if found else None


def slowed(runs: Sequence[Run], name: str) -> Reached:
    measured = dict(re.findall(r"^(\S+) +features: .*\n.*\(([\d.]+) x\)", printed("augmentation"), re.M))
    (run,) = [run for run in runs if run.name == name]
    model = run.train.model if run.train.model in measured else "2d"
    return Reached(float(measured[model]), "" if model == run.train.model else f"the {model_label(model)} network")


def parameters(runs: Sequence[Run], name: str) -> Reached:
    (run,) = [run for run in runs if run.name == name]
    return Reached(run.test.parameters / 1e6)


def own_megabytes(runs: Sequence[Run], name: str) -> Reached:
    return Reached(_megabytes(path for path in shipped_checkpoints() if path.split("/")[1] == name))


def megabytes(runs: Sequence[Run], name: str) -> Reached:
    files = shipped_checkpoints()
    return Reached(_megabytes(files), f"{len({path.split('/')[1] for path in files})} checkpoints")


def _megabytes(files: Iterable[str]) -> float:
    return sum((ROOT / path).stat().st_size for path in files) / 1e6


SHARE, TIMES = (".1%", ""), (".2f", " ×")
AIMS = (
    Aim("the report's split, accuracy", SHARE, True, (0.79, 0.66), on_the_reports_split),
    Aim("unseen actors, accuracy", SHARE, True, (0.76, 0.62), on_unseen_actors),
    Aim("RAVDESS, average recall", SHARE, True, (0.65, 0.42), elsewhere),
    Aim("… adapted, without labels", SHARE, True, (0.72, 0.50), adapted),
    Aim("same label, under the worst change", (".0%", ""), True, (0.88, 0.80), least_kept),
    Aim("same label at another level", (".0%", ""), True, (0.99, 0.99), kept_at_any_level),
    Aim("calibration error, unseen actors", SHARE, False, (0.03, 0.03), miscalibrated),
    Aim("… RAVDESS", SHARE, False, (0.10, 0.10), miscalibrated_elsewhere),
    Aim("3 s of audio on one core", (".1f", " ms"), False, (120, 25), milliseconds),
    Aim("training with changed copies, beside without", TIMES, False, (1.5, 1.5), slowed),
    Aim("parameters", (".1f", " million"), False, (21, None), parameters),
    Aim("all shipped checkpoints together", (".0f", " MB"), False, (75, None), megabytes),
)
SMALL_AIMS = (
    Aim("the report's split, accuracy", SHARE, True, (0.72, 0.75), on_the_reports_split),
    Aim("unseen actors, accuracy", SHARE, True, (0.68, 0.71), on_unseen_actors),
    Aim("RAVDESS, average recall", SHARE, True, (0.48, 0.55), elsewhere),
    Aim("… adapted, without labels", SHARE, True, (0.58, 0.63), adapted),
    Aim("same label, under the worst change", (".0%", ""), True, (0.85, 0.85), least_kept),
    Aim("same label at another level", (".0%", ""), True, (0.85, 0.85), kept_at_any_level),
    Aim("3 s of audio on one core", (".1f", " ms"), False, (50, 50), milliseconds),
    Aim("parameters", (".2f", " million"), False, (10, 10), parameters),
    Aim("its checkpoint", (".1f", " MB"), False, (12, 12), own_megabytes),
)


def aims(runs: list[Run]) -> str:
    """Markdown, a line an aim: what was to be reached and what was, by the pretrained network that ships, and by the
    report's one that was retrained and doesn't."""
    names = {"pretrained": best_shipped(runs, is_pretrained), "the report's, retrained": retrained(runs)}
    return _table(AIMS, runs, names)


def small_aims(runs: list[Run]) -> str:
    """The same of the small network of our own, from CREMA-D's clips alone and with a teacher."""
    kinds = {
        "from CREMA-D alone": lambda run: is_small(run) and not run.taught,
        "with a teacher": lambda run: is_small(run) and run.taught,
    }
    return _table(SMALL_AIMS, runs, {title: best_shipped(runs, kind) for title, kind in kinds.items()})


def _table(lines: Sequence[Aim], runs: list[Run], names: dict[str, str | None]) -> str:
    """Of the networks of these names, by what they are."""
    titles = [f"{title}{f', `{name}`' if name else ''}: aim | reached" for title, name in names.items()]
    rows = [f"| | {' | '.join(titles)} |", "|---" * (1 + 2 * len(names)) + "|"]
    for aim in lines:
        cells = [
            cell for name, one in zip(names.values(), aim.wanted, strict=True) for cell in aim.cells(runs, name, one)
        ]
        rows.append(f"| {aim.label} | {' | '.join(cells)} |")
    return "\n".join(rows)
