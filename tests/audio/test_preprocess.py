import inspect
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import soxr

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.level import QUIET_DBFS, change_gain, speech_level
from ser_core.audio.preprocess import (
    DIGITAL_SILENCE,
    AudioConfig,
    Pipeline,
    clipped_share,
    detect_speech,
    keep_intervals,
    load_audio,
    preprocess,
    read_audio,
    resample,
    to_mono,
    z_score,
)
from ser_core.audio.vad import ENERGY_FRAME_LENGTH, ENERGY_HOP_LENGTH, speech_seconds
from ser_core.errors import ConfigError, NoSpeechError
from tests.helpers import ROOT, tone
from tests.reference import librosa

ENERGY = AudioConfig(vad="energy")


def level(waveform: np.ndarray) -> float:
    """RMS of the middle half."""
    quarter = len(waveform) // 4
    return float(np.sqrt(np.mean(waveform[quarter:-quarter] ** 2)))


def test_mono_is_the_average_of_the_channels():
    left, right = tone(100, 0.1), tone(200, 0.1)
    np.testing.assert_allclose(to_mono(np.stack([left, right])), (left + right) / 2, atol=1e-7)
    np.testing.assert_allclose(to_mono(np.stack([left, -left])), 0, atol=1e-7)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_resampling_keeps_a_tone_in_the_band(rate: int):
    resampled = resample(tone(1000, 1, rate), rate)
    assert len(resampled) == SAMPLE_RATE
    np.testing.assert_allclose(resampled[2000:-2000], tone(1000, 1)[2000:-2000], atol=2e-3)


@pytest.mark.parametrize("rate", [44_100, 48_000, 192_000])
def test_resampling_kills_what_would_alias(rate: int):
    assert level(resample(tone(9_500, 1, rate), rate)) < 1e-4


def test_a_waveform_at_16_khz_is_left_alone():
    waveform = tone(1000, 0.1)
    assert resample(waveform, SAMPLE_RATE) is waveform


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_any_rate_and_channels_give_the_same_speech(rate: int, speech_like: np.ndarray):
    stereo = np.stack([resampled := librosa.resample(speech_like, orig_sr=16_000, target_sr=rate), resampled])
    loaded = load_audio(stereo, sample_rate=rate)
    assert np.corrcoef(loaded[1000:31000], speech_like[1000:31000])[0, 1] > 0.999


@pytest.mark.parametrize("top_db", [10, 20, 30, 40, 60])
def test_energy_detection_is_librosas(corpus, clips, top_db: int):
    for clip in clips[:40]:
        audio = load_audio(corpus.path(clip))
        expected = librosa.effects.split(
            audio, top_db=top_db, frame_length=ENERGY_FRAME_LENGTH, hop_length=ENERGY_HOP_LENGTH
        )
        np.testing.assert_array_equal(detect_speech(audio, AudioConfig(vad="energy", vad_top_db=top_db))[0], expected)


@pytest.mark.parametrize("vad", ["energy", "silero"])
def test_silence_around_and_inside_speech_is_dropped(corpus, clips, vad: str):
    speech = load_audio(corpus.path(clips[0]))
    pause = np.zeros(SAMPLE_RATE, np.float32)
    audio = np.concatenate([pause, speech, pause, speech, pause])
    intervals, recognized = detect_speech(audio, AudioConfig(vad=vad))
    assert recognized
    assert len(intervals) >= 2
    assert (intervals[:, 0] < intervals[:, 1]).all()
    assert (intervals[1:, 0] >= intervals[:-1, 1]).all()
    assert intervals[0, 0] > 0.8 * SAMPLE_RATE
    assert intervals[-1, 1] < len(audio) - 0.8 * SAMPLE_RATE
    middle = SAMPLE_RATE + len(speech) + SAMPLE_RATE // 2
    assert not any(start <= middle < end for start, end in intervals)
    assert len(keep_intervals(audio, intervals)) == pytest.approx(speech_seconds(intervals) * SAMPLE_RATE)


def test_silero_finds_speech_in_real_clips_and_falls_back_to_energy_for_shouts(corpus, clips):
    heard = {clip: preprocess(load_audio(corpus.path(clip))) for clip in clips}
    shares = [speech.seconds / clip.seconds for clip, speech in heard.items() if not clip.defect]
    assert min(shares) > 0
    assert 0.4 < np.mean(shares) < 0.8
    missed = [speech for speech in heard.values() if not speech.recognized]
    assert len(missed) >= 2
    for speech in missed:
        if speech.audio.any():
            assert speech.require().seconds > 0.2
            assert "No voice was recognised" in speech.warnings[-1]


