"""The picture on Home: how often people and the best models are right. Plain HTML: Home is to stand at once."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ser_core.analysis.colors import PEOPLE_COLOR, series_colors
from ser_core.analysis.overview import Bar
from ser_core.emotions import EMOTIONS
from ser_core.words import percent

CHANCE = 1 / len(EMOTIONS)
BAR_REM = 1.4
SMALL = "font-size:0.8rem;opacity:0.75"


def overview(bars: Sequence[Bar]) -> str:
    """A bar each, with its interval, and a line where guessing would be."""
    rows = "".join(_row(bar) for bar in bars)
    return (
        f'<div role="img" aria-label="{escape(_spoken(bars))}" style="display:grid;row-gap:0.9rem;font-size:0.95rem">'
        f"{rows}</div>"
    )


def _row(bar: Bar) -> str:
    low, high = bar.interval or (bar.accuracy, bar.accuracy)
    whisker = (
        f'<span style="position:absolute;left:{low:.1%};width:{high - low:.1%};top:50%;border-top:2px solid;'
        f'opacity:0.6"></span>'
        if bar.interval
        else ""
    )
    return (
        '<div><div style="display:flex;justify-content:space-between;align-items:baseline;gap:0.75rem">'
        f'<span>{escape(bar.what)} <span style="{SMALL};white-space:nowrap">{escape(bar.detail)}</span></span>'
        f"<strong>{percent(bar.accuracy, 0)}</strong></div>"
        f'<div style="position:relative;height:{BAR_REM}rem;margin-top:0.2rem;background:rgba(128,128,128,0.15);'
        'border-radius:0.25rem">'
        f'<span style="position:absolute;inset:0 auto 0 0;width:{bar.accuracy:.1%};border-radius:0.25rem;'
        f'background:{_color(bar)}"></span>{whisker}'
        f'<span style="position:absolute;left:{CHANCE:.1%};top:0;bottom:0;border-left:2px dashed;opacity:0.5"></span>'
        "</div></div>"
    )


def _color(bar: Bar) -> str:
    return series_colors(bar.runs)[bar.runs[0]] if bar.runs else PEOPLE_COLOR


def _spoken(bars: Sequence[Bar]) -> str:
    return "; ".join(f"{bar.what}, {bar.detail}: {percent(bar.accuracy, 0)} right" for bar in bars)
