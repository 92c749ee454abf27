"""Comparing models, and groups of clips, against counting by hand and against other implementations."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from ser_core.analysis.comparison import Difference, compare, compare_together
from ser_core.analysis.confusion import confused_pairs, row_shares
from ser_core.analysis.groups import GROUPINGS, OF_ACTORS, accuracy_by, group_accuracies
from ser_core.corpus.clips import by_name, load_index
from ser_core.errors import RunError
from ser_core.records.predictions import Predictions
from ser_core.records.resampling import interval, resampled_sums
from tests.made_records import NAMES, TARGETS, answering


def wrong_on(*clips: int) -> Predictions:
    said = TARGETS.copy()
    said[list(clips)] = (said[list(clips)] + 1) % 6
    return answering(said)


def test_models_are_compared_on_the_clips_on_which_they_differ():
    difference = compare(wrong_on(0, 1, 2), wrong_on(2, 3, 4, 5, 6))
    assert (difference.only_first, difference.only_second, difference.counts) == (4, 2, (2, 394, 4))
    assert difference.accuracy == pytest.approx(2 / 400)
    assert difference.p_value == pytest.approx(2 * (1 - binom.cdf(3, 6, 0.5)))
    assert not difference.significant


def test_the_order_of_clips_does_not_matter_and_other_clips_do():
    first, second = wrong_on(0, 1), wrong_on(1, 2, 3)
    order = np.random.default_rng(0).permutation(len(NAMES))
    shuffled = Predictions(tuple(NAMES[i] for i in order), second.targets[order], second.probabilities[order])
    assert compare(first, shuffled) == compare(first, second)
    fewer = Predictions(NAMES[1:], TARGETS[1:], second.probabilities[1:])
    with pytest.raises(RunError, match="different clips"):
        compare(first, fewer)


def test_a_model_does_not_differ_from_itself():
    difference = compare(wrong_on(7), wrong_on(7))
    assert (difference.accuracy, difference.p_value, difference.interval) == (0, 1, (0, 0))


def test_a_large_difference_is_beyond_chance_and_its_interval_is_the_normal_one():
    clips = [(1, 0, 0)] * 250 + [(0, 1, 0)] * (2233 - 600) + [(0, 0, 1)] * 350  # each of a speaker of its own
    difference = Difference(tuple(clips))
    assert difference.counts == (250, 2233 - 600, 350)
    assert difference.significant
    margin = 1.96 * np.sqrt(600 - 100**2 / 2233) / 2233
    assert difference.interval == pytest.approx((100 / 2233 - margin, 100 / 2233 + margin), abs=0.001)
    assert difference.p_value == pytest.approx(binomtest(350, 600).pvalue)


def test_clips_are_counted_speaker_by_speaker():
    difference = compare(wrong_on(0, 1), wrong_on(399))
    actors = [clip.actor.id for clip in by_name(NAMES)]
    assert [sum(counts) for counts in difference.by_speaker] == np.unique(actors, return_counts=True)[1].tolist()
    assert difference.by_speaker[0][0] == 2
    assert difference.by_speaker[-1][2] == 1


def test_what_rests_on_one_speaker_is_not_beyond_chance_whatever_mcnemar_says():
    difference = Difference(((0, 5, 20), *[(0, 25, 0)] * 9))
    assert difference.p_value < 0.001
    assert difference.interval[0] == 0
    assert not difference.significant
    spread = Difference(((0, 23, 2),) * 10)
    assert spread.p_value == difference.p_value
    assert spread.significant


def test_the_interval_of_a_difference_draws_speakers_and_their_clips():
    by_speaker = tuple((i % 3, 10 + i % 4, i % 5) for i in range(15))
    groups = [np.repeat([-1, 0, 1], counts) for counts in by_speaker]
    rng, expected = np.random.default_rng(1), []
    for _ in range(4000):
        drawn = [groups[i] for i in rng.integers(0, 15, 15)]
        expected.append(np.concatenate([rng.choice(group, len(group)) for group in drawn]).mean())
    assert Difference(by_speaker).interval == pytest.approx(np.quantile(expected, [0.025, 0.975]), abs=0.01)


def test_pairs_together_are_compared_clip_by_clip():
    pairs = [(wrong_on(0, 1), wrong_on(1, 2, 3)), (wrong_on(9), wrong_on(2, 3, 4))]
    difference = compare_together(pairs)
    assert difference.counts == (0, 2, 395, 1, 2)
    assert difference.accuracy == pytest.approx(np.mean([compare(*pair).accuracy for pair in pairs]))
    tosses = np.array(list(itertools.product((-1, 1), repeat=5))) @ [1, 1, 1, 2, 2]
    assert difference.p_value == pytest.approx(np.mean(abs(tosses) >= 3))


def test_the_same_pair_twice_is_no_more_evidence_than_once():
    pair = wrong_on(*range(20)), wrong_on(*range(15, 50))
    once, twice = compare(*pair), compare_together([pair, pair])
    assert twice.accuracy == pytest.approx(once.accuracy)
    assert twice.p_value == pytest.approx(once.p_value)
    assert twice.interval == pytest.approx(once.interval)


def test_pairs_of_different_clips_are_not_compared_together():
    fewer = answering(TARGETS[1:], NAMES[1:], TARGETS[1:])
    with pytest.raises(RunError, match="different clips"):
        compare_together([(wrong_on(0), wrong_on(1)), (fewer, fewer)])


def test_the_most_confused_pairs_are_found():
    confusion = np.diag([50] * 6)
    confusion[2, 5], confusion[1, 0] = 30, 10
    first, second = confused_pairs(confusion)
    assert (first.true, first.predicted, first.clips, first.share) == ("FEA", "SAD", 30, 30 / 80)
    assert (second.true, second.predicted) == ("DIS", "ANG")
    assert len(confused_pairs(np.ones((6, 6), int), 4)) == 4


def test_rows_without_clips_have_no_shares():
    confusion = np.zeros((6, 6), int)
    confusion[0, :2] = 1, 3
    assert row_shares(confusion)[0].tolist() == [0.25, 0.75, 0, 0, 0, 0]
    assert row_shares(confusion)[1:].sum() == 0


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_groups_hold_every_clip_once_and_in_their_order(grouping: str):
    predictions = wrong_on(*range(0, 400, 3))
    groups = accuracy_by(predictions, grouping)
    assert sum(group.clips for group in groups) == 400
    right = sum(group.accuracy * group.clips for group in groups)
    assert right == pytest.approx((predictions.predicted == TARGETS).sum())
    order = list(GROUPINGS[grouping][1])
    assert [group.group for group in groups] == [name for name in order if name in {g.group for g in groups}]
    assert all(0 <= g.low <= g.accuracy <= g.high <= 1 for g in groups)


def test_every_clip_of_the_corpus_belongs_to_a_known_group():
    for group_of, order in GROUPINGS.values():
        assert {group_of(clip) for clip in load_index().values()} == set(order)


@pytest.mark.parametrize("grouping", sorted(OF_ACTORS))
def test_an_actor_is_in_one_group_of_actors(grouping: str):
    group_of, _ = GROUPINGS[grouping]
    of_actor: dict[int, set[str]] = {}
    for clip in load_index().values():
        of_actor.setdefault(clip.actor.id, set()).add(group_of(clip))
    assert {len(groups) for groups in of_actor.values()} == {1}


def test_intervals_of_groups_are_over_speakers_and_clips():
    """Of all clips, a group's are the bootstrap's own; a speaker counts only through the clips in the group."""
    speakers = np.arange(400) % 20
    inside, right = np.arange(400) < 200, speakers < 12
    whole, part = group_accuracies({"all": (inside | True, right), "half": (inside, right)}, speakers)
    (low, high) = interval(resampled_sums(right[:, None], speakers)[:, 0] / 400)
    assert (whole.clips, part.clips, whole.accuracy, part.accuracy) == (400, 200, 0.6, 0.6)
    assert (whole.low, whole.high) == pytest.approx((low, high))
    assert part.high - part.low == pytest.approx(high - low, rel=0.1)  # as many speakers, each as they are everywhere
    (alone,) = group_accuracies({"all": (inside | True, right)}, np.arange(400))
    assert whole.high - whole.low > 3 * (alone.high - alone.low)


@pytest.mark.parametrize("right", [True, False])
def test_where_all_clips_or_none_are_right_the_interval_is_wilsons(right: bool):
    inside = np.arange(40) < 10
    (group,) = group_accuracies({"x": (inside, np.full(40, right))}, np.arange(40) % 5)
    n, z = 10, 1.959964
    assert group.high - group.low == pytest.approx(z**2 / (n + z**2))
    assert (group.high if right else group.low) == pytest.approx(float(right))
