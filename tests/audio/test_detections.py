"""Speech that is looked for alike is looked for once."""

from dataclasses import replace

import numpy as np
import pytest

from ser_core.audio import detections
from ser_core.audio.detections import Detections
from ser_core.audio.preprocess import AudioConfig, detect_speech, preprocess
from ser_core.audio.synthetic import EXAMPLES, synthesize
from ser_core.audio.vad import Detected


def test_it_is_found_once_for_the_same_sound_and_settings(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def counted(waveform: np.ndarray, config: AudioConfig) -> Detected:
        asked.append(config)
        return detect_speech(waveform, config)

    monkeypatch.setattr(detections, "detect_speech", counted)
    voice, config, remembering = synthesize(next(iter(EXAMPLES.values()))), AudioConfig(), Detections(2)
    assert preprocess(voice, config, (), remembering) == preprocess(voice, config)
    assert preprocess(voice.copy(), replace(config, normalize=False), (), remembering).seconds > 0
    assert len(asked) == 1
    preprocess(voice, replace(config, vad="energy"), (), remembering)
    preprocess(np.float32(0.5) * voice, config, (), remembering)
    assert len(asked) == 3
    preprocess(voice, config, (), remembering)  # only the newest two are remembered
    assert len(asked) == 4
