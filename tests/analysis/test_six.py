import numpy as np
import pytest

from ser_core.analysis.six import GAP_SAMPLES, comparable_log_mels, in_turn, in_turn_figure, versions_of
from ser_core.corpus.clips import find_clip
from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.features.mel import log_mel
from tests.helpers import tone

LOUD, QUIET = 0.8 * tone(300, 1.0), 0.08 * tone(300, 1.3)[:20_001]


def test_versions_are_of_the_same_actor_sentence_and_intensity_where_there_is_one():
    clip = find_clip("1001_IEO_ANG_HI")
    versions = versions_of(clip)
    assert list(versions) == list(EMOTIONS)
    assert {(one.actor, one.sentence) for one in versions.values()} == {(clip.actor, "IEO")}
    assert [one.intensity for one in versions.values()] == ["HI", "HI", "HI", "HI", "XX", "HI"]
    assert versions["ANG"] == clip


def test_sounds_in_turn_are_whole_and_have_silence_between_them():
    joined = in_turn({"ANG": LOUD, "SAD": QUIET})
    (start, end), (second, last) = joined.spans["ANG"], joined.spans["SAD"]
    np.testing.assert_array_equal(joined.audio[start:end], LOUD)
    np.testing.assert_array_equal(joined.audio[second:last], QUIET)
    assert second - end >= GAP_SAMPLES
    assert not joined.audio[end:second].any()
    assert len(joined.audio) - last < GAP_SAMPLES


def test_on_a_common_scale_a_quiet_sound_stays_quiet():
    mels = comparable_log_mels(in_turn({"ANG": LOUD, "SAD": QUIET}))
    assert mels["ANG"].max() == pytest.approx(0, abs=1e-4)
    assert mels["SAD"].max() == pytest.approx(-20, abs=0.1)
    assert log_mel(QUIET).max() == pytest.approx(0, abs=1e-4)
    assert [mels[emotion].shape[1] for emotion in mels] == [log_mel(sound).shape[1] for sound in (LOUD, QUIET)]
    np.testing.assert_allclose(mels["ANG"][:, :60], log_mel(LOUD)[:, :60], atol=0.01)


def test_each_is_named_where_it_is_heard():
    joined = in_turn({"ANG": LOUD, "SAD": QUIET})
    figure = in_turn_figure(joined)
    assert [note.text for note in figure.layout.annotations] == [EMOTION_NAMES["ANG"], EMOTION_NAMES["SAD"]]
    for trace, (start, end) in zip(figure.data, joined.spans.values(), strict=True):
        assert start / 16_000 <= min(trace.x) < max(trace.x) <= end / 16_000
