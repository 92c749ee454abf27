"""The six emotions of CREMA-D, in the one order that every array, table and figure uses."""

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
