"""TESS (Pichora-Fuller and Dupuis 2020): `OAF_back_angry.wav`.

The older or the younger woman, the word that she says, emotion; `ps` is pleasant surprise.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from ser_core.corpus.recordings import Labelled

NAME = re.compile(r"(OA|OAF|YAF)_([a-z']+)_(angry|disgust|fear|happy|neutral|ps|sad)", re.IGNORECASE)
LABELS = {"ps": "pleasant surprise"}


def read(path: PurePath) -> Labelled | None:
    """What a name says; None if it is not one of this corpus. One file of it lacks a letter: `OA_bite_neutral`."""
    if not (match := NAME.fullmatch(path.stem)):
        return None
    speaker, word, emotion = match.groups()
    speaker, emotion = speaker.upper()[:2] + "F", emotion.lower()
    return Labelled(f"{speaker}_{word.lower()}_{emotion}", LABELS.get(emotion, emotion), speaker, "female")
