from typing import Any

import numpy as np
import pytest

from ser_core.audio.preprocess import load_audio, preprocess
from ser_core.errors import ConfigError
from ser_core.features.config import FeatureConfig
from ser_core.features.filterbanks import chroma_filterbank, mel_filterbank, mel_frequencies
from ser_core.features.inputs import network_inputs
from ser_core.features.mel import log_mel, mel_image, scale_mel
from ser_core.features.spectral import fix_frames, mean_over_time, spectral_features
from tests.helpers import tone
from tests.reference import librosa

CONFIG = FeatureConfig()
FRAMES: dict[str, Any] = {"n_fft": 512, "hop_length": 160}
FRAMED: dict[str, Any] = {"frame_length": 512, "hop_length": 160}


@pytest.fixture(scope="module")
def waveforms(corpus, clips) -> list[np.ndarray]:
    """Speech of real clips, and of odd signals."""
    noise = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
    odd = [noise, tone(440, 0.3), np.zeros(5_000, np.float32), noise[:100], noise[:1]]
    return [preprocess(load_audio(corpus.path(clip))).waveform for clip in clips[:8]] + odd


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("n_fft", [256, 512, 1024])
@pytest.mark.parametrize("n_mels", [20, 40, 64])
def test_mel_filters_are_librosas(n_fft: int, n_mels: int):
    expected = librosa.filters.mel(sr=16_000, n_fft=n_fft, n_mels=n_mels)
    np.testing.assert_allclose(mel_filterbank(16_000, n_fft, n_mels, 8_000), expected, atol=1e-8)
    assert mel_frequencies(n_mels, 8_000) == pytest.approx(
        librosa.mel_frequencies(n_mels + 2, fmin=0, fmax=8_000)[1:-1]
    )


@pytest.mark.parametrize("n_fft", [256, 512, 2048])
def test_chroma_filters_are_librosas(n_fft: int):
    np.testing.assert_allclose(
        chroma_filterbank(16_000, n_fft, 12), librosa.filters.chroma(sr=16_000, n_fft=n_fft), atol=1e-6
    )


def test_zero_crossing_rate_is_librosas(waveforms):
    for waveform in waveforms:
        expected = librosa.feature.zero_crossing_rate(waveform, **FRAMED)
        np.testing.assert_allclose(spectral_features(waveform)[0:1], expected, atol=1e-7)


@pytest.mark.filterwarnings("ignore:n_fft")
def test_chroma_is_librosas(waveforms):
    for waveform in waveforms:
        expected = librosa.feature.chroma_stft(y=waveform, sr=16_000, tuning=0.0, **FRAMES)
        np.testing.assert_allclose(spectral_features(waveform)[1:13], expected, atol=1e-4)


@pytest.mark.filterwarnings("ignore:n_fft")
def test_mfcc_is_librosas(waveforms):
    for waveform in waveforms:
        expected = librosa.feature.mfcc(y=waveform, sr=16_000, n_mfcc=13, n_mels=40, **FRAMES)
        np.testing.assert_allclose(spectral_features(waveform)[13:26], expected, atol=1e-3)


