"""RAVDESS (Livingstone and Russo 2018): `03-01-05-01-02-01-12.wav`.

Modality, channel, emotion, intensity, statement, repetition, actor. Men have odd numbers.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from ser_core.corpus.recordings import Labelled

NAME = re.compile(r"(0[123])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)")
LABELS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
SOUND_ALONE, VIDEO_ALONE, SONG = "03", "02", "02"


def read(path: PurePath) -> Labelled | None:
    """What a name says; None if it is not one of this corpus. The sound of a film is that of the sound file."""
    if not (match := NAME.fullmatch(path.stem)):
        return None
    modality, channel, emotion, *_, actor = match.groups()
    refused = "song" if channel == SONG else "film without sound" if modality == VIDEO_ALONE else ""
    name = path.stem if refused else f"{SOUND_ALONE}{path.stem[2:]}"
    return Labelled(name, LABELS[emotion], actor, "male" if int(actor) % 2 else "female", refused)
