from collections import Counter
from dataclasses import replace

import pytest

from ser_core.analysis.guessing import (
    LAST_ROUND,
    ROUND_CLIPS,
    crowd_is_right,
    rater_is_right,
    round_clips,
    round_number,
    scores,
)
from ser_core.corpus.clips import Votes, find_clip
from ser_core.emotions import EMOTIONS


@pytest.mark.parametrize("number", [1, 2, 77, LAST_ROUND])
def test_a_round_is_ten_test_clips_of_ten_actors_and_all_emotions(number: int):
    clips = round_clips(number)
    assert len(clips) == ROUND_CLIPS == len({clip.actor.id for clip in clips})
    assert {clip.report_split for clip in clips} == {"test"}
    assert not any(clip.defect for clip in clips)
    times = Counter(clip.emotion for clip in clips)
    assert set(times) == set(EMOTIONS)
    assert max(times.values()) == 2


def test_a_number_means_the_same_ten_everywhere():
    assert [clip.name for clip in round_clips(7)][:3] == ["1057_DFA_FEA_XX", "1049_ITH_DIS_XX", "1013_IEO_DIS_HI"]
    assert round_clips(7) == round_clips(7)
    assert round_clips(8) != round_clips(7)


def test_rounds_differ_in_clips_and_in_the_order_of_emotions():
    rounds = [round_clips(number) for number in range(1, 41)]
    assert len({clip.name for clips in rounds for clip in clips}) > 300
    assert {clips[0].emotion for clips in rounds} == set(EMOTIONS)


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("9999", 9999), ("0", None), ("10000", None), ("²", None), (None, None)],
)
def test_the_number_of_a_round_is_read_from_an_address(text: str | None, number: int | None):
    assert round_number(text) == number


def test_everybody_is_scored_on_the_same_clips():
    heard = find_clip("1001_DFA_ANG_XX")
    clear = replace(heard, voice=Votes((8, 2, 0, 0, 0, 0)))
    tied = replace(heard, name="tied", voice=Votes((4, 4, 0, 0, 2, 0)))
    missed = replace(heard, name="missed", voice=Votes((1, 0, 9, 0, 0, 0)))
    assert [crowd_is_right(clip) for clip in (clear, tied, missed)] == [1, 0.5, 0]
    assert [rater_is_right(clip) for clip in (clear, tied, missed)] == [0.8, 0.4, 0.1]
    model = {heard.name: "ANG", "tied": "ANG", "missed": "FEA"}
    all_three = scores([clear, tied, missed], ["ANG", "DIS", "ANG"], model)
    assert all_three == (3, 2, 1.5, pytest.approx(1.3), 2)
    assert scores([clear, tied, missed], ["ANG", None, "ANG"], model) == (2, 2, 1, pytest.approx(0.9), 1)
    assert scores([clear], ["ANG"], {}).model is None
    assert scores([clear], [None], model) == (0, 0, 0, 0, None)