@pytest.mark.parametrize("vad", ["energy", "silero", "none"])
def test_digital_silence_holds_no_speech(vad: str):
    speech = preprocess(np.zeros(2 * SAMPLE_RATE, np.float32), AudioConfig(vad=vad))
    assert len(speech.intervals) == len(speech.waveform) == 0
    with pytest.raises(NoSpeechError, match="silent"):
        speech.require()


def test_the_silent_clip_of_the_corpus_holds_no_speech(corpus):
    with pytest.raises(NoSpeechError, match="silent"):
        preprocess(load_audio(corpus.path("1076_MTI_SAD_XX"))).require()


def test_the_noise_of_a_muted_microphone_holds_no_speech():
    noise = np.random.default_rng(0).normal(0, 1e-4, 2 * SAMPLE_RATE).astype(np.float32)
    assert len(preprocess(noise).intervals) == 0


def test_too_little_speech_is_a_sentence():
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[8000:9000] = tone(300, 1000 / SAMPLE_RATE)
    with pytest.raises(NoSpeechError, match=r"at least 0.2 s"):
        preprocess(click).require()
    with pytest.raises(NoSpeechError):
        preprocess(click[:100]).require()


@pytest.mark.parametrize("pipeline", ["report", "voice"])
@pytest.mark.parametrize("gain_db", [-40, -60, -80])
def test_a_voice_that_is_far_too_quiet_is_brought_up(corpus, pipeline: Pipeline, gain_db: float):
    audio, config = load_audio(corpus.folder / "1001_IEO_ANG_HI.wav"), AudioConfig(pipeline=pipeline)
    loud, quiet = preprocess(audio, config), preprocess(change_gain(audio, gain_db), config)
    np.testing.assert_allclose(quiet.intervals, loud.intervals, atol=2048)
    (warning,) = set(quiet.warnings) - set(loud.warnings)
    level = speech_level(audio) + gain_db
    assert warning.startswith(f"The recording is very quiet ({level:.0f} dB; a voice usually has -50 to -10 dB)")


def test_no_clip_of_the_corpus_is_that_quiet(corpus, clips):
    levels = [speech_level(load_audio(corpus.path(clip))) for clip in clips if not clip.defect]
    assert min(levels) > QUIET_DBFS


@pytest.mark.parametrize("level", [-70, -100])
def test_too_quiet_is_not_called_silent(level: float):
    noise = np.random.default_rng(0).normal(0, 10 ** (level / 20), 2 * SAMPLE_RATE).astype(np.float32)
    with pytest.raises(NoSpeechError, match=rf"too quiet \({level} dB; .*turn it up"):
        preprocess(noise).require()


def test_a_moment_is_called_too_short():
    with pytest.raises(NoSpeechError, match=r"lasts 0\.00 s, and 0\.2 s are needed"):
        preprocess(np.zeros(1, np.float32)).require()


@pytest.mark.parametrize("vad", ["silero", "energy"])
@pytest.mark.parametrize(("gain", "offset"), [(1, 0.3), (1, -0.05), (0.1, 0.01), (0.1, 0.001)])
def test_a_constant_offset_changes_nothing_at_any_level(corpus, vad: str, gain: float, offset: float):
    audio, config = np.float32(gain) * load_audio(corpus.folder / "1001_IEO_ANG_HI.wav"), AudioConfig(vad=vad)
    expected, shifted = preprocess(audio, config), preprocess(audio + np.float32(offset), config)
    np.testing.assert_allclose(shifted.intervals, expected.intervals, atol=512)
    n = min(len(shifted.waveform), len(expected.waveform))
    assert np.corrcoef(shifted.waveform[:n], expected.waveform[:n])[0, 1] > 0.99


def test_clipping_is_a_warning(speech_like: np.ndarray):
    assert preprocess(speech_like, ENERGY).warnings == ()
    (warning,) = preprocess(np.clip(8 * speech_like, -1, 1), ENERGY).warnings
    assert "clipped" in warning


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("gain", [2, 5, 20])
def test_only_what_is_cut_is_clipped(corpus, rate: int, gain: float):
    """Floats may lie beyond full scale; a recording that is cut is no more all alike when it is resampled."""
    voice = soxr.resample(load_audio(corpus.path("1001_DFA_ANG_XX")), SAMPLE_RATE, rate)
    loud = gain * voice / np.abs(voice).max()
    for audio, clipped in (
        (loud, False),
        (np.clip(loud, -1, 1), True),
        (np.clip(loud, -1, 1 - 2**-15), True),
        (0.9 * loud / gain, False),
    ):
        warnings = preprocess(resample(audio.astype(np.float32), rate), ENERGY).warnings
        assert any("clipped" in warning for warning in warnings) == clipped
    assert clipped_share(np.clip(loud, -0.7 * gain, 0.7 * gain)) > 0.001  # floats that were cut elsewhere


