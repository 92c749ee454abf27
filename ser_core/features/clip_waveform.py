"""The speech of a corpus' clip, as it is or changed at random: what features are computed of."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ser_core.audio.changes.augment import AugmentationConfig, augment
from ser_core.audio.preprocess import AudioConfig, preprocess, z_score
from ser_core.corpus.clip_file import load_clip


class ChangedCopy(NamedTuple):
    """One of several copies of the clips, each of which was changed at random before anything else was done to it.

    Attributes:
        number: from 0 up; each is another draw, the same every time.
        augmentation: how much is changed.
    """

    number: int
    augmentation: AugmentationConfig


def clip_waveform(
    path: Path, name: str, audio: AudioConfig, copy: ChangedCopy | None = None, sha256: str | None = None
) -> np.ndarray:
    """A corpus clip's speech; a clip without any (one is digital silence) is kept whole, as the split keeps it.

    Args:
        path: its file.
        name: differs from that of any other clip; what is changed in a copy is drawn by it.
        audio: how it is preprocessed.
        copy: how it is changed before.
        sha256: what the file must have, if that is known.

    Raises:
        CorpusError: the file is damaged, or another one, and its name.
    """
    waveform = load_clip(path, sha256)
    if copy:
        # By the clip's name, so that neither the number of processes nor the other clips change what is drawn: a corpus
        # that calls its clips by the stems of their files has the same drawn beside others as by itself.
        name = path.stem if name.endswith(f"/{path.stem}") else name
        rng = np.random.default_rng([copy.number, zlib.crc32(name.encode())])
        waveform = augment(waveform, rng, copy.augmentation)
    speech = preprocess(waveform, audio)
    if len(speech.intervals):
        return speech.waveform
    return z_score(speech.audio) if audio.normalize else speech.audio
