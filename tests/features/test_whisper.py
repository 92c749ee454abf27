"""Whisper's front end: against librosa, and blind to the level."""

import numpy as np
import pytest

from ser_core.audio.level import to_speech_level
from ser_core.audio.preprocess import load_audio
from ser_core.features.filterbanks import mel_filterbank
from ser_core.features.whisper import DYNAMIC_RANGE_DB, whisper_log_mel
from tests.helpers import tone
from tests.reference import librosa


@pytest.fixture(scope="module")
def voices(corpus, clips) -> list[np.ndarray]:
    """Waveforms of real clips."""
    return [load_audio(corpus.path(clip)) for clip in clips[:6]]


def published_front_end(waveform: np.ndarray, range_db: float) -> np.ndarray:
    """Whisper's log-mel spectrogram as its paper and code describe it, with librosa; there the range is 80 dB."""
    power = np.abs(librosa.stft(waveform, n_fft=400, hop_length=160, pad_mode="reflect"))[:, :-1] ** 2
    log = np.log10(np.maximum(librosa.filters.mel(sr=16_000, n_fft=400, n_mels=80) @ power, 1e-10))
    return (np.maximum(log, log.max() - range_db / 10) + 4) / 4


def test_filters_are_librosas():
    expected = librosa.filters.mel(sr=16_000, n_fft=400, n_mels=80)
    np.testing.assert_allclose(mel_filterbank(16_000, 400, 80, 8_000), expected, atol=1e-8)


@pytest.mark.parametrize("range_db", [DYNAMIC_RANGE_DB, 80.0])
def test_it_is_whispers_spectrogram_of_the_levelled_clip(voices, range_db, monkeypatch):
    monkeypatch.setattr("ser_core.features.whisper.DYNAMIC_RANGE_DB", range_db)
    for voice in voices:
        ours = whisper_log_mel(voice)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, published_front_end(to_speech_level(voice), range_db), atol=1e-4)


@pytest.mark.parametrize("gain_db", [-80, -40, -20, -6, 6, 20, 40])
def test_any_gain_gives_the_same(voices, gain_db):
    for voice in voices:
        louder = voice * np.float32(10 ** (gain_db / 20))
        np.testing.assert_allclose(whisper_log_mel(louder), whisper_log_mel(voice), atol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 100, 159, 160, 201, 399, 400, 401, 12_345])
def test_short_clips(samples):
    result = whisper_log_mel(tone(440, 1.0)[:samples])
    assert result.shape == (80, max(1, samples // 160))
    assert np.isfinite(result).all()


def test_long_clips_are_cut_at_thirty_seconds():
    long = np.tile(tone(300, 1.0), 31)
    assert whisper_log_mel(long).shape == (80, 3_000)


def test_silence_is_finite_and_flat():
    silence = whisper_log_mel(np.zeros(8_000, np.float32))
    assert np.ptp(silence) == 0
    assert np.isfinite(silence).all()
