"""What checkpoints hear in recordings from elsewhere, from what benchmarks printed and from evaluations."""

from __future__ import annotations

import re

from ser_core.emotions import EMOTION_NAMES
from ser_core.records.evaluations import evaluations_dir, load_evaluations
from ser_core.records.robustness import columns
from ser_core.records.runs import Run
from tools.aims import RESULTS

MANY = RESULTS / "many.txt"
ROBUSTNESS = RESULTS / "robustness.txt"
ADAPTATION = RESULTS / "adaptation.txt"
SHOWN_CHANGES = {
    "40 dB quieter": "40 dB quieter",
    "telephone band, 300–3,400 Hz": "telephone",
    "spectral gating": "noise suppression",
    "pink noise, 15 dB SNR": "noise",
    "room, RT60 0.5 s": "room",
}
"""Rows of the robustness benchmark that the README shows, and what they are called there."""


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
