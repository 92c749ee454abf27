"""The `voice` pipeline: neither the level nor a silent background is a cue."""

import numpy as np
import pytest

from ser_core.audio.changes.noise import add_noise, pink
from ser_core.audio.level import SPEECH_LEVEL_DBFS, change_gain, speech_level, to_speech_level
from ser_core.audio.preprocess import AudioConfig, load_audio, preprocess
from tests.helpers import tone

VOICE, REPORT = AudioConfig(pipeline="voice"), AudioConfig()


@pytest.fixture(scope="module")
def voices(corpus, clips) -> list[np.ndarray]:
    return [load_audio(corpus.path(clip)) for clip in clips if not clip.defect][::8]


@pytest.mark.parametrize("gain_db", [-40, -20, 20])
def test_any_gain_gives_the_same_speech(voices, gain_db):
    moved = 0
    for voice in voices:
        quiet, usual = preprocess(change_gain(voice, gain_db), VOICE), preprocess(voice, VOICE)
        np.testing.assert_array_equal(quiet.intervals, usual.intervals)
        np.testing.assert_allclose(quiet.waveform, usual.waveform, atol=1e-4)
        before = preprocess(change_gain(voice, gain_db), REPORT)
        moved += not np.array_equal(before.intervals, preprocess(voice, REPORT).intervals)
    assert moved > len(voices) / 4, "the report's pipeline depends on the level"


def test_a_silent_room_sounds_like_one_that_is_not(voices):
    """Two backgrounds, digital silence and one 60 dB below the voice, differ by less after the steady noise."""
    change = {"voice": 0.0, "report": 0.0}
    for voice in voices:
        gated = np.where(np.abs(voice) < 0.02 * np.abs(voice).max(), 0, voice).astype(np.float32)
        noisy = add_noise(gated, pink(len(gated), np.random.default_rng(1)), 60)
        for pipeline in change:
            config = AudioConfig(pipeline=pipeline, vad="none")  # type: ignore[arg-type]
            levels = [
                np.log10(
                    np.square(preprocess(sound, config).waveform[: len(voice) // 160 * 160]).reshape(-1, 160).mean(1)
                    + 1e-9
                )
                for sound in (gated, noisy)
            ]
            change[pipeline] += float(np.abs(levels[0] - levels[1]).mean())
    assert change["voice"] < change["report"] / 3


def _levels(waveform: np.ndarray) -> np.ndarray:
    """Logarithm of the power of each 10 ms."""
    frames = waveform[: len(waveform) // 160 * 160].reshape(-1, 160)
    return np.log10(np.square(frames).mean(axis=1) + 1e-9)


def test_the_level_is_the_voices_whatever_the_pauses():
    voice = tone(220, 1.0)
    for sound in (voice, np.concatenate((np.zeros(48_000, np.float32), voice, np.zeros(16_000, np.float32)))):
        levelled = to_speech_level(change_gain(sound, -30))
        assert speech_level(levelled) == pytest.approx(SPEECH_LEVEL_DBFS, abs=0.01)
        assert np.abs(levelled).max() == pytest.approx(np.abs(to_speech_level(voice)).max(), rel=0.05)


@pytest.mark.parametrize("gain_db", [-200, -96])
def test_what_a_recorder_adds_to_silence_is_no_speech(gain_db):
    noise = change_gain(pink(32_000, np.random.default_rng(0)), gain_db)
    assert preprocess(noise, VOICE).seconds == 0
    assert preprocess(np.zeros(16_000, np.float32), VOICE).seconds == 0
    assert preprocess(np.zeros(0, np.float32), VOICE).seconds == 0
