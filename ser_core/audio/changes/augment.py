"""Random changes of a recording, for training a model that hears the voice, not the recording.

Half the clips get noise at 5 to 35 dB and half a random equalisation or band limit, the recipe with which a fine-tuned
encoder kept 88 % and more of its labels under telephone bands, gating and noise; rooms, gating, gain and speed come on
top. They are applied in the order in which they happen: the voice, the room, what else is heard in it, the microphone
and the line, the software, the level; of the result, a part may be cut out. SpecAugment and mixup are changes of
features, not of a waveform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.changes.codecs import through_codec
from ser_core.audio.changes.lines import (
    TELEPHONE_HZ,
    band_pass,
    equalize,
    less_bass,
    low_pass,
    random_bands,
    through_rate,
    tilt,
)
from ser_core.audio.changes.noise import NOISES, add_noise, babble
from ser_core.audio.changes.rooms import reverberate
from ser_core.audio.changes.spectral import change_pitch, change_speed, spectral_gate
from ser_core.audio.level import SILENT_DBFS, change_gain, within_full_scale
from ser_core.audio.vad import energy_intervals
from ser_core.errors import ConfigError

Range = tuple[float, float]
CODEC_BITRATES = {"opus": (12_000, 32_000), "mp3": (24_000, 64_000), "mulaw": (64_000, 64_000)}
RATES = (8_000, 11_025)  # Hz, of telephones and old recorders
LOW_PASS_HZ = (3_500, 6_000)
VOICE_TOP_DB = 30.0  # what is quieter than the loudest frame by more isn't the voice
LEAST_CROP = round(0.4 * SAMPLE_RATE)  # samples of a voice in which something can be heard of it


@dataclass(frozen=True)
class AugmentationConfig:
    """How much is changed.

    Each share, in 0..1, is that of the clips that get the change; each range, low and high, is drawn from evenly.

    Attributes:
        noise: some noise of `ser_core.audio.changes.noise.NOISES` behind the voice.
        snr_db: how far below the voice it is, in dB.
        spectrum: an equalisation or a band limit.
        band_limit: of those, the share that is a band limit, as over a telephone.
        max_eq_db: the most that a band of the equaliser changes, in dB, >= 0.
        room: echoes of a room.
        rt60: time in which they fade by 60 dB, in seconds.
        direct_to_reverberant_db: by how much what comes straight from the mouth is louder than the echoes, in dB.
        gate: spectral gating, as call software removes noise.
        gate_reduction_db: how far it turns down what it takes for noise, in dB.
        codec: opus, mp3 or G.711; ten times slower than all else, so by default none.
        gain: another level.
        gain_db: by how much, in dB; never so loud that it would clip.
        speed: another speed, pace and pitch together.
        speed_factor: 1.1 for 10 % faster.
        pitch: another pitch alone; by default none: it is what emotions differ in.
        pitch_semitones: by how much.
        crop: only a part of the clip, as Live hears who speaks on; by default none.
        crop_share: how much of the voice is in it, 0 to 1; never less than 0.4 s.
    """

    noise: float = 0.5
    snr_db: Range = (5.0, 35.0)
    spectrum: float = 0.5
    band_limit: float = 0.4
    max_eq_db: float = 12.0
    room: float = 0.2
    rt60: Range = (0.15, 0.8)
    direct_to_reverberant_db: Range = (0.0, 15.0)
    gate: float = 0.15
    gate_reduction_db: Range = (10.0, 40.0)
    codec: float = 0.0
    gain: float = 0.5
    gain_db: Range = (-30.0, 10.0)
    speed: float = 0.5
    speed_factor: Range = (0.9, 1.1)
    pitch: float = 0.0
    pitch_semitones: Range = (-2.0, 2.0)
    crop: float = 0.0
    crop_share: Range = (0.3, 0.9)

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(setting.default, tuple):
                object.__setattr__(self, setting.name, tuple(value))  # JSON makes lists of them
                if len(value) != 2 or not -math.inf < value[0] <= value[1] < math.inf:
                    raise ConfigError(f"{setting.name} is a range from low to high, not {value!r}.")
                continue
            if not isinstance(value, int | float):
                raise ConfigError(f"{setting.name} is a number, not {value!r}.")
            object.__setattr__(self, setting.name, float(value))  # 0 and 0.0 are one setting, in caches, too
            if setting.name != "max_eq_db" and not 0 <= value <= 1:
                raise ConfigError(f"{setting.name} is a share from 0 to 1, not {value:g}.")
        if not 0 <= self.max_eq_db < math.inf:
            raise ConfigError(f"max_eq_db is a number of decibels from 0 up, not {self.max_eq_db:g}.")
        for name in ("rt60", "speed_factor"):
            if getattr(self, name)[0] <= 0:
                raise ConfigError(f"{name} is above 0, not {getattr(self, name)[0]:g}.")
        if not 0 <= self.crop_share[0] <= self.crop_share[1] <= 1:
            raise ConfigError(f"crop_share is a range within 0 to 1, not {self.crop_share!r}.")


def augment(
    waveform: np.ndarray,
    rng: np.random.Generator,
    config: AugmentationConfig = AugmentationConfig(),
    *,
    voices: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Change a recording at random.

    Args:
        waveform: float32 `[samples]` at 16 kHz in ±1; it stays as it is.
        rng: where chance comes from: the same state gives the same result.
        config: how much is changed.
        voices: other clips, float32 `[samples]` each, for babble; synthetic voices without it.

    Returns:
        float32 in ±1, `[samples]`, or as many as the speed makes of them and the crop leaves.
    """

    def drawn(share: float) -> bool:
        return rng.random() < share

    if drawn(config.speed):
        waveform = change_speed(waveform, rng.uniform(*config.speed_factor))
    if drawn(config.pitch):
        waveform = change_pitch(waveform, rng.uniform(*config.pitch_semitones))
    voice = waveform
    if drawn(config.room):
        ratio = rng.uniform(*config.direct_to_reverberant_db)
        waveform = reverberate(waveform, rng, rt60=rng.uniform(*config.rt60), direct_to_reverberant_db=ratio)
    if drawn(config.noise):
        name = list(NOISES)[rng.integers(len(NOISES))]
        n_samples = len(waveform)
        noise = babble(n_samples, rng, voices) if name == "babble" else NOISES[name].make(n_samples, rng)
        waveform = add_noise(waveform, noise, rng.uniform(*config.snr_db))
    if drawn(config.spectrum):
        limited = drawn(config.band_limit)
        waveform = _band_limited(waveform, rng) if limited else _equalized(waveform, rng, config.max_eq_db)
    if drawn(config.gate):
        waveform = spectral_gate(
            waveform, threshold_db=rng.uniform(3, 10), reduction_db=rng.uniform(*config.gate_reduction_db)
        )
    if drawn(config.codec):
        name = list(CODEC_BITRATES)[rng.integers(len(CODEC_BITRATES))]
        waveform = through_codec(waveform, name, int(rng.integers(*CODEC_BITRATES[name], endpoint=True)))
    if drawn(config.gain):
        waveform = change_gain(waveform, rng.uniform(*config.gain_db))
    if config.crop and drawn(config.crop):
        waveform = waveform[part_of(voice, rng.uniform(*config.crop_share), rng)]
    return within_full_scale(waveform)


