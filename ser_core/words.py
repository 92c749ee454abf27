"""Words that sentences are made of."""

import re
from collections.abc import Sequence


def counted(n: int, what: str) -> str:
    """A number of things, as `1 clip` or `2 clips`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def listed(names: Sequence[str], last: str = "or") -> str:
    """Names as a sentence has them: `anger, disgust or fear`."""
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def first_few(sentences: Sequence[str], most: int = 3) -> str:
    """Sentences one after the other, of many only the first and how many more there are: `A. B. C. And 7 more.`"""
    more = len(sentences) - most
    return " ".join([*sentences[:most], *([f"And {more:,} more."] if more > 0 else [])])


def code(name: str) -> str:
    """A name between backticks, as messages and pages show names; one that has backticks itself shows others."""
    return "`" + re.sub(r"\s+", " ", name).replace("`", "´") + "`"


def percent(share: float, digits: int = 1) -> str:
    """A share in 0..1 in percent, as `62.7 %`; the space doesn't break."""
    return f"{_rounded(100 * share, digits)}\u00a0%"


def points(difference: float, digits: int = 1) -> str:
    """A difference of shares, -1..1, in points with its sign, as `+6.2` or `-0.4`; `0.0` has none."""
    text = _rounded(100 * difference, digits)
    return f"+{text}" if float(text) > 0 else text


def between(low: float, high: float, digits: int = 1) -> str:
    """The interval of a share in 0..1, in percent: `59.6 – 65.7 %`."""
    return f"{_rounded(100 * low, digits)} – {percent(high, digits)}"


def points_between(low: float, high: float) -> str:
    """The interval of a difference of shares, in points: `-2.0 to +10.9`."""
    return f"{points(low)} to {points(high)}"


def _rounded(value: float, digits: int) -> str:
    """A number as text, never `-0.0`."""
    return f"{round(value, digits) + 0.0:.{digits}f}"
