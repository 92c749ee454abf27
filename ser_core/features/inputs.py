"""Speech to what a network takes: the one place where training and prediction meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ser_core.features.config import FeatureConfig
from ser_core.features.contours import contours
from ser_core.features.mel import log_mel, mel_image, mel_spectrograms
from ser_core.features.spectral import fix_frames, mean_over_time, spectral_features
from ser_core.features.whisper import whisper_log_mel

InputName = Literal["spectral", "mel", "whisper", "contours"]
"""What a network can take: spectral features, mel images, the log-mel spectrogram of Whisper's encoder, contours."""

Form = Literal["fixed", "variable", "mean"]
"""`fixed`: 27 × 301 and 64 × 64; `variable`: 27 × frames, 64 × frames and 80 × frames; `mean`: 1 × 27 and 64 × 64."""

FORMS: tuple[Form, ...] = ("fixed", "variable", "mean")


def network_inputs(
    waveform: np.ndarray, inputs: Sequence[str], form: Form, features: FeatureConfig
) -> dict[str, np.ndarray]:
    """Speech to what a network takes: the one place where training and prediction meet.

    Args:
        waveform: float32 `[samples]`, from `ser_core.audio.preprocess.preprocess`.
        inputs: some of `InputName`.
        form: see `Form`.

    Returns:
        by input: float32 `spectral` `[27, frames]` (`[1, 27]` for `mean`), `mel` `[1, 64, frames]` (with `mel_windows`,
        one more for each), `whisper` `[80, frames]` and `contours` `[3, frames]`, as many frames as the mel
        spectrogram. The last two come in one form only.
    """
    arrays = {}
    if "spectral" in inputs:
        spectral = spectral_features(waveform, features)
        match form:
            case "fixed":
                spectral = fix_frames(spectral, features.n_frames)
            case "mean":
                spectral = mean_over_time(spectral)
        arrays["spectral"] = spectral
    if "mel" in inputs:
        if form == "variable":
            arrays["mel"] = mel_spectrograms(waveform, features)
        else:
            arrays["mel"] = mel_image(log_mel(waveform, features), features)
    if "whisper" in inputs:
        arrays["whisper"] = whisper_log_mel(waveform)
    if "contours" in inputs:
        arrays["contours"] = contours(waveform, features.mel_hop_length, path=features.pitch_path)
    return arrays
