"""EMO-DB (Burkhardt et al. 2005): `03a01Fa.wav`, German.

Speaker, sentence, emotion by its German letter, version.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from ser_core.corpus.recordings import Labelled

NAME = re.compile(r"(\d\d)[ab]\d\d([WLEAFTN])[a-z]")
LABELS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
SEXES = {
    **dict.fromkeys(("03", "10", "11", "12", "15"), "male"),
    **dict.fromkeys(("08", "09", "13", "14", "16"), "female"),
}
"""Of the ten speakers, as published with the corpus."""


def read(path: PurePath) -> Labelled | None:
    """What a name says; None if it is not one of this corpus."""
    if not (match := NAME.fullmatch(path.stem)):
        return None
    speaker, letter = match.groups()
    return Labelled(path.stem, LABELS[letter], speaker, SEXES.get(speaker))
