"""Corpora of sounds that nobody spoke, and checkpoints that hear one emotion in all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ser_core.audio import SAMPLE_RATE
from tests.helpers import tone


def write_sounds(folder: Path, *names: str) -> Path:
    """A second of a modulated tone each, of its own pitch."""
    for i, name in enumerate(names):
        sound = tone(150 + 20 * i, 1.0) * (0.6 + 0.4 * tone(3, 1.0)) * 0.5
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, sound.astype(np.float32), SAMPLE_RATE)
    return folder


def says_of_itself(checkpoint: Path, **provenance: Any) -> None:
    """Let a checkpoint say what it was trained on."""
    path = checkpoint / "config.json"
    values = json.loads(path.read_text())
    values["provenance"] |= provenance
    path.write_text(json.dumps(values))
