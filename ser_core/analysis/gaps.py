"""How far groups of clips are apart, and whether more than chance would make them.

Chance is what shuffling gives (a permutation test; Good 2005). Of groups of actors, as the sexes, who is in which group
is shuffled among the actors. Of groups in which each actor has clips, as the emotions, the right answers of each actor
are shuffled among that actor's clips; and to compare actors, among all clips. Each shuffle is compared with the
answers by how far its groups are from the mean: the sum over groups of clips times the square of that distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ser_core.analysis.comparison import SIGNIFICANCE
from ser_core.analysis.groups import GROUPINGS, OF_ACTORS, GroupAccuracy, accuracy_by, groups_of
from ser_core.records.predictions import Predictions
from ser_core.records.resampling import interval, resampled_sums

N_SHUFFLES = 2_000
SEED = 0


class Gap(NamedTuple):
    """How far the groups of one grouping are apart.

    Attributes:
        grouping: one of `ser_core.analysis.groups.GROUPINGS`.
        groups: accuracy of each.
        apart: by each group, whether its difference from all other clips is beyond chance (Holm 1979, over groups).
        best, worst: names of the two groups between which the gap is, of those of more than one actor.
        gap: accuracy of the best minus that of the worst, 0..1.
        low, high: its 95 % bootstrap interval over speakers and clips, -1..1.
        p_value: share of shuffles in which groups are as far apart, adjusted for all groupings that were asked about.
        beyond: whether they are further apart than chance would make them, at the 5 % level; of two groups, the
            interval has to exclude 0, too.
    """

    grouping: str
    groups: list[GroupAccuracy]
    apart: dict[str, bool]
    best: str
    worst: str
    gap: float
    low: float
    high: float
    p_value: float
    beyond: bool


def gaps(predictions: Predictions, groupings: Sequence[str] = tuple(GROUPINGS)) -> list[Gap]:
    """The gaps of these groupings that have several groups; several questions are held to a stricter bound."""
    found = [gap for grouping in groupings if (gap := _gap(predictions, grouping))]
    adjusted = holm([gap.p_value for gap in found])
    return [
        gap._replace(p_value=p, beyond=p < SIGNIFICANCE and (len(gap.groups) > 2 or not gap.low <= 0 <= gap.high))
        for gap, p in zip(found, adjusted, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of several questions, adjusted so that at most one in twenty families has a false one (Holm 1979)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def _gap(predictions: Predictions, grouping: str) -> Gap | None:
    groups = accuracy_by(predictions, grouping)
    if len(groups) < 2:
        return None
    right = predictions.predicted == predictions.targets
    in_group = groups_of(predictions.names, grouping)
    member = np.column_stack([in_group == group.group for group in groups]).astype(int)
    speakers = predictions.speakers
    actors = [len(np.unique(speakers[inside == 1])) for inside in member.T]
    several = [group for group, n in zip(groups, actors, strict=True) if n > 1 or grouping == "Actor"]
    ranked = sorted(several if len(several) > 1 else groups, key=lambda group: group.accuracy)
    worst, best = ranked[0].group, ranked[-1].group
    sums = resampled_sums(
        np.column_stack([c for group in (best, worst) for c in (in_group == group, (in_group == group) & right)]),
        speakers,
    )
    with np.errstate(invalid="ignore"):  # a resample may have no clip of a group: 0 / 0 is none of its figures
        low, high = interval(sums[:, 1] / sums[:, 0] - sums[:, 3] / sums[:, 2])
    clips, clips_right = _shuffled(member, right, speakers, grouping)
    clips, clips_right = np.vstack((member.sum(0), clips)), np.vstack((right @ member, clips_right))  # as it is, first
    n, n_right = len(right), right.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.nansum(clips * (clips_right / clips - n_right / n) ** 2, axis=1)
        from_rest = np.nan_to_num(clips_right / clips - (n_right - clips_right) / (n - clips))
    p_of_groups = holm((abs(from_rest) >= abs(from_rest[0]) - 1e-9).mean(axis=0).tolist())
    return Gap(
        grouping,
        groups,
        {group.group: p < SIGNIFICANCE for group, p in zip(groups, p_of_groups, strict=True)},
        best,
        worst,
        ranked[-1].accuracy - ranked[0].accuracy,
        low,
        high,
        float((spread >= spread[0] - 1e-9).mean()),
        False,
    )


def _shuffled(
    member: np.ndarray, right: np.ndarray, speakers: np.ndarray, grouping: str
) -> tuple[np.ndarray, np.ndarray]:
    """Clips of each group, and right ones among them, in each shuffle: both `[N_SHUFFLES, groups]`."""
    rng = np.random.default_rng(SEED)
    _, who = np.unique(speakers, return_inverse=True)
    n_actors = who.max() + 1
    if grouping in OF_ACTORS:
        of_actor = np.zeros((n_actors, member.shape[1]))
        of_actor[who] = member
        orders = rng.permuted(np.tile(np.arange(n_actors), (N_SHUFFLES, 1)), axis=1)
        clips, clips_right = np.bincount(who), np.bincount(who, right)
        return clips[orders] @ of_actor, clips_right[orders] @ of_actor
    if grouping == "Actor":
        drawn = rng.multivariate_hypergeometric(member.sum(0), int(right.sum()), N_SHUFFLES)
        return np.broadcast_to(member.sum(0), drawn.shape), drawn
    summed = np.zeros((N_SHUFFLES, member.shape[1]), dtype=int)
    for actor in range(n_actors):
        mine = who == actor
        summed += rng.multivariate_hypergeometric(member[mine].sum(0), int(right[mine].sum()), N_SHUFFLES)
    return np.broadcast_to(member.sum(0), summed.shape), summed
