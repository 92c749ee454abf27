"""The names of clips, as `1001_DFA_ANG_XX`, and what their parts mean."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import NamedTuple

from ser_core.emotions import EMOTIONS
from ser_core.errors import CorpusError

SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}


class ClipName(NamedTuple):
    """The parts of `ActorID_Sentence_Emotion_Intensity`."""

    actor: int
    sentence: str
    emotion: str
    intensity: str


def parse_name(name: str) -> ClipName:
    """Take a clip's name apart; a folder and `.wav` or `.WAV` are allowed.

    Raises:
        CorpusError: naming the part that is wrong.
    """
    stem = stem_of(name)
    parts = stem.split("_")
    if len(parts) != 4:
        raise CorpusError(
            f"{stem!r} is not a CREMA-D name: it has {len(parts)} part(s) between underscores, not 4 "
            "(ActorID_Sentence_Emotion_Intensity, as 1001_DFA_ANG_XX)."
        )
    actor, sentence, emotion, intensity = parts
    if not re.fullmatch(r"10(0[1-9]|[1-8]\d|9[01])", actor):
        raise CorpusError(f"{stem!r}: the actor is a number from 1001 to 1091, not {actor!r}.")
    for part, value, known in (
        ("sentence", sentence, SENTENCES),
        ("emotion", emotion, EMOTIONS),
        ("intensity", intensity, INTENSITIES),
    ):
        if value not in known:
            raise CorpusError(f"{stem!r}: the {part} is one of {', '.join(known)}, not {value!r}.")
    return ClipName(int(actor), sentence, emotion, intensity)


def stem_of(name: str) -> str:
    """A clip's name without the folder, of whatever system, and without `.wav` in whatever case."""
    return re.sub(r"\.wav$", "", PureWindowsPath(name).name, flags=re.IGNORECASE)
