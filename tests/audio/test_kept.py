import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.kept import in_recording, kept_intervals, part_of
from ser_core.audio.preprocess import AudioConfig, preprocess

KEPT = np.array([[100, 200], [500, 600], [900, 1000]])


@pytest.mark.parametrize(
    ("samples", "there"), [([0, 99, 100, 250], [100, 199, 500, 950]), ([-5, 299, 400], [100, 999, 999]), ([], [])]
)
def test_samples_of_the_speech_lie_where_they_were_cut_out(samples: list[int], there: list[int]):
    assert in_recording(KEPT, np.array(samples, float)).tolist() == there


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [(0, 300, KEPT.tolist()), (50, 150, [[150, 200], [500, 550]]), (100, 200, [[500, 600]]), (120, 130, [[520, 530]])],
)
def test_a_part_of_the_speech_comes_from_these_intervals(start: int, end: int, part: list[list[int]]):
    assert part_of(KEPT, start, end).tolist() == part


@pytest.mark.parametrize("config", [AudioConfig(normalize=False), AudioConfig(normalize=False, vad_pad=0.3)])
def test_the_speech_is_what_the_recording_has_there(corpus, config: AudioConfig):
    audio = corpus.load("1001_DFA_ANG_XX")
    speech = preprocess(np.concatenate((audio, np.zeros(2 * SAMPLE_RATE, np.float32), audio)), config)
    kept = kept_intervals(speech, config)
    assert len(kept) > 1
    there = in_recording(kept, np.arange(len(speech.waveform))).astype(int)
    np.testing.assert_array_equal(speech.audio[there], speech.waveform)


def test_digital_silence_around_a_recording_is_no_part_of_its_speech(corpus):
    """Which has to be cut out before the speech gets what is kept around it, and moves all that comes after."""
    config = AudioConfig("voice", vad="energy", vad_pad=1.0)
    silence = np.zeros(SAMPLE_RATE // 2, np.float32)
    audio = np.concatenate((silence, corpus.load("1001_DFA_ANG_XX"), silence))
    speech = preprocess(audio, config)
    kept = kept_intervals(speech, config)
    assert (kept[:, 1] - kept[:, 0]).sum() == len(speech.waveform)
    assert kept[0, 0] >= len(silence)
    assert kept[-1, 1] <= len(audio) - len(silence)
