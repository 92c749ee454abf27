"""Speech that was found already: models that look for it alike, in the same sound, need not look twice."""

from __future__ import annotations

import hashlib

import numpy as np

from ser_core.audio.preprocess import AudioConfig, detect_speech
from ser_core.audio.vad import Detected
from ser_core.memory import Memory

MAX_DETECTIONS = 512  # remembered, the newest: a few kilobytes each


class Detections:
    """`ser_core.audio.preprocess.detect_speech` with a memory, by content: no sound is kept. Threads may share it.

    Args:
        size: how many are remembered, int > 0.
    """

    def __init__(self, size: int = MAX_DETECTIONS):
        self._found: Memory[Detected] = Memory(size)

    def __call__(self, waveform: np.ndarray, config: AudioConfig) -> Detected:
        """Where in float32 `[samples]` at 16 kHz somebody speaks."""
        digest = hashlib.blake2b(np.ascontiguousarray(waveform).data, digest_size=32).digest()
        key = (digest, config.vad, config.vad_top_db, config.vad_floor_dbfs, config.vad_threshold)
        found = self._found.get(key)
        if found is None:
            self._found.put(key, found := detect_speech(waveform, config))
        return found
