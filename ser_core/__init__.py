"""Speech emotion recognition on CREMA-D: features, networks, training, evaluation and prediction.

from ser_core import Predictor
prediction = Predictor.load("lr0.001-SiLU-2D")("speech.wav")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.errors import AudioError, CheckpointError, ConfigError, NoSpeechError, SERError

if TYPE_CHECKING:
    from ser_core.serving.prediction import Prediction
    from ser_core.serving.predictor import Predictor

__all__ = [
    "EMOTIONS",
    "EMOTION_NAMES",
    "AudioError",
    "CheckpointError",
    "ConfigError",
    "NoSpeechError",
    "Prediction",
    "Predictor",
    "SERError",
]


def __getattr__(name: str) -> object:
    # The predictor imports torch, which takes a second: only those who ask for it wait.
    if name == "Predictor":
        from ser_core.serving.predictor import Predictor

        return Predictor
    if name == "Prediction":
        from ser_core.serving.prediction import Prediction

        return Prediction
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
