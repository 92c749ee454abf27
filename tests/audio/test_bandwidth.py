"""Where a recording's spectrum ends: real clips as they are, and through what telephones and small files do."""

from collections import Counter

import numpy as np
import pytest

from ser_core.audio.bandwidth import bandwidth, is_band_limited
from ser_core.audio.changes.codecs import through_codec
from ser_core.audio.changes.lines import TELEPHONE_HZ, band_pass, through_rate
from ser_core.audio.level import change_gain
from ser_core.audio.preprocess import AudioConfig, load_audio, preprocess
from tests.helpers import tone


@pytest.fixture(scope="module")
def voices(corpus, clips) -> list[np.ndarray]:
    return [load_audio(corpus.path(clip)) for clip in clips if not clip.defect]


def test_clips_of_the_corpus_are_whole(voices):
    assert Counter(bandwidth(voice) for voice in voices) == {8000.0: len(voices)}


@pytest.mark.parametrize(
    ("change", "lowest", "highest"),
    [
        (lambda voice: through_rate(voice, 8_000), 4000, 4000),
        (lambda voice: through_rate(voice, 11_025), 5500, 5500),
        (lambda voice: band_pass(voice, *TELEPHONE_HZ), 4000, 5000),
        (lambda voice: through_codec(voice, "mulaw", 64_000), 4000, 4000),
        (lambda voice: through_codec(voice, "mp3", 24_000), 5500, 6500),
    ],
    ids=["8 kHz", "11 kHz", "telephone band", "G.711", "mp3, 24 kbit/s"],
)
def test_what_a_line_leaves_out_is_seen_at_any_level(voices, change, lowest, highest):
    for voice in voices[::20]:
        changed = change(voice)
        for gain_db in (-40, 0, 20):
            found = bandwidth(change_gain(changed, gain_db))
            assert lowest <= found <= highest
            assert is_band_limited(found)


def test_a_limited_recording_is_a_warning(voices):
    energy = AudioConfig(vad="energy")
    assert not any("kHz" in warning for warning in preprocess(voices[0], energy).warnings)
    (warning,) = (w for w in preprocess(through_rate(voices[0], 8_000), energy).warnings if "kHz" in w)
    assert "no sound above 4 kHz" in warning


def test_silence_a_moment_and_a_tone_are_not_called_limited():
    for waveform in (np.zeros(16_000, np.float32), tone(440, 0.01), tone(440, 1.0)):
        assert not is_band_limited(bandwidth(waveform))
    assert bandwidth(np.zeros(16_000, np.float32)) == 0
