"""Whisper tiny: a pretrained encoder, see `ser_core.models.whisper`."""

from __future__ import annotations

from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import Form
from ser_core.models.config import NetworkConfig
from ser_core.models.whisper import SIZES, WhisperClassifier


def build(activation: str, form: Form, features: FeatureConfig, network: NetworkConfig) -> WhisperClassifier:
    """See `ser_core.models.registry`."""
    return WhisperClassifier(SIZES["whisper-tiny"], activation)
