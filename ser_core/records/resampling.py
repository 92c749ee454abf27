"""The bootstrap over speakers and clips, from which all intervals of test figures come (Efron 1979).

Clips of a speaker are not independent: who is hard to understand once is so again. So a resample draws speakers with
replacement, as many as there are, and then for each speaker as many of that speaker's clips, with replacement, too.
Such intervals are wider than those of clips alone; they are on the safe side, as chance among a speaker's clips is
drawn twice. Without speakers, every clip counts as one of its own, which draws clips alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np

N_BOOTSTRAP = 10_000
CONFIDENCE = 0.95
BOTH, CLIPS_ALONE = "speakers and clips", "clips"
"""What intervals are over, as records and pages call it."""

Speakers = Sequence[Hashable] | np.ndarray
"""Who speaks in each clip."""

SEED = 0
ROWS = 2_500  # resamples whose weights are made floats at once


def resampled_sums(values: np.ndarray, speakers: Speakers | None = None) -> np.ndarray:
    """Sums of integers over the clips of each resample: float32 `[N_BOOTSTRAP, k]`, exact.

    The resamples of the same speakers are always the same ones, so that what is computed from several calls is of the
    same clips.

    Args:
        values: integers, or booleans, `[clips, k]`.
        speakers: of each clip, or None to draw clips alone.
    """
    _, who = np.unique(np.arange(len(values)) if speakers is None else np.asarray(speakers), return_inverse=True)
    if len(who) != len(values):
        raise ValueError(f"{len(who)} speakers of {len(values)} clips")
    order = np.argsort(who, kind="stable")
    weights = _weights(tuple(np.bincount(who).tolist()))
    ordered = np.asarray(values)[order].astype(np.float32)
    sums = np.empty((N_BOOTSTRAP, ordered.shape[1]), np.float32)
    for start in range(0, N_BOOTSTRAP, ROWS):
        sums[start : start + ROWS] = weights[start : start + ROWS].astype(np.float32) @ ordered
    return sums


@lru_cache(maxsize=2)  # 22 MB for the report's test set
def _weights(sizes: tuple[int, ...]) -> np.ndarray:
    """How often each resample holds each clip, from each speaker's number of clips: uint8 `[N_BOOTSTRAP, clips]`.

    Clips stand speaker by speaker. A clip is drawn more than 255 times in no resample that anybody will see.
    """
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=N_BOOTSTRAP)
    weights = np.empty((N_BOOTSTRAP, sum(sizes)), np.uint8)
    end = 0
    for speaker, n in enumerate(sizes):
        rows = np.repeat(np.arange(N_BOOTSTRAP) * n, drawn[:, speaker] * n)
        clips = rng.integers(0, n, len(rows))
        start, end = end, end + n
        weights[:, start:end] = np.bincount(rows + clips, minlength=N_BOOTSTRAP * n).reshape(N_BOOTSTRAP, n)
    weights.flags.writeable = False  # shared from now on
    return weights


def interval(figures: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of a figure of each resample; those where it has no value (NaN) don't count."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(figures, [tail, 1 - tail])
    return float(low), float(high)
