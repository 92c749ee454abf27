"""From any audio to the speech a model hears.

    report  decode → mono by averaging → 16 kHz → voice activity detection drops silence → z-score
    voice   the same, but the voice is brought to one level before it is looked for, and gets a steady noise after

The first pipeline is the report's (section 2.3). It hears how loud a recording is and how silent the room was; the
second one doesn't: the detector depends on the level, and a silent background says where somebody was recorded.

Each step is a function; `preprocess` runs them with one frozen `AudioConfig`, which travels with the checkpoint, so
that training, the app, the live page and the command line treat audio alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.bandwidth import bandwidth, is_band_limited
from ser_core.audio.changes.noise import add_noise, pink
from ser_core.audio.downmix import to_mono as to_mono
from ser_core.audio.ffmpeg import DAMAGED
from ser_core.audio.level import FAINTEST_DBFS, QUIET_DBFS, speech_level, to_speech_level
from ser_core.audio.mono import load_audio as load_audio  # the first steps, which are imported from here
from ser_core.audio.mono import read_audio as read_audio
from ser_core.audio.mono import resample as resample
from ser_core.audio.vad import MIN_SPEECH_SECONDS, VAD_METHODS, Detected, speech_seconds
from ser_core.equality import ByContent
from ser_core.errors import ConfigError, NoSpeechError

CLIPPING_SHARE = 0.001  # of samples at full scale, from which clipping is worth a warning
FULL_SCALE = 0.9999
AROUND_FULL_SCALE = 0.05  # what resampling makes of samples that were cut, which then are not all alike
MOST_AROUND = 1.25
"""Samples around full scale for each one beyond it, from which they were cut there.

CREMA-D's clips have 0.3 to 1.2 where they are amplified 1.5 to 50 times as floats, and 1.6 to any number where they are
cut, also at other rates than 16 kHz.
"""

Pipeline = Literal["report", "voice"]
PIPELINES: tuple[Pipeline, ...] = get_args(Pipeline)

MAX_OFFSET = 0.02
"""Of the deviation: what the mean of a recording may be before it is taken out, whatever the level.

No clip of CREMA-D or RAVDESS has more than 0.016, so that nothing changes for them.
"""

DIGITAL_SILENCE = 1e-4  # of the largest sample: quieter than any room, -80 dB
DIGITAL_SECONDS = 0.1
"""Of digital silence, as editors and encoders put it before or after a recording, that are cut off.

