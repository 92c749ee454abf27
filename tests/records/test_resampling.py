"""The bootstrap over speakers and clips, against plain loops and against the bootstrap of scipy."""

import numpy as np
import pytest
import scipy.stats

from ser_core.records.resampling import N_BOOTSTRAP, interval, resampled_sums

RNG = np.random.default_rng(5)
SPEAKERS = np.repeat(np.arange(20), RNG.integers(5, 40, 20))
RIGHT = RNG.random(len(SPEAKERS)) < RNG.beta(3, 2, 20)[SPEAKERS]


def shares(right: np.ndarray, speakers: np.ndarray | None) -> np.ndarray:
    sums = resampled_sums(np.column_stack((right, np.ones_like(right))), speakers)
    return sums[:, 0] / sums[:, 1]


def test_a_resample_draws_speakers_and_then_clips_of_each():
    groups = [RIGHT[speaker == SPEAKERS] for speaker in range(20)]
    rng, expected = np.random.default_rng(1), []
    for _ in range(4000):
        drawn = [groups[i] for i in rng.integers(0, 20, 20)]
        expected.append(np.concatenate([rng.choice(group, len(group)) for group in drawn]).mean())
    found = shares(RIGHT, SPEAKERS)
    assert len(found) == N_BOOTSTRAP
    assert found.std() == pytest.approx(np.std(expected), rel=0.05)
    assert interval(found) == pytest.approx(np.quantile(expected, [0.025, 0.975]), abs=0.01)


@pytest.mark.parametrize("per_speaker", [1, 7])
def test_where_clips_of_a_speaker_are_alike_speakers_are_all_that_is_drawn(per_speaker: int):
    right = (np.arange(60) % 5 < 3).astype(float)
    expected = scipy.stats.bootstrap(
        (right,), np.mean, n_resamples=N_BOOTSTRAP, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    found = interval(shares(np.repeat(right, per_speaker), np.repeat(np.arange(60), per_speaker)))
    assert found == pytest.approx((expected.low, expected.high), abs=0.02)


def test_speakers_who_differ_widen_the_interval():
    (low, high), (alone_low, alone_high) = interval(shares(RIGHT, SPEAKERS)), interval(shares(RIGHT, None))
    assert high - low > 1.5 * (alone_high - alone_low)


def test_sums_are_exact_and_of_the_same_clips_in_every_call():
    values = RNG.integers(-3, 4, (len(RIGHT), 2))
    both, first = resampled_sums(values, SPEAKERS), resampled_sums(values[:, :1], SPEAKERS)
    assert (both == both.round()).all()
    assert (both[:, :1] == first).all()
    assert (resampled_sums(2 * values, SPEAKERS) == 2 * both).all()
    names = np.array([f"speaker {speaker:02}" for speaker in SPEAKERS])
    assert (resampled_sums(values, names) == both).all()


def test_every_speaker_has_to_be_known():
    with pytest.raises(ValueError, match="3 speakers of 4 clips"):
        resampled_sums(np.ones((4, 1)), [1, 2, 3])
