"""The changes that a label should survive: what `python -m benchmarks robustness` measures.

    changed = apply_change("telephone", waveform, clip.name)

A new one is a line in `CHANGES`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ser_core.audio.changes.codecs import through_codec
from ser_core.audio.changes.lines import TELEPHONE_HZ, band_pass, less_bass, through_rate
from ser_core.audio.changes.noise import add_noise, babble, pink
from ser_core.audio.changes.rooms import reverberate
from ser_core.audio.changes.spectral import spectral_gate
from ser_core.audio.level import change_gain


class Change(NamedTuple):
    """A change: what pages call it, and a function of float32 `[samples]` at 16 kHz and a generator."""

    label: str
    apply: Callable[[np.ndarray, np.random.Generator], np.ndarray]


CHANGES = {
    "quieter-20": Change("20 dB quieter", lambda waveform, rng: change_gain(waveform, -20)),
    "quieter-40": Change("40 dB quieter", lambda waveform, rng: change_gain(waveform, -40)),
    "louder-20": Change("20 dB louder, not clipped", lambda waveform, rng: change_gain(waveform, 20)),
    "telephone": Change("telephone band, 300–3,400 Hz", lambda waveform, rng: band_pass(waveform, *TELEPHONE_HZ)),
    "rate-8000": Change("8 kHz sample rate", lambda waveform, rng: through_rate(waveform, 8_000)),
    "less-bass": Change("less bass, 1 - 0.7 z⁻¹", lambda waveform, rng: less_bass(waveform)),
    "gate": Change("spectral gating", lambda waveform, rng: spectral_gate(waveform)),
    "pink-25": Change("pink noise, 25 dB SNR", lambda waveform, rng: add_noise(waveform, pink(len(waveform), rng), 25)),
    "pink-15": Change("pink noise, 15 dB SNR", lambda waveform, rng: add_noise(waveform, pink(len(waveform), rng), 15)),
    "babble-15": Change("babble, 15 dB SNR", lambda waveform, rng: add_noise(waveform, babble(len(waveform), rng), 15)),
    "room": Change(
        "room, RT60 0.5 s",
        lambda waveform, rng: reverberate(waveform, rng, rt60=0.5, direct_to_reverberant_db=3),
    ),
    "opus": Change("opus, 16 kbit/s", lambda waveform, rng: through_codec(waveform, "opus", 16_000)),
    "mp3": Change("mp3, 32 kbit/s", lambda waveform, rng: through_codec(waveform, "mp3", 32_000)),
}
"""All changes by name."""


def apply_change(name: str, waveform: np.ndarray, clip: str) -> np.ndarray:
    """Change a clip, the same way every time.

    Args:
        name: one of `CHANGES`.
        waveform: float32 `[samples]` at 16 kHz.
        clip: its name: chance is drawn anew for each change and clip, and repeats with them.

    Returns:
        float32 `[samples]`, as many.
    """
    return CHANGES[name].apply(waveform, np.random.default_rng(zlib.crc32(f"{name} {clip}".encode())))
