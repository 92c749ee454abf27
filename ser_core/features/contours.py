"""How loudness and pitch move over a clip, whatever its level and whoever speaks."""

from __future__ import annotations

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.level import active_power
from ser_core.features.pitch import VOICED, WINDOW, highest_peak, pitch_path
from ser_core.features.spectrum import centred_frames

CONTOURS = ("loudness", "pitch", "voicing")
"""The rows of `contours`, in order."""

SILENT_DB = 30.0  # below the active level: quieter frames have no pitch
LOUDNESS_UNIT_DB = 20.0
LOUDNESS_RANGE = (-3.0, 1.0)  # units
PITCH_RANGE = (-1.5, 1.5)  # octaves


def contours(waveform: np.ndarray, hop_length: int, *, path: bool = False) -> np.ndarray:
    """Loudness and pitch over time, which don't change with the level of the clip.

    Args:
        waveform: float32 `[samples]` at 16 kHz.
        hop_length: step, in samples; int > 0.
        path: whether pitch is the path through all frames, and not each frame's by itself; see
            `ser_core.features.pitch`.

    Returns:
        float32 `[3, 1 + samples // hop_length]`, see `CONTOURS`: loudness relative to the clip's active level, in units
        of 20 dB, -3 to 1; pitch relative to the clip's median, in octaves, -1.5 to 1.5, and 0 where there is none;
        voicing, 0..1, how periodic the sound is, 0 where it is too quiet, and with `path` wherever there is no pitch.
    """
    relative, octaves, voicing = loudness_and_pitch(waveform, hop_length, path=path)
    voiced = has_pitch(voicing, path=path)
    median = np.median(octaves[voiced]) if voiced.any() else 0.0
    relative_pitch = np.where(voiced, np.clip(octaves - median, *PITCH_RANGE), 0)
    loudness = np.clip(relative / LOUDNESS_UNIT_DB, *LOUDNESS_RANGE)
    return np.stack((loudness, relative_pitch, voicing)).astype(np.float32)


def loudness_and_pitch(
    waveform: np.ndarray, hop_length: int, *, path: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `contours` are made of.

    Returns:
        level in dB over the clip's active level; pitch in octaves above 1 Hz, which means nothing where there is none;
        and voicing as `contours` has it: `[1 + samples // hop_length]` each.
    """
    frames = centred_frames(waveform, WINDOW, hop_length)
    power = np.einsum("ij,ij->i", frames, frames) / WINDOW
    level = active_power(waveform)
    relative = 10 * np.log10(np.maximum(power / level, 1e-9)) if level else np.full(len(frames), -100.0)
    silent = relative <= -SILENT_DB
    if path:
        return relative, *pitch_path(frames, hop_length / SAMPLE_RATE, silent)
    octaves, height = highest_peak(frames)
    return relative, octaves, np.where(silent, 0, np.clip(height, 0, 1))


def has_pitch(voicing: np.ndarray, *, path: bool) -> np.ndarray:
    """Which frames have a pitch, by the `voicing` that `contours` gives: bool of the same shape."""
    return voicing > 0 if path else voicing >= VOICED