def part_of(voice: np.ndarray, share: float, rng: np.random.Generator) -> slice:
    """A part of a clip, of which no pause tells where the sentence ended.

    Half of the parts begin with the clip, as when somebody has just begun to speak; the others anywhere in the voice.

    Args:
        voice: float32 `[samples]` at 16 kHz, before noise and echoes hide where the voice is.
        share: of the voice, from its first sound to its last, that the part has; 0 to 1.
        rng: draws where it begins.

    Returns:
        its samples; all of them where no voice is loud enough to be found.
    """
    loud = energy_intervals(voice, top_db=VOICE_TOP_DB, floor_dbfs=SILENT_DBFS)
    if not len(loud):
        return slice(None)
    first, behind = int(loud[0, 0]), int(loud[-1, 1])
    length = min(max(round(share * (behind - first)), LEAST_CROP), behind - first)
    if rng.random() < 0.5:
        return slice(0, first + length)
    begin = int(rng.integers(first, behind - length, endpoint=True))
    return slice(begin, begin + length)


def _equalized(waveform: np.ndarray, rng: np.random.Generator, max_db: float) -> np.ndarray:
    match rng.integers(4):
        case 0:
            return tilt(waveform, rng.uniform(-max_db, max_db) / 4)  # over the four octaves that matter most
        case 1:
            return less_bass(waveform, min(max_db / 12, 1) * rng.uniform(0.3, 0.95))
        case _:
            return equalize(waveform, random_bands(rng, max_db))


def _band_limited(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    match rng.integers(3):
        case 0:
            low, high = TELEPHONE_HZ
            return band_pass(waveform, low * rng.uniform(0.5, 1.1), high * rng.uniform(0.9, 1.1))
        case 1:
            return low_pass(waveform, rng.uniform(*LOW_PASS_HZ))
        case _:
            return through_rate(waveform, RATES[rng.integers(len(RATES))])