It would move the frames of the voice activity detector, and the label with them. No clip of CREMA-D has as much.
"""

USUAL = "a voice usually has -50 to -10 dB"

MAX_PAD_SECONDS = 2.0
NOISE_SECONDS = 5  # of the steady noise, after which it begins anew


@dataclass(frozen=True)
class AudioConfig:
    """How a waveform becomes speech.

    Attributes:
        pipeline: `report`, or `voice`, in which neither the level nor a silent background is a cue.
        noise_db: `voice`; steady noise is added this far below the voice: what is quieter can't be heard; dB, > 0.
        vad: how silence is found: by `energy`, by the `silero` network (and by energy where that hears under 0.2 s
            of speech), or not at all (`none`).
        vad_top_db: energy; frames this many dB below the loudest are silence; number > 0.
        vad_floor_dbfs: energy; audio whose loudest frame lies below this level holds no speech; dB, < 0.
        vad_threshold: silero; speech probability that counts as speech, in 0..1.
        vad_pad: what is kept before and after speech, of which the first and last sounds are soft; seconds, 0 to 2.
        normalize: whether the speech is z-scored (zero mean, unit variance).
    """

    pipeline: Pipeline = "report"
    noise_db: float = 50.0
    # A paired trial over three seeds finds none better beyond chance (benchmarks/results/vad.txt). Against silero, in
    # points of accuracy: energy +0.6 (-1.4 to +2.7), none +1.8 (-0.4 to +4.1). Silero stays: it knows a voice.
    vad: str = "silero"
    vad_top_db: float = 30.0
    vad_floor_dbfs: float = -65.0
    vad_threshold: float = 0.5
    vad_pad: float = 0.0
    normalize: bool = True

    def __post_init__(self) -> None:
        if self.pipeline not in PIPELINES:
            raise ConfigError(f"pipeline is one of {', '.join(PIPELINES)}, not {self.pipeline!r}.")
        if not 0 < self.noise_db < math.inf:
            raise ConfigError(f"noise_db is a number of decibels above 0, not {self.noise_db}.")
        if self.vad not in VAD_METHODS:
            raise ConfigError(f"vad is one of {', '.join(VAD_METHODS)}, not {self.vad!r}.")
        if not 0 < self.vad_top_db < math.inf:
            raise ConfigError(f"vad_top_db is a number of decibels above 0, not {self.vad_top_db}.")
        if not -math.inf < self.vad_floor_dbfs < 0:
            raise ConfigError(f"vad_floor_dbfs is a level below full scale (under 0 dB), not {self.vad_floor_dbfs}.")
        if not 0 < self.vad_threshold < 1:
            raise ConfigError(f"vad_threshold is a probability between 0 and 1, not {self.vad_threshold}.")
        if not 0 <= self.vad_pad <= MAX_PAD_SECONDS:
            raise ConfigError(f"vad_pad is a number of seconds from 0 to {MAX_PAD_SECONDS:g}, not {self.vad_pad}.")


@dataclass(frozen=True, eq=False)
class Speech(ByContent):
    """What `preprocess` found.

    Attributes:
        waveform: float32 `[samples]` at 16 kHz: the speech alone, z-scored if the configuration says so.
        audio: float32 `[samples]` at 16 kHz in ±1: the whole recording, before silence was dropped; around 0.
        intervals: int64 `[n, 2]`: the half-open sample intervals of `audio` in which speech was found: `waveform`
            consists of them, and of what is kept around them (`AudioConfig.vad_pad`).
        recognized: whether the voice activity detector itself found them, see `detect_speech`.
        warnings: sentences about what may make a prediction unreliable.
    """

    waveform: np.ndarray
    audio: np.ndarray
    intervals: np.ndarray
    recognized: bool = True
    warnings: tuple[str, ...] = field(default=())

    @property
    def seconds(self) -> float:
        """Duration of the speech that was found."""
        return speech_seconds(self.intervals)

    def require(self) -> Speech:
        """Itself, if it holds enough speech to classify.

        Raises:
            NoSpeechError: silence, or less than 0.2 s of speech.
        """
        if len(self.intervals) == 0:
            raise NoSpeechError(f"No speech was found: {self._why_none()}{self._damage()}")
        if self.seconds < MIN_SPEECH_SECONDS:
            raise NoSpeechError(
                f"Only {self.seconds:.2f} s of speech was found; at least {MIN_SPEECH_SECONDS} s are needed."
                f"{self._damage()}"
            )
        return self

    def _damage(self) -> str:
        return "".join(f" {warning}" for warning in self.warnings if warning.startswith(DAMAGED))

    def _why_none(self) -> str:
        if len(self.audio) < MIN_SPEECH_SECONDS * SAMPLE_RATE:
            return f"the recording lasts {len(self.audio) / SAMPLE_RATE:.2f} s, and {MIN_SPEECH_SECONDS} s are needed."
        level = speech_level(self.audio)
        if level == -np.inf:  # also where there are numbers, too small to have a power
            return "the recording is silent. Check the microphone and speak up."
        if level < QUIET_DBFS:
            return f"the recording is too quiet ({level:.0f} dB; {USUAL}). Come closer, or turn it up."
        return "nobody speaks in the recording."


NO_SPEECH = Speech(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros((0, 2), np.int64))
"""Stands for speech whose sound isn't kept."""


def without_offset(audio: np.ndarray) -> np.ndarray:
    """`[samples]` around 0, if they plainly aren't: some sound cards add a constant, which hides pauses."""
    if not len(audio):
        return audio
    offset, deviation = float(audio.mean(dtype=np.float64)), float(audio.std(dtype=np.float64))
    return audio - np.float32(offset) if abs(offset) > MAX_OFFSET * deviation else audio


def sounding(audio: np.ndarray) -> slice:
    """The samples of `[samples]` without the digital silence around them, if there is as much as 0.1 s of it."""
    level = np.abs(audio)
    heard = np.flatnonzero(level > DIGITAL_SILENCE * level.max(initial=0))
    if not len(heard):
        return slice(0, len(audio))
    first, behind = int(heard[0]), int(heard[-1]) + 1
    enough = DIGITAL_SECONDS * SAMPLE_RATE
    return slice(first if first >= enough else 0, behind if len(audio) - behind >= enough else len(audio))


def heard_part(audio: np.ndarray, config: AudioConfig) -> slice:
    """The samples of a recording `[samples]` in which speech is looked for: of the `voice` pipeline, see `sounding`."""
    cut = config.pipeline == "voice" and config.vad != "none"
    return sounding(audio) if cut else slice(0, len(audio))


def detect_speech(waveform: np.ndarray, config: AudioConfig = AudioConfig()) -> Detected:
    """Find speech with the configured detector.

    Args:
        waveform: float32 `[samples]` at 16 kHz, in ±1.

    """
    return VAD_METHODS[config.vad].detect(waveform, config)


