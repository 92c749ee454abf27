"""The six emotions of CREMA-D, in the one order that every array, table and figure uses."""

from collections.abc import Iterable

EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
"""Emotion codes as in the clip names; index `i` of any probability vector means `EMOTIONS[i]`."""

EMOTION_NAMES = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}


def in_words(emotions: Iterable[str], between: str = " / ") -> str:
    """The names of several, as `anger / disgust`."""
    return between.join(EMOTION_NAMES[emotion] for emotion in emotions)
