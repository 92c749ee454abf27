"""Contours: the pitch of tones is theirs, level changes nothing, and noise and silence have no pitch."""

import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.features.config import FeatureConfig
from ser_core.features.contours import CONTOURS, contours, has_pitch
from ser_core.features.inputs import network_inputs
from ser_core.features.pitch import VOICED, WINDOW, _cheapest_path, highest_peak, pitch_path
from ser_core.features.spectrum import centred_frames
from tests.helpers import tone

HOP = 160
MIDDLE = slice(5, -5)  # frames that are wholly inside


def voice(hertz: float, seconds: float = 1.0) -> np.ndarray:
    """A tone with harmonics, each half as loud as the one below."""
    return np.asarray(sum(tone(hertz * k, seconds) / 2**k for k in range(1, 6)), np.float32)


@pytest.mark.parametrize("hertz", [80, 120, 200, 330, 500])
def test_the_pitch_of_a_tone_with_harmonics_is_its_own(hertz: float):
    octaves, height = highest_peak(centred_frames(voice(hertz), WINDOW, HOP))
    np.testing.assert_allclose(2 ** octaves[MIDDLE], hertz, rtol=0.01)
    assert height[MIDDLE].min() > 0.9


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).normal(size=32_000).astype(np.float32)
    _, of_noise, voicing = contours(noise, HOP)
    assert voicing.max() < VOICED
    assert not of_noise.any()
    assert not contours(np.zeros(8_000, np.float32), HOP)[1:].any()


def test_pitch_is_relative_to_the_clip_and_loudness_to_its_level():
    low, high = voice(120), voice(240)
    loudness, relative, voicing = contours(np.concatenate((low, high, high, high, low / 10)), HOP)
    np.testing.assert_allclose(relative[120:280], 0, atol=0.03)
    np.testing.assert_allclose(relative[10:90], -1, atol=0.03)
    np.testing.assert_allclose(loudness[120:380], 0, atol=0.1)
    np.testing.assert_allclose(loudness[410:490], -1, atol=0.1)
    assert voicing[110:390].min() > 0.9


@pytest.mark.parametrize("path", [False, True])
@pytest.mark.parametrize("gain", [1e-3, 0.1, 30.0])
def test_another_level_changes_nothing(gain: float, path: bool):
    speech = voice(150) * np.hanning(16_000).astype(np.float32) + voice(90) * 0.05
    louder = contours(speech * np.float32(gain), HOP, path=path)
    np.testing.assert_allclose(louder, contours(speech, HOP, path=path), atol=1e-3)


@pytest.mark.parametrize("hop", [160, 512])
@pytest.mark.parametrize("hertz", [80, 120, 200, 330, 500])
def test_the_path_of_a_tone_with_harmonics_is_its_pitch(hertz: float, hop: int):
    octaves, height = pitch_path(centred_frames(voice(hertz), WINDOW, hop), hop / SAMPLE_RATE)
    np.testing.assert_allclose(2 ** octaves[MIDDLE], hertz, rtol=0.01)
    assert height[MIDDLE].min() > 0.9


def test_the_path_has_no_pitch_in_noise_and_silence_and_says_so():
    noise = np.random.default_rng(0).normal(size=32_000).astype(np.float32)
    speech = np.concatenate((voice(150), 1e-4 * noise[:16_000], np.zeros(8_000, np.float32)))
    _, pitch, voicing = contours(speech, HOP, path=True)
    assert voicing[5:95].min() > 0.9
    assert not voicing[105:].any()
    assert not pitch[105:].any()
    assert contours(noise, HOP, path=True)[2].mean() < 0.01
    assert not contours(np.zeros(8_000, np.float32), HOP, path=True)[1:].any()


def test_a_voice_an_octave_higher_for_a_moment_is_followed_but_a_single_frame_is_not():
    octaves = np.zeros((9, 8))
    octaves[:, 1] = 1
    strength = np.full((9, 8), -9.0)
    strength[:, :2] = 0.8, 0.4
    strength[4, :2] = 0.8, 0.9  # one frame in which the octave above is a little stronger
    silence = np.full(9, 0.45)
    assert not _cheapest_path(octaves, strength, silence, 1.0).any()
    strength[3:7, :2] = 0.5, 0.9
    assert _cheapest_path(octaves, strength, silence, 1.0).tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0]
    strength[3:7] = 0.1
    assert _cheapest_path(octaves, strength, silence, 1.0).tolist() == [0, 0, 0, 8, 8, 8, 8, 0, 0]


def test_the_path_does_not_jump_where_single_frames_do(corpus, clips):
    def jumps(path: bool) -> float:
        found = []
        for clip in clips[:20]:
            _, pitch, voicing = contours(corpus.load(clip), HOP, path=path)
            voiced = has_pitch(voicing, path=path)
            found.append(np.abs(np.diff(pitch))[voiced[1:] & voiced[:-1]] > 0.25)
        return float(np.concatenate(found).mean())

    assert jumps(path=True) < 0.03
    assert jumps(path=False) > 0.1


@pytest.mark.parametrize("samples", [0, 1, 100, 700])
def test_the_path_of_next_to_nothing_has_its_frames(samples: int):
    found = contours(np.ones(samples, np.float32), HOP, path=True)
    assert found.shape == (len(CONTOURS), 1 + samples // HOP)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("samples", [1, 159, 160, 161, 16_000])
def test_they_have_as_many_frames_as_the_mel_spectrogram(samples: int):
    features = FeatureConfig(mel_hop_length=HOP)
    inputs = network_inputs(voice(150)[:samples], ("mel", "contours"), "variable", features)
    assert inputs["contours"].shape == (len(CONTOURS), inputs["mel"].shape[-1])
    assert inputs["contours"].dtype == np.float32
    assert np.isfinite(inputs["contours"]).all()
