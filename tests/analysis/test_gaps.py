"""Gaps between groups, and what chance alone gives."""

from dataclasses import replace

import numpy as np
import pytest

from ser_core.analysis.gaps import gaps, holm
from ser_core.analysis.groups import GROUPINGS, groups_of
from ser_core.corpus.clips import load_index
from ser_core.emotions import EMOTIONS
from ser_core.records.predictions import Predictions

NAMES = tuple(name for name, clip in load_index().items() if clip.report_split == "test")
TARGETS = np.array([EMOTIONS.index(name.split("_")[2]) for name in NAMES])
CHANCES = np.random.default_rng(1).random(len(NAMES))


def right_with(probability: np.ndarray | float) -> Predictions:
    """Answers of which each is right with a probability."""
    said = np.where(probability > CHANCES, TARGETS, (TARGETS + 1) % 6)
    return Predictions(NAMES, TARGETS, np.eye(6, dtype=np.float32)[said])


def test_answers_that_know_no_groups_have_no_gap_beyond_chance():
    found = gaps(right_with(0.6))
    assert [gap.grouping for gap in found] == list(GROUPINGS)
    assert not any(gap.beyond for gap in found)
    assert all(gap.gap >= 0 and gap.low <= gap.gap <= gap.high for gap in found)


@pytest.mark.parametrize(
    ("grouping", "group"),
    [
        ("Actor's sex", "male"),
        ("Actor's race", "African American"),
        ("Intended emotion", "fear"),
        ("Sentence", "The surface is slick."),
        ("Actor", "1017"),
    ],
)
def test_a_group_that_fares_worse_is_found(grouping: str, group: str):
    inside = groups_of(NAMES, grouping) == group
    (gap,) = gaps(right_with(np.where(inside, 0.2, 0.8)), [grouping])
    assert (gap.beyond, gap.worst, gap.apart[group]) == (True, group, True)
    assert gap.p_value < 0.01


def test_a_single_hard_actor_makes_no_gap_between_sexes():
    """Clips of an actor stand and fall together: one actor says nothing of a sex."""
    hard = np.isin(groups_of(NAMES, "Actor"), ["1001", "1003", "1005"])
    (gap,) = gaps(right_with(np.where(hard, 0.0, 0.75)), ["Actor's sex"])
    assert gap.worst == "male"
    assert not gap.beyond


def test_a_group_of_one_actor_is_no_end_of_a_gap():
    inside = groups_of(NAMES, "Actor's race") == "Unknown"
    (gap,) = gaps(right_with(np.where(inside, 0.0, 0.7)), ["Actor's race"])
    assert "Unknown" in {group.group for group in gap.groups}
    assert "Unknown" not in (gap.best, gap.worst)


def test_a_grouping_with_one_group_has_no_gap():
    few = right_with(0.5)
    female = groups_of(NAMES, "Actor's sex") == "female"
    few = replace(
        few,
        names=tuple(np.array(NAMES)[female].tolist()),
        targets=TARGETS[female],
        probabilities=few.probabilities[female],
    )
    assert not gaps(few, ["Actor's sex"])


def test_several_questions_are_held_to_a_stricter_bound():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
