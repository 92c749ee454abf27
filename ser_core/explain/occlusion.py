"""Occlusion over time: hide a moment, and see how much of the probability is lost.

Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014), section 4.2, along time. It looks at
answers only, and so works for any network.
"""

from __future__ import annotations

import numpy as np

from ser_core.explain.seen import Seen

WINDOW_STEPS = 2  # hidden at a time, 0.2 s; the next window begins one step later


def occlusion(seen: Seen, emotion: str) -> np.ndarray:
    """The probability that is lost without each step of the speech.

    Args:
        seen: see `ser_core.explain.seen.look`.
        emotion: one of `EMOTIONS`.

    Returns:
        float32 `[n_steps]` in -1..1, the average over all windows that hide the step; below 0 where the emotion is
        likelier without it.
    """
    n = seen.n_steps
    windows = np.arange(n + WINDOW_STEPS - 1)[:, None]
    hidden = (np.arange(n) <= windows) & (np.arange(n) > windows - WINDOW_STEPS)
    lost = seen.probability(emotion) - seen.probabilities(seen.without_times(hidden), emotion)
    return (lost @ hidden / hidden.sum(axis=0)).astype(np.float32)
