import numpy as np
import pytest

from ser_core.audio.preprocess import AudioConfig, preprocess
from ser_core.audio.synthetic import EXAMPLES, Manner, synthesize


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_audible_speech_and_the_same_every_time(name: str):
    audio = synthesize(EXAMPLES[name])
    np.testing.assert_array_equal(audio, synthesize(EXAMPLES[name]))
    assert audio.dtype == np.float32
    assert np.abs(audio).max() <= 1
    speech = preprocess(audio)
    assert speech.require().warnings == ()
    assert 0.5 < speech.seconds < len(audio) / 16_000


def test_a_voice_has_the_pitch_it_was_asked_for():
    audio = synthesize(Manner(pitch=200, range=0, syllable_seconds=0.5, level=0.5, breath=0, melody=(0, 0)))
    voice = preprocess(audio, AudioConfig(vad="energy")).waveform[2000:10000]
    correlation = np.correlate(voice, voice, "full")[len(voice) - 1 :]
    assert 16_000 / (40 + correlation[40:200].argmax()) == pytest.approx(200, rel=0.03)


def test_level_is_the_peak():
    assert np.abs(synthesize(Manner(150, 0.1, 0.2, 0.3, 0, (0, 0)))).max() == pytest.approx(0.3, abs=0.01)