def test_a_file_that_breaks_off_before_anybody_speaks_says_so(corpus, tmp_path):
    data = corpus.path("1001_DFA_ANG_XX").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[:3_000])
    audio, warnings = read_audio(tmp_path / "cut.wav")
    with pytest.raises(NoSpeechError, match=r"breaks off at 0\.1 s: what should follow is missing"):
        preprocess(audio, ENERGY, warnings).require()


def test_z_scores_have_mean_zero_and_variance_one(speech_like: np.ndarray):
    scored = z_score(3 * speech_like + 0.2)
    assert scored.dtype == np.float32
    assert scored.mean() == pytest.approx(0, abs=1e-6)
    assert scored.std() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(z_score(np.full(10, 0.3, np.float32)), 0)
    assert len(z_score(np.zeros(0, np.float32))) == 0


def test_loudness_does_not_matter_after_z_scoring(speech_like: np.ndarray):
    loud, quiet = (preprocess(gain * speech_like, ENERGY).waveform for gain in (1.0, 0.1))
    np.testing.assert_allclose(loud, quiet, atol=1e-4)


def test_what_is_around_speech_is_kept_if_asked_for(speech_like: np.ndarray):
    hiss = 1e-4 * np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    audio = np.concatenate([hiss, speech_like, hiss[:6_000], speech_like, hiss])
    tight, wide = (preprocess(audio, replace(ENERGY, vad_pad=pad, normalize=False)) for pad in (0.0, 0.25))
    np.testing.assert_array_equal(wide.intervals, tight.intervals)
    assert wide.seconds == tight.seconds == len(tight.waveform) / SAMPLE_RATE
    assert len(tight.intervals) == 2
    np.testing.assert_array_equal(wide.waveform, audio[tight.intervals[0, 0] - 4_000 : tight.intervals[1, 1] + 4_000])


@pytest.mark.parametrize("seconds", [(0.1234, 0), (0, 0.5), (1.001, 3.7)])
def test_digital_silence_around_a_recording_changes_nothing_of_the_voice(seconds, corpus, clips):
    """As editors and encoders put it there: it moved the frames of the detector, and one label of twelve."""
    before, after = (np.zeros(round(s * SAMPLE_RATE), np.float32) for s in seconds)
    config = AudioConfig(pipeline="voice", vad_pad=0.3)
    for clip in clips[:8]:
        audio = load_audio(corpus.path(clip))
        heard = np.flatnonzero(np.abs(audio) > DIGITAL_SILENCE * np.abs(audio).max())
        audio = audio[heard[0] : heard[-1] + 1]
        plain = preprocess(audio, config)
        padded = preprocess(np.concatenate((before, audio, after)), config)
        np.testing.assert_array_equal(padded.waveform, plain.waveform)
        np.testing.assert_array_equal(padded.intervals, plain.intervals + len(before))
        assert len(padded.audio) == len(before) + len(audio) + len(after)


def test_every_step_can_be_switched_off(speech_like: np.ndarray):
    speech = preprocess(speech_like, AudioConfig(vad="none", normalize=False))
    np.testing.assert_array_equal(speech.waveform, speech_like)
    np.testing.assert_array_equal(speech.intervals, [[0, len(speech_like)]])


@pytest.mark.parametrize(
    "settings",
    [
        {"pipeline": "loud"},
        {"noise_db": 0},
        {"noise_db": math.nan},
        {"vad": "loud"},
        {"vad_top_db": 0},
        {"vad_top_db": math.nan},
        {"vad_top_db": math.inf},
        {"vad_threshold": 1.5},
        {"vad_threshold": 0},
        {"vad_threshold": math.nan},
        {"vad_pad": -0.1},
        {"vad_pad": 3},
        {"vad_pad": math.nan},
        {"vad_floor_dbfs": 3},
        {"vad_floor_dbfs": -math.inf},
    ],
)
def test_settings_out_of_range_are_a_sentence(settings: dict):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        AudioConfig(**settings)


def test_the_default_detector_is_given_with_the_figures_of_its_trial():
    trial = (ROOT / "benchmarks" / "results" / "vad.txt").read_text(encoding="utf-8")
    assert "seeds 1, 2, 3" in trial
    measured = re.findall(r"against silero (\S+) points \(95 % interval over speakers (\S+) to (\S+)\)", trial)
    stated = re.findall(r"([+-]\S+) \((\S+) to (\S+)\)", inspect.getsource(AudioConfig))
    assert stated == measured
    assert len(measured) == 2
    assert AudioConfig().vad == "silero"
    assert all(float(low) < 0 < float(high) for _, low, high in measured)  # or else another would be the default
