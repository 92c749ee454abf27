"""What stands behind a voice: noise of several colours, and sounds of everyday life, all of them synthesised.

A noise is a function of a number of samples and a generator; it returns float32 `[samples]` of unit power. A new one is
such a function and a line in `NOISES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy  # whose signal package is loaded when it is used: that takes half a second

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.level import active_power
from ser_core.audio.synthetic import Manner, synthesize
from ser_core.once import once

LOWEST_HZ = 20.0  # of coloured noise; below it, the power of brown noise would go on rising, and no one hears it
# Long-term average spectrum of speech, rounded from Byrne et al. 1994: Hz, and dB at any reference.
SPEECH_HZ = (63, 100, 200, 500, 1000, 2000, 4000, 8000)
SPEECH_DB = (39, 54, 60, 62, 54, 49, 46, 44)
N_VOICES = 12  # of the babble


def add_noise(waveform: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Put noise behind a voice.

    Args:
        waveform: float32 `[samples]` at 16 kHz.
        noise: float32 `[at least one sample]` at 16 kHz, at any level; repeated where it is too short.
        snr_db: by how much the voice, while it speaks, is louder than the noise, in dB.
    """
    noise = np.resize(noise, len(waveform))
    noise_power = float(np.mean(np.square(noise, dtype=np.float64))) if len(noise) else 0.0
    if noise_power == 0:
        return waveform
    return waveform + noise * np.float32(np.sqrt(active_power(waveform) / noise_power * 10 ** (-snr_db / 10)))


def white(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """The same power at all frequencies."""
    return _unit_power(rng.standard_normal(n_samples, dtype=np.float32))


def pink(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """3 dB less an octave: as much power in each octave."""
    return _shaped(n_samples, rng, lambda hz: hz**-0.5)


def brown(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """6 dB less an octave: wind, distant traffic."""
    return _shaped(n_samples, rng, lambda hz: 1 / hz)


def speech_shaped(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """The average spectrum of speech: a crowd far away."""
    return _shaped(n_samples, rng, lambda hz: 10 ** (np.interp(np.log(hz), np.log(SPEECH_HZ), SPEECH_DB) / 20))


def hum(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Mains hum: 50 or 60 Hz and its harmonics."""
    order = np.arange(1, 13)[:, None]
    strengths, phases = rng.uniform(0.1, 1.0, order.shape) / order, rng.uniform(0, 2 * np.pi, order.shape)
    steps = 2 * np.pi * rng.choice([50, 60]) * np.arange(SAMPLE_RATE // 10) / SAMPLE_RATE  # 5 or 6 whole periods
    return _unit_power(np.resize((strengths * np.sin(order * steps + phases)).sum(axis=0), n_samples))


def fan(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """A fan: rushing air that throbs a little, and the tone of its blades."""
    seconds = np.arange(n_samples, dtype=np.float32) / SAMPLE_RATE
    knee, blades, turns = rng.uniform(200, 800), rng.uniform(80, 250), rng.uniform(5, 20)
    air = _shaped(n_samples, rng, lambda hz: 1 / (1 + (hz / knee) ** 2) ** 0.5)
    throb = 1 + 0.2 * np.sin(2 * np.pi * turns * seconds)
    tone = sum(np.sin(2 * np.pi * blades * k * seconds + rng.uniform(0, 6)) / k for k in (1, 2, 3))
    return _unit_power(air * throb + rng.uniform(0.05, 0.4) * tone)


def rain(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Rain: a hiss, and hundreds of drops a second."""
    hiss = _shaped(n_samples, rng, lambda hz: hz**0.25)
    return _unit_power(hiss + _unit_power(_events(n_samples, rng, rate=rng.uniform(100, 500), decay_seconds=0.002)))


def clicks(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """A keyboard or a mouse: a few clicks a second, at least one in all."""
    return _unit_power(_events(n_samples, rng, rate=rng.uniform(2, 8), decay_seconds=0.008))


def babble(n_samples: int, rng: np.random.Generator, voices: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Three to eight people who talk at once.

    Args:
        voices: what they say, float32 `[samples]` each, as clips of other speakers; synthetic voices without it.
    """
    mixture = np.zeros(n_samples, dtype=np.float32)
    voices = voices or _synthetic_voices()
    for i in rng.integers(len(voices), size=rng.integers(3, 9)):
        voice = np.roll(voices[i], rng.integers(len(voices[i])))
        power = active_power(voice)
        if power > 0:
            mixture += np.resize(voice, n_samples) * np.float32(rng.uniform(0.3, 1.0) / np.sqrt(power))
    return _unit_power(mixture)


class Noise(NamedTuple):
    """A noise: what pages call it, and the function."""

    label: str
    make: Callable[[int, np.random.Generator], np.ndarray]


NOISES = {
    "white": Noise("White noise", white),
    "pink": Noise("Pink noise", pink),
    "brown": Noise("Brown noise", brown),
    "speech": Noise("Speech-shaped noise", speech_shaped),
    "hum": Noise("Mains hum", hum),
    "babble": Noise("Babble", babble),
    "fan": Noise("Fan", fan),
    "rain": Noise("Rain", rain),
    "clicks": Noise("Clicks", clicks),
}
"""All noises by name."""


def _unit_power(noise: np.ndarray) -> np.ndarray:
    power = float(np.mean(np.square(noise, dtype=np.float64))) if len(noise) else 0.0
    return (noise / np.sqrt(power)).astype(np.float32) if power > 0 else noise.astype(np.float32)


def _shaped(n_samples: int, rng: np.random.Generator, amplitude: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Random phases under a spectrum: `amplitude` is a function of frequencies in Hz."""
    length = scipy.fft.next_fast_len(max(n_samples, 2), real=True)
    hz = scipy.fft.rfftfreq(length, 1 / SAMPLE_RATE).astype(np.float32)
    spectrum = scipy.fft.rfft(rng.standard_normal(length, dtype=np.float32))
    spectrum *= np.where(hz < LOWEST_HZ, 0, amplitude(np.maximum(hz, LOWEST_HZ))).astype(np.float32)
    return _unit_power(scipy.fft.irfft(spectrum, length)[:n_samples])


def _events(n_samples: int, rng: np.random.Generator, *, rate: float, decay_seconds: float) -> np.ndarray:
    """Short sounds at random times, each as strong as chance has it: `rate` a second, at least one."""
    n_events = max(1, rng.poisson(rate * n_samples / SAMPLE_RATE))
    times = np.zeros(n_samples, dtype=np.float32)
    times[rng.integers(n_samples, size=n_events)] = rng.lognormal(0, 0.5, n_events) * rng.choice([-1, 1], n_events)
    length = round(6 * decay_seconds * SAMPLE_RATE)
    sound = rng.standard_normal(length) * np.exp(-np.arange(length) / (decay_seconds * SAMPLE_RATE))
    return scipy.signal.oaconvolve(times, sound.astype(np.float32))[:n_samples]


@once
def _synthetic_voices() -> list[np.ndarray]:
    """Synthetic utterances of different pitch and pace, the same every time."""
    rng = np.random.default_rng(0)
    return [
        synthesize(
            Manner(
                pitch=rng.uniform(90, 260),
                range=rng.uniform(0.05, 0.35),
                syllable_seconds=rng.uniform(0.13, 0.3),
                level=0.5,
                breath=rng.uniform(0.03, 0.3),
                melody=tuple(rng.uniform(-1, 1, 10)),
            ),
            seed=i,
        )
        for i in range(N_VOICES)
    ]
