"""Speech that was found already: models that look for it alike, in the same sound, need not look twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

import numpy as np

from ser_core.audio.preprocess import AudioConfig, detect_speech
from ser_core.audio.vad import Detected

MAX_DETECTIONS = 512  # remembered, the newest: a few kilobytes each


class Detections:
    """`ser_core.audio.preprocess.detect_speech` with a memory, by content: no sound is kept. Threads may share it.

    Args:
        size: how many are remembered, int > 0.
    """

    def __init__(self, size: int = MAX_DETECTIONS):
        self._size = size
        self._found: OrderedDict[tuple, Detected] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, waveform: np.ndarray, config: AudioConfig) -> Detected:
        """Where in float32 `[samples]` at 16 kHz somebody speaks."""
        digest = hashlib.blake2b(np.ascontiguousarray(waveform).data, digest_size=32).digest()
        key = (digest, config.vad, config.vad_top_db, config.vad_floor_dbfs, config.vad_threshold)
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = detect_speech(waveform, config)
        with self._lock:
            self._found[key] = found
            if len(self._found) > self._size:
                self._found.popitem(last=False)
        return found
