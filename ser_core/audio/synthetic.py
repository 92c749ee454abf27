"""Synthetic sounds: a voice made of pulses and formants, to try the system with where there is no recording, and plain
sounds, to see what features react to.

Voices are no human speech and carry no emotion that anyone meant; each only imitates a way of speaking by its pitch,
pace and loudness (source and filter, Fant 1960; formants after Peterson and Barney 1952).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy  # whose signal package is loaded when it is used: that takes half a second

from ser_core.audio import SAMPLE_RATE

# First three formants in Hz of the vowels in "father", "bed", "see", "law", "food".
VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
BANDWIDTHS = (80, 100, 140)  # Hz


@dataclass(frozen=True)
class Manner:
    """A way of speaking.

    Attributes:
        pitch: mean fundamental frequency in Hz.
        range: how far the pitch moves around it, as a fraction, 0..1.
        syllable_seconds: duration of a syllable.
        level: peak amplitude, 0..1.
        breath: share of noise in the voice, 0..1.
        melody: pitch of each syllable within the range, -1..1; also sets the number of syllables.
    """

    pitch: float
    range: float
    syllable_seconds: float
    level: float
    breath: float
    melody: tuple[float, ...]


EXAMPLES = {
    "Loud, fast and high": Manner(230, 0.35, 0.15, 0.9, 0.05, (0.2, 1.0, 0.6, 1.0, 0.1, 0.8, -0.6, -1.0)),
    "Quiet, slow and falling": Manner(140, 0.15, 0.34, 0.15, 0.25, (0.5, 0.3, 0.0, -0.4, -1.0)),
    "Even and calm": Manner(150, 0.06, 0.22, 0.4, 0.05, (0.3, 0.1, 0.2, 0.0, 0.1, -0.3, -1.0)),
}
"""Bundled examples by the name the app shows."""


def synthesize(manner: Manner, *, seed: int = 0) -> np.ndarray:
    """One utterance between two short silences.

    Returns:
        float32 `[samples]` at 16 kHz in ±1; the same for the same arguments.
    """
    noise = np.random.default_rng(seed)
    vowels = list(VOWELS.values())
    length = round(manner.syllable_seconds * SAMPLE_RATE)
    phase, syllables = 0.0, []
    for i, height in enumerate(manner.melody):
        following = manner.melody[min(i + 1, len(manner.melody) - 1)]
        pitch = manner.pitch * (1 + manner.range * np.linspace(height, (height + following) / 2, length))
        phases = phase + np.cumsum(pitch) / SAMPLE_RATE
        phase = float(phases[-1])
        voice = 2 * (phases % 1) ** 2 - 0.5  # a sawtooth with a soft opening: harmonics that fall with frequency
        sound = (1 - manner.breath) * voice + manner.breath * noise.standard_normal(length)
        for formant, bandwidth in zip(vowels[i % len(vowels)], BANDWIDTHS, strict=True):
            sound = (
                scipy.signal.lfilter(*scipy.signal.iirpeak(formant, formant / bandwidth, fs=SAMPLE_RATE), sound)
                + 0.1 * sound
            )
        syllables.append(sound * np.hanning(length) ** 0.5 / np.abs(sound).max())
    silence = np.zeros(round(0.3 * SAMPLE_RATE))
    utterance = np.concatenate((silence, *syllables, silence))
    utterance *= manner.level / np.abs(utterance).max()
    return (utterance + 1e-4 * noise.standard_normal(len(utterance))).astype(np.float32)


PLAIN_SECONDS = 2.0
FADE_SECONDS = 0.02  # at both ends of a plain sound, so that it doesn't click
HUM_HERTZ, HUM_HARMONICS = 220, 6
TONE_HERTZ, TONE_OCTAVES = 220, 3


def hum() -> np.ndarray:
    """An even hum: float32 `[samples]` at 16 kHz in ±1, as all plain sounds."""
    harmonics = np.arange(1, HUM_HARMONICS + 1)[:, None]
    return _plain((np.sin(2 * np.pi * HUM_HERTZ * harmonics * _seconds()) / harmonics).sum(axis=0))


def hiss() -> np.ndarray:
    """Noise that is stronger the higher the frequency; the same every time."""
    return _plain(np.diff(np.random.default_rng(0).standard_normal(len(_seconds()) + 1)))


def rising_tone() -> np.ndarray:
    """A pure tone that rises evenly in pitch."""
    octaves = TONE_OCTAVES * _seconds() / PLAIN_SECONDS
    return _plain(np.sin(2 * np.pi * np.cumsum(TONE_HERTZ * 2**octaves) / SAMPLE_RATE))


def _seconds() -> np.ndarray:
    return np.arange(round(PLAIN_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE


def _plain(sound: np.ndarray) -> np.ndarray:
    edge = np.minimum(_seconds(), PLAIN_SECONDS - _seconds()) / FADE_SECONDS
    return (0.4 * sound / np.abs(sound).max() * np.minimum(edge, 1)).astype(np.float32)


class PlainSound(NamedTuple):
    """A sound that nobody speaks: what it is, in a sentence, and the function that makes it."""

    says: str
    make: Callable[[], np.ndarray]


PLAIN_SOUNDS = {
    "Hum": PlainSound(f"An even hum of {HUM_HERTZ} Hz, an A, and {HUM_HARMONICS - 1} overtones, as a vowel has.", hum),
    "Hiss": PlainSound("Noise that is strongest at the top, as in an s.", hiss),
    "Rising tone": PlainSound(
        f"A whistle that rises {TONE_OCTAVES} octaves, from {TONE_HERTZ} to {TONE_HERTZ * 2**TONE_OCTAVES} Hz.",
        rising_tone,
    ),
}
"""By the name the app shows."""
