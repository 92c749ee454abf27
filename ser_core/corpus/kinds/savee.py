"""SAVEE (Haq and Jackson 2009): `DC_a01.wav`, or `DC/a01.wav`.

One of four men, emotion by its letters, number of the sentence.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from ser_core.corpus.recordings import Labelled

SPEAKERS = ("DC", "JE", "JK", "KL")
NAME = re.compile(r"(?:(DC|JE|JK|KL)_)?(a|d|f|h|n|sa|su)(\d\d)")
LABELS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}


def read(path: PurePath) -> Labelled | None:
    """What a name says, or the name of the folder with it; None if it is not one of this corpus."""
    if not (match := NAME.fullmatch(path.stem)):
        return None
    in_name, letters, number = match.groups()
    speaker = in_name or path.parent.name
    if speaker not in SPEAKERS:
        return None
    return Labelled(f"{speaker}_{letters}{number}", LABELS[letters], speaker, "male")
