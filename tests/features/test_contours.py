"""Contours: the pitch of tones is theirs, level changes nothing, and noise and silence have no pitch."""

import itertools

import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.features.config import FeatureConfig
from ser_core.features.contours import CONTOURS, contours, has_pitch
from ser_core.features.inputs import network_inputs
from ser_core.features.pitch import (
    OCTAVE_JUMP_COST,
    ONSET_COST,
    VOICED,
    WINDOW,
    _cheapest_path,
    highest_peak,
    pitch_path,
)
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
    frames = centred_frames(voice(hertz), WINDOW, hop)
    octaves, height = pitch_path(frames, hop / SAMPLE_RATE, np.zeros(len(frames), bool))
    np.testing.assert_allclose(2 ** octaves[MIDDLE], hertz, rtol=0.01)
    assert height[MIDDLE].min() > 0.9


@pytest.mark.parametrize("hertz", range(76, 600, 29))
def test_the_path_takes_no_part_of_a_bright_tones_pitch(hertz: int):
    """Its peaks are narrow: between whole lags, one looks lower than that of half or a third of the pitch."""
    bright = np.asarray(sum(tone(hertz * k, 0.5) / k for k in range(1, 7500 // hertz)), np.float32)
    octaves, _ = pitch_path(centred_frames(bright, WINDOW, HOP), HOP / SAMPLE_RATE, np.zeros(1 + 8000 // HOP, bool))
    np.testing.assert_allclose(2 ** octaves[MIDDLE], hertz, rtol=0.01)


def test_the_path_has_no_pitch_in_noise_and_silence_and_says_so():
    noise = np.random.default_rng(0).normal(size=32_000).astype(np.float32)
    speech = np.concatenate((voice(150), 1e-4 * noise[:16_000], np.zeros(8_000, np.float32)))
    _, pitch, voicing = contours(speech, HOP, path=True)
    assert voicing[5:95].min() > 0.9
    assert not voicing[105:].any()
    assert not pitch[105:].any()
    assert contours(noise, HOP, path=True)[2].mean() < 0.01
    assert not contours(np.zeros(8_000, np.float32), HOP, path=True)[1:].any()


def test_a_voice_that_is_too_quiet_beside_the_rest_has_no_pitch():
    _, pitch, voicing = contours(np.concatenate((voice(150), 0.01 * voice(200))), HOP, path=True)
    assert voicing[5:95].min() > 0.9
    assert not voicing[105:].any()
    assert not pitch[105:].any()


def test_a_click_does_not_silence_the_voice():
    speech = 0.02 * voice(150, 3.0)
    clicked = speech.copy()
    clicked[24_000:24_010] = 1.0
    plain, other = (contours(one, HOP, path=True) for one in (speech, clicked))
    assert (plain[2] > 0).mean() > 0.97
    assert (other[2] > 0).mean() > 0.95


@pytest.mark.parametrize("weight", [0.3, 1.0, 2.5])
def test_the_cheapest_path_is_the_best_of_all(weight: float):
    rng = np.random.default_rng(round(10 * weight))
    for frames, candidates in ((1, 2), (2, 1), (4, 3), (5, 2)):
        octaves, strength = rng.normal(size=(frames, candidates)), rng.uniform(0, 1.2, (frames, candidates))

        def worth(path: tuple[int, ...], octaves=octaves, strength=strength, none=candidates) -> float:
            total = sum(VOICED if k == none else strength[i, k] for i, k in enumerate(path))
            for i, (k, then) in enumerate(itertools.pairwise(path)):
                if none in (k, then):
                    total -= weight * ONSET_COST * (k != then)
                else:
                    total -= weight * OCTAVE_JUMP_COST * abs(octaves[i, k] - octaves[i + 1, then])
            return total

        every = itertools.product(range(candidates + 1), repeat=frames)
        assert tuple(_cheapest_path(octaves, strength, weight)) == max(every, key=worth)


def test_longer_steps_make_a_jump_cheaper():
    # Two periods alternate: 150 and 300 Hz, each for 30 ms.
    speech = np.concatenate([voice(hertz, 0.03) for hertz in (150, 300)] * 20)
    frames = centred_frames(speech, WINDOW, HOP)

    def jumps(seconds: float) -> int:
        octaves, height = pitch_path(frames, seconds, np.zeros(len(frames), bool))
        voiced = height > 0
        return int((np.abs(np.diff(octaves))[voiced[1:] & voiced[:-1]] > 0.5).sum())

    assert jumps(0.001) < jumps(0.1)


def test_what_a_network_gets_follows_the_setting(corpus, clips):
    speech = corpus.load(clips[0])
    by_setting = [
        network_inputs(speech, ("contours",), "variable", FeatureConfig(mel_hop_length=HOP, pitch_path=path))[
            "contours"
        ]
        for path in (False, True)
    ]
    for path, got in zip((False, True), by_setting, strict=True):
        np.testing.assert_array_equal(got, contours(speech, HOP, path=path))
    assert np.abs(by_setting[0] - by_setting[1]).max() > 0.1


def test_long_speech_is_computed_in_blocks_that_change_nothing(monkeypatch: pytest.MonkeyPatch):
    speech = np.concatenate([voice(hertz, 0.5) for hertz in (120, 180, 240)])
    whole = [contours(speech, HOP, path=path) for path in (False, True)]
    monkeypatch.setattr("ser_core.features.pitch.BLOCK", 7)
    for path, expected in zip((False, True), whole, strict=True):
        np.testing.assert_allclose(contours(speech, HOP, path=path), expected, atol=1e-6)


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
