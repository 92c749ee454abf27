"""The words of corpora for emotions, and which of the six each means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import ConfigError

NONE = "none"
"""What a user says of a label whose clips are to be left out."""

WORDS = {
    "ANG": ("anger", "angry", "ang"),
    "DIS": ("disgust", "disgusted", "dis"),
    "FEA": ("fear", "fearful", "fea", "afraid", "anxiety", "anxious"),
    "HAP": ("happiness", "happy", "hap", "joy", "joyful"),
    "NEU": ("neutral", "neu", "calm"),
    "SAD": ("sadness", "sad"),
}
"""The words that corpora use, in small letters. Single letters are missing: N is neutral here, and nothing there."""

OTHERS = frozenset(
    (
        *("surprise", "surprised", "sur", "pleasant surprise", "boredom", "bored", "contempt", "excitement", "excited"),
        *("exc", "frustration", "frustrated", "fru", "amusement", "amused", "sleepiness", "sleepy", "other", "oth"),
    )
)
"""Words for what is none of the six. Each can be taken for one all the same, with a map of one's own."""

LabelMap = Mapping[str, str | None]
"""A user's own: an emotion by the label, None for labels whose clips are left out; keys as of `normalised`."""

MEANS = {word: emotion for emotion, words in WORDS.items() for word in words}


def normalised(label: str) -> str:
    """A label without what doesn't matter: capitals, `_` and `-` in place of spaces, spaces around."""
    return re.sub(r"[\s_-]+", " ", label).strip().casefold()


def emotion_of(label: str, own: LabelMap) -> str | None:
    """Which of the six a label means, None if none of them, or if that isn't known."""
    word = normalised(label)
    return own[word] if word in own else MEANS.get(word)


def is_known(label: str, own: LabelMap) -> bool:
    """Whether it is known what a label means, be it none of the six."""
    word = normalised(label)
    return word in own or word in MEANS or word in OTHERS


def parse_labels(text: str | None) -> dict[str, str | None]:
    """A label map as it is typed: `joy=HAP,calm=NEU,boredom=none`.

    Raises:
        ConfigError: what of it can't be understood.
    """
    own: dict[str, str | None] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        label, equals, meant = (word.strip() for word in part.rpartition("="))
        emotion = meant.upper() if meant.upper() in EMOTIONS else MEANS.get(normalised(meant))
        if not (label and equals and (emotion or meant.casefold() == NONE)):
            known = ", ".join(f"{code} ({name})" for code, name in EMOTION_NAMES.items())
            raise ConfigError(
                f"{part.strip()!r} says of no label what it means. Write it as joy=HAP,calm=NEU: the label, and one of "
                f"{known}, or {NONE} to leave its clips out."
            )
        if normalised(label) in own:
            raise ConfigError(f"The label {label!r} is named twice: say once what it means.")
        own[normalised(label)] = emotion
    return own


def check_labels(own: LabelMap, found: Iterable[str]) -> None:
    """Refuse a map that names what no clip has: a slip of the hand would leave clips out, or in.

    Args:
        found: the labels that there are.

    Raises:
        ConfigError: which it names, and which there are.
    """
    present = sorted(set(found))
    if unused := [label for label in own if label not in {normalised(one) for one in present}]:
        raise ConfigError(
            f"No clip has the label {unused[0]!r}, of which --labels says what it means. Labels here: "
            f"{', '.join(present)}."
        )