Detect: TypeAlias = Callable[[np.ndarray, AudioConfig], Detected]
"""What finds speech, as `detect_speech`."""


def padded(intervals: np.ndarray, samples: int, length: int) -> np.ndarray:
    """Intervals `[n, 2]` that begin and end `samples` further out, within a waveform's `length`; which then touch are
    joined."""
    if not samples or not len(intervals):
        return intervals
    wide = np.clip(intervals + np.array([-samples, samples]), 0, length)
    first = np.concatenate(([True], wide[1:, 0] > wide[:-1, 1]))
    return np.stack((wide[first, 0], wide[np.roll(first, -1), 1]), axis=1)


def keep_intervals(waveform: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Join the given intervals of `[samples]`; with no interval, nothing is left."""
    pieces = [waveform[start:end] for start, end in intervals]
    return np.concatenate(pieces) if pieces else waveform[:0]


def z_score(waveform: np.ndarray) -> np.ndarray:
    """Shift to zero mean and scale to unit variance; a constant waveform becomes zeros."""
    if not len(waveform):
        return waveform
    centred = waveform - float(waveform.mean(dtype=np.float64))
    deviation = float(centred.std())
    return centred / deviation if deviation > 1e-8 else np.zeros_like(centred)


def preprocess(
    audio: np.ndarray,
    config: AudioConfig = AudioConfig(),
    warnings: Sequence[str] = (),
    detect: Detect = detect_speech,
) -> Speech:
    """Drop silence and z-score what is left, see `AudioConfig.pipeline`.

    Nothing is refused here: a recording without speech gives an empty `Speech`. Call `Speech.require()` where
    speech is needed.

    Args:
        audio: float32 `[samples]` at 16 kHz in ±1, as `load_audio` returns it.
        config: which steps, with what parameters.
        warnings: what is known to be wrong with the recording, see `read_audio`; the speech has them too.
        detect: finds speech as `detect_speech` does, and may remember it, see `ser_core.audio.detections`.
    """
    of_voice, audio = config.pipeline == "voice", without_offset(audio)
    part = heard_part(audio, config)
    heard = audio[part]
    level = speech_level(heard)
    brought_up = level < QUIET_DBFS and config.vad == "silero"
    if of_voice or brought_up:
        heard = to_speech_level(heard)
    intervals, recognized = detect(heard, config)
    # Of what was brought up, loud parts that are no voice are the recorder's noise.
    if (of_voice and level < FAINTEST_DBFS) or (brought_up and not recognized):
        intervals = intervals[:0]
    speech = keep_intervals(heard, padded(intervals, round(config.vad_pad * SAMPLE_RATE), len(heard)))
    if of_voice:
        speech = add_noise(speech, _steady_noise(), config.noise_db)
    return Speech(
        waveform=z_score(speech) if config.normalize else speech,
        audio=audio,
        intervals=intervals + part.start,
        recognized=recognized,
        warnings=(*warnings, *_warnings(audio, level, recognized)),
    )


@cache
def _steady_noise() -> np.ndarray:
    """The same for every recording."""
    return pink(NOISE_SECONDS * SAMPLE_RATE, np.random.default_rng(0))


def clipped_share(audio: np.ndarray) -> float:
    """Which share of `[samples]` was cut at full scale, or is there by chance; 0..1.

    Floats may lie beyond it and not be cut, or be cut elsewhere: there, their own largest value is full scale.
    """
    if not len(audio):
        return 0.0
    level = np.abs(audio)
    beyond = int((level >= 1 + AROUND_FULL_SCALE).sum())
    around = int((level >= 1 - AROUND_FULL_SCALE).sum()) - beyond
    limit = FULL_SCALE if around >= MOST_AROUND * beyond else FULL_SCALE * float(level.max())
    return float((level >= limit).mean())


def _warnings(audio: np.ndarray, level: float, recognized: bool) -> list[str]:
    warnings = []
    clipped = clipped_share(audio)
    if clipped >= CLIPPING_SHARE:
        warnings.append(
            f"The recording is clipped ({clipped:.1%} of its samples at full scale): lower the input level."
        )
    if FAINTEST_DBFS <= level < QUIET_DBFS:
        warnings.append(f"The recording is very quiet ({level:.0f} dB; {USUAL}): it is turned up, and its noise too.")
    if is_band_limited(hz := bandwidth(audio)):
        warnings.append(
            f"The recording has no sound above {hz / 1000:g} kHz, as over a telephone or from a small file: the answer "
            "is less certain."
        )
    if not recognized:
        warnings.append("No voice was recognised, so the loud parts were taken for one: a shout, or no voice at all.")
    return warnings
