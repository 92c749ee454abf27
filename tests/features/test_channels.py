"""What is said of a channel holds for sounds that everybody knows."""

import numpy as np
import pytest

from ser_core.audio.preprocess import z_score
from ser_core.audio.synthetic import PLAIN_SOUNDS
from ser_core.features.config import FeatureConfig
from ser_core.features.spectral import spectral_features

CONFIG = FeatureConfig()
INNER = slice(5, -5)  # frames without the fades


@pytest.fixture(scope="module")
def means() -> dict[str, dict[str, float]]:
    """By sound and channel, the mean over time."""
    return {
        name: dict(
            zip(CONFIG.channel_names, spectral_features(z_score(sound.make()))[:, INNER].mean(axis=1), strict=True)
        )
        for name, sound in PLAIN_SOUNDS.items()
    }


def test_every_channel_says_what_it_is_in_a_sentence_of_its_own_with_its_unit_and_source():
    assert len(CONFIG.channels) == 27
    assert [channel.name for channel in CONFIG.channels] == list(CONFIG.channel_names)
    assert len({channel.says for channel in CONFIG.channels}) == 27
    for channel in CONFIG.channels:
        assert channel.says.endswith("."), channel.name
        assert channel.unit
        assert channel.source


def test_hisses_cross_zero_and_tilt_the_other_way(means):
    assert means["Hiss"]["ZCR"] > 10 * means["Hum"]["ZCR"]
    assert means["Hum"]["MFCC 1"] > 0 > means["Hiss"]["MFCC 1"]


def test_a_hum_has_its_pitch_class_and_a_hiss_all_of_them(means):
    chroma = [name for name in CONFIG.channel_names if name.startswith("chroma")]
    assert max(chroma, key=means["Hum"].__getitem__) == "chroma A"
    assert "220" in next(one.says for one in CONFIG.channels if one.name == "chroma A")
    assert min(means["Hiss"][name] for name in chroma) > 0.3


def test_a_rising_tone_goes_through_the_pitch_classes_and_crosses_zero_more_and_more():
    features = spectral_features(z_score(PLAIN_SOUNDS["Rising tone"].make()))[:, INNER]
    assert set(features[1:13].argmax(axis=0)) == set(range(12))
    assert (np.diff(features[0, ::20]) > 0).all()


def test_rms_and_the_first_coefficient_are_loudness():
    waveform = PLAIN_SOUNDS["Hum"].make()
    quiet, loud = spectral_features(waveform / 10), spectral_features(waveform)
    at = {name: CONFIG.channel_names.index(name) for name in ("RMS", "MFCC 0")}
    np.testing.assert_allclose(loud[at["RMS"], INNER], 10 * quiet[at["RMS"], INNER], rtol=1e-4)
    # 20 dB in each of 40 bands, over √40.
    np.testing.assert_allclose((loud - quiet)[at["MFCC 0"], INNER], 20 * np.sqrt(40), rtol=0.05)


@pytest.mark.parametrize("name", PLAIN_SOUNDS)
def test_plain_sounds_are_audible_and_the_same_every_time(name: str):
    sound = PLAIN_SOUNDS[name].make()
    np.testing.assert_array_equal(sound, PLAIN_SOUNDS[name].make())
    assert sound.dtype == np.float32
    assert len(sound) == 32_000
    assert np.abs(sound).max() == pytest.approx(0.4, abs=0.01)
    assert abs(sound[0]) < 0.01 > abs(sound[-1])
