"""How loud a recording is, and making it louder or quieter."""

from __future__ import annotations

import numpy as np

FRAME_LENGTH = 512  # samples, 32 ms
MARGIN_DB = 15.9  # by which a frame may lie below the active level and still count
N_ROUNDS = 20
SPEECH_LEVEL_DBFS = -23.0  # of the voice, as broadcasters have it (EBU R 128)

QUIET_DBFS = -55.0
"""A voice below this level is brought up before it is looked for, in any pipeline: silero doesn't hear it else.

The quietest clip of CREMA-D lies at -48.5 dB, so that nothing changes for the corpus.
"""

SILENT_DBFS = -90.0
"""A sound track below this level is called silent, as what a recorder adds: 16 bits end at -98 dB."""

FAINTEST_DBFS = -120.0
"""No voice is looked for below this level.

Numbers of 24 bits or with a floating point hold a voice further down than 16 bits do: the quietest one of RAVDESS,
made 40 dB quieter, lies at -100 dB. What a recorder adds up to there is no voice to silero.
"""


def change_gain(waveform: np.ndarray, gain_db: float) -> np.ndarray:
    """Every sample of `[samples]` times the same number: `gain_db` in dB, above 0 for louder."""
    return waveform * np.float32(10 ** (gain_db / 20))


def within_full_scale(waveform: np.ndarray) -> np.ndarray:
    """`[samples]` made just so much quieter that none goes beyond ±1."""
    peak = float(np.abs(waveform).max(initial=0.0))
    return waveform / np.float32(peak) if peak > 1 else waveform


def active_power(waveform: np.ndarray) -> float:
    """Mean square of `[samples]` while somebody speaks, whatever the pauses: 0 for digital silence.

    As in ITU-T P.56, those frames are active that lie no more than 15.9 dB below the level of all active ones. The
    level is found by starting from the mean of all frames, and leaving out what lies too far below until nothing does.
    """
    whole = len(waveform) // FRAME_LENGTH * FRAME_LENGTH
    if whole == 0:
        return float(np.mean(np.square(waveform, dtype=np.float64))) if len(waveform) else 0.0
    frames = waveform[:whole].reshape(-1, FRAME_LENGTH)
    powers = np.einsum("ij,ij->i", frames, frames).astype(np.float64) / FRAME_LENGTH
    level = float(powers.mean())
    for _ in range(N_ROUNDS):
        higher = float(powers[powers >= level * 10 ** (-MARGIN_DB / 10)].mean())
        if higher <= level:
            break
        level = higher
    return level


def to_speech_level(waveform: np.ndarray) -> np.ndarray:
    """`[samples]` with its active level at `SPEECH_LEVEL_DBFS`, whatever it was; digital silence stays as it is.

    Where the peaks of a voice go beyond ±1 by that they are left so: nothing clips, these are floating-point numbers.
    """
    power = active_power(waveform)
    if power == 0:
        return waveform
    return waveform * np.float32(10 ** (SPEECH_LEVEL_DBFS / 20) / np.sqrt(power))


def speech_level(waveform: np.ndarray) -> float:
    """Active level of `[samples]` in ±1, in dB relative to full scale; minus infinity for digital silence."""
    power = active_power(waveform)
    return 10 * float(np.log10(power)) if power else float("-inf")
