"""What has which colour, on every page.

Emotions have colours of their own, and so have people, models and runs: no colour of one is a colour of another. All
of them hold on a light and on a dark background. They were searched for by what is told apart by the eyes of nearly
everybody (Machado et al. 2009, "A physiologically-based model for simulation of color vision deficiency"); see
`tests/analysis/test_colors.py` for what is held.
"""

from __future__ import annotations

from collections.abc import Iterable

EMOTION_COLORS = {
    "ANG": "#c12e1e",
    "DIS": "#36a663",
    "FEA": "#ba77cd",
    "HAP": "#e99e0c",
    "NEU": "#626566",
    "SAD": "#3052f4",
}
PEOPLE_COLOR = "#7f7e47"
SERIES_COLORS = ("#099ec7", "#a70ade", "#ff3084", "#137b6a", "#be70f8", "#64940a", "#cb48a1", PEOPLE_COLOR)
"""Of models, runs, and what else is compared; people's is taken last."""
REPORT_COLOR = "#b5651d"  # of the report's own figures
ACCENT = "#5470d6"  # sound, and what stands alone
GUIDE = "#7d8794"  # lines to compare with

PATTERNS = ("", "/", ".", "x")
"""Of bars that share a colour: people have one, whether they heard, saw, or heard and saw."""

_PEOPLE = ("people", "raters", "crowd")
_KINDS = ("Whisper", "Combined", "2D", "1D", "ResNet")
"""Of networks, each of which has a colour where it can."""


def series_colors(names: Iterable[str]) -> dict[str, str]:
    """A colour for each series of a figure: eight different ones, before any comes again.

    A name has the same one in every figure, unless another of that figure has it already: a run has that of its kind
    of network. What is called after people ("raters", "the crowd") has theirs.
    """
    names = list(dict.fromkeys(names))
    colors = {name: PEOPLE_COLOR for name in names if any(word in name.lower() for word in _PEOPLE)}
    for name in names:
        if name not in colors:
            first = next((i for i, kind in enumerate(_KINDS) if kind in name), len(_KINDS))
            in_order = [*SERIES_COLORS[first:], *SERIES_COLORS[:first]]
            colors[name] = min(in_order, key=list(colors.values()).count)
    return {name: colors[name] for name in names}


def patterns(colors: Iterable[str]) -> list[str]:
    """A pattern for bars of each of these colours, by which those of one colour are told apart."""
    colors = list(colors)
    return [PATTERNS[colors[:i].count(color) % len(PATTERNS)] for i, color in enumerate(colors)]
