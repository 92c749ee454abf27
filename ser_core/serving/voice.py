"""Whether a recording holds a voice at all, or music, noise, a dial tone: whatever preprocessing a checkpoint has.

Training doesn't ask: there somebody speaks in every clip, and where silero misses a shout the loud parts stand for it
(`ser_core.audio.vad.by_silero`). A recording of any origin may hold no voice, and then no emotion is heard in it. Of
shouts that silero misses at its usual threshold it still hears most at a low one, and then nearly all of what is loud;
of other sounds it hears little. `python -m benchmarks non_speech` measures both.
"""

from __future__ import annotations

import numpy as np

from ser_core.audio.level import to_speech_level
from ser_core.audio.preprocess import AudioConfig, Speech
from ser_core.audio.vad import MIN_SPEECH_SECONDS, energy_intervals, silero_intervals, speech_seconds
from ser_core.errors import NoVoiceError

FAINT_THRESHOLD = 0.15  # of silero: what it takes for a voice at all
FAINT_SHARE = 0.6  # of the loud parts that it has to hear at that threshold
FAINT_SECONDS = 0.8  # that it has to hear at least: of anything that begins after silence it hears half a second
LOUD_DB = 30.0  # what is this far below the loudest isn't loud


def voice_intervals(speech: Speech, config: AudioConfig) -> np.ndarray:
    """Where a voice is recognised in the recording that speech was found in.

    Silero has to hear 0.2 s at the checkpoint's threshold; or, at a threshold of 0.15, 0.8 s and 0.6 of what is loud.
    It is asked anew only where the preprocessing didn't ask it, or it found nothing; then with the recording brought
    to one level, on which what it hears depends.

    Args:
        speech: as `ser_core.audio.preprocess.preprocess` found it.
        config: the preprocessing that found it.

    Returns:
        int64 `[n, 2]` of half-open sample intervals of `speech.audio`; n is 0 where there is no voice.
    """
    nobody = speech.intervals[:0]
    if len(speech.intervals) == 0 or (config.vad == "silero" and speech.recognized):
        return speech.intervals
    heard = to_speech_level(speech.audio)
    faint = silero_intervals(heard, threshold=FAINT_THRESHOLD)
    if speech_seconds(faint) < MIN_SPEECH_SECONDS:
        return nobody
    clear = silero_intervals(heard, threshold=config.vad_threshold)
    if speech_seconds(clear) >= MIN_SPEECH_SECONDS:
        return clear
    loud = energy_intervals(heard, top_db=LOUD_DB, floor_dbfs=config.vad_floor_dbfs)
    return faint if speech_seconds(faint) >= max(FAINT_SECONDS, FAINT_SHARE * speech_seconds(loud)) else nobody


def require_voice(speech: Speech, config: AudioConfig) -> Speech:
    """The speech itself, if a voice is recognised in its recording, see `voice_intervals`.

    Raises:
        NoVoiceError: there is none.
    """
    if len(voice_intervals(speech, config)) == 0:
        raise NoVoiceError(
            "No voice was recognised: this sounds like music, noise or a tone. Record somebody who speaks, close to "
            "the microphone."
        )
    return speech