def test_rms_is_librosas(waveforms):
    for waveform in waveforms:
        expected = librosa.feature.rms(y=waveform, **FRAMED)
        np.testing.assert_allclose(spectral_features(waveform)[26:27], expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:n_fft")
def test_log_mel_is_librosas(waveforms):
    for waveform in waveforms:
        power = librosa.feature.melspectrogram(y=waveform, sr=16_000, n_fft=1024, hop_length=256, n_mels=64, fmax=8_000)
        np.testing.assert_allclose(log_mel(waveform), librosa.power_to_db(power, ref=np.max), atol=1e-3)


def test_each_window_makes_a_spectrogram_of_its_own(waveforms):
    config = FeatureConfig(mel_n_fft=512, mel_hop_length=160, mel_windows=(1024, 2048))
    for waveform in waveforms:
        inputs = network_inputs(waveform, ("mel",), "variable", config)["mel"]
        for window, found in zip((512, 1024, 2048), inputs, strict=True):
            alone = FeatureConfig(mel_n_fft=window, mel_hop_length=160)
            np.testing.assert_array_equal(found, network_inputs(waveform, ("mel",), "variable", alone)["mel"][0])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"mel_windows": (2048, 511)}, "mel_windows are even"),
        ({"mel_windows": (0,)}, "above 0 and up to 65,536, not 0"),
        ({"mel_windows": (70_000,)}, "not 70000"),
        ({"mel_windows": (512, 512)}, "all different"),
        ({"mel_windows": (1024,)}, "none of them mel_n_fft"),
        ({"mel_windows": tuple(range(2, 20, 2))}, "at most 8"),
    ],
)
def test_windows_that_there_can_not_be_are_refused(settings: dict, sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        FeatureConfig(**settings)


def test_shapes_and_ranges(waveforms):
    for waveform in waveforms:
        spectral = spectral_features(waveform)
        assert spectral.shape == (27, 1 + len(waveform) // 160)
        assert len(CONFIG.channel_names) == 27
        assert 0 <= spectral[:13].min() <= spectral[:13].max() <= 1
        decibels = log_mel(waveform)
        assert decibels.shape == (64, 1 + len(waveform) // 256)
        assert -80.001 <= decibels.min() <= decibels.max() == 0
        image = mel_image(decibels)
        assert image.shape == (1, 64, 64)
        assert 0 <= image.min() <= image.max() <= 1
        for array in (spectral, decibels, image, scale_mel(decibels)):
            assert array.dtype == np.float32
            assert np.isfinite(array).all()


def test_three_seconds_are_301_frames():
    spectral = spectral_features(tone(440, 3))
    assert spectral.shape == (27, 301)
    np.testing.assert_array_equal(fix_frames(spectral), spectral)


def test_longer_is_cut_and_shorter_is_padded_with_zeros():
    features = np.arange(27 * 400, dtype=np.float32).reshape(27, 400) + 1
    np.testing.assert_array_equal(fix_frames(features), features[:, :301])
    padded = fix_frames(features[:, :100])
    np.testing.assert_array_equal(padded[:, :100], features[:, :100])
    np.testing.assert_array_equal(padded[:, 100:], 0)


def test_the_single_channel_form_is_the_mean_over_time():
    features = spectral_features(tone(440, 1))
    assert mean_over_time(features).shape == (1, 27)
    np.testing.assert_allclose(mean_over_time(features)[0], features.mean(axis=1))


def test_a_tone_lights_its_pitch_class_and_its_mel_band():
    spectral = spectral_features(tone(880, 1))
    assert CONFIG.channel_names[1 + spectral[1:13].mean(axis=1).argmax()] == "chroma A"
    loudest = log_mel(tone(2_000, 1)).mean(axis=1).argmax()
    assert mel_frequencies(64, 8_000)[loudest] == pytest.approx(2_000, rel=0.05)


def test_zero_crossings_of_a_tone_are_twice_its_frequency():
    middle = spectral_features(tone(1_000, 1))[0, 20:-20]
    np.testing.assert_allclose(middle, 2 * 1_000 / 16_000, atol=2 / 512)


def test_the_image_keeps_time_and_frequency_where_they_are():
    click = np.zeros(32_000, np.float32)
    click[24_000:24_400] = tone(3_000, 400 / 16_000)
    image = mel_image(log_mel(click))[0]
    band, column = np.unravel_index(image.argmax(), image.shape)
    assert column / 64 == pytest.approx(24_200 / 32_000, abs=0.03)
    assert mel_frequencies(64, 8_000)[band] == pytest.approx(3_000, rel=0.06)


def test_the_image_skips_no_frame():
    decibels = np.full((64, 640), -80, np.float32)
    for frame in (0, 333, 639):
        single = decibels.copy()
        single[:, frame] = 0
        assert mel_image(single).max() > 0.03


def test_mel_bands_reach_no_higher_than_half_the_rate():
    assert CONFIG.mel_fmax == 10_000
    assert CONFIG.fmax == 8_000
    assert (mel_filterbank(16_000, 1024, 64, CONFIG.fmax).max(axis=1) > 0).all()


@pytest.mark.parametrize("settings", [{"hop_length": 0}, {"n_mfcc": 41}, {"frame_length": 511}, {"n_mels": -1}])
def test_settings_out_of_range_are_a_sentence(settings: dict):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        FeatureConfig(**settings)


def test_other_settings_are_followed():
    config = FeatureConfig(n_mfcc=20, hop_length=320, n_mels=32, image_size=16)
    assert spectral_features(tone(440, 1), config).shape == (34, 51)
    assert log_mel(tone(440, 1), config).shape[0] == 32
    assert mel_image(log_mel(tone(440, 1), config), config).shape == (1, 16, 16)
