"""What an explanation of an answer is; `ser_core.explain` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ser_core.equality import ByContent

Method = Literal["occlusion", "integrated-gradients", "grad-cam"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, eq=False)
class Explanation(ByContent):
    """Which times, and which bands at which times, spoke for an emotion or against it in one network.

    It shows what the network used. It doesn't show where an emotion is, nor what a person would listen to.

    Attributes:
        checkpoint: name of the model.
        emotion: one of `EMOTIONS`, which is explained whether or not it is the answer.
        method: how.
        values: float32 `[frames]` or `[bands, frames]`: above 0 what spoke for the emotion, below 0 against it. In the
            unit of the method: of occlusion, the probability that is lost without this time, in -1..1; of integrated
            gradients, nats of the emotion's log-probability, which add up to what tells the speech from its own
            average; of Grad-CAM, 0..1, 1 being where the most is, with nothing below 0.
        times: float64 `[frames]`: the centre of each frame in seconds *in the recording*, in order.
        kept: float64 `[n, 2]`: the intervals in seconds of the recording that were explained. What lies between them
            was no speech, and the network never heard it.
        hertz: float64 `[bands]`: centres of the mel bands, the lowest first; None where there are none.
        names: of the features that are the bands, as `MFCC 1`; empty where there are none.
        probability: of the emotion as the network hears it in this speech, 0..1.
        whole: whether all of the recording's speech is explained; of long speech, one window of 3 s is.
    """

    checkpoint: str
    emotion: str
    method: Method
    values: np.ndarray
    times: np.ndarray
    kept: np.ndarray
    hertz: np.ndarray | None
    names: tuple[str, ...]
    probability: float
    whole: bool

    @property
    def over_time(self) -> np.ndarray:
        """The same of each frame, whatever its bands: their sum, `[frames]`."""
        return self.values if self.values.ndim == 1 else self.values.sum(axis=0)

    def most_important(self, share: float = 0.2) -> np.ndarray:
        """True for so large a share (0 to 1) of the values, those that speak most for the emotion: bool, as `values`.

        At least one is.
        """
        ranks = np.argsort(-self.values.ravel(), kind="stable")
        chosen = np.zeros(self.values.size, bool)
        chosen[ranks[: max(1, round(share * self.values.size))]] = True
        return chosen.reshape(self.values.shape)

    def on(self, seconds: np.ndarray) -> np.ndarray:
        """The values at other times of the recording, each those of the nearest frame; NaN where nothing was heard.

        Args:
            seconds: in the recording, `[times]`.

        Returns:
            float32 `[times]` or `[bands, times]`.
        """
        middles = (self.times[1:] + self.times[:-1]) / 2
        values = self.values[..., np.searchsorted(middles, seconds)].astype(np.float32)
        inside = ((seconds >= self.kept[:, :1]) & (seconds < self.kept[:, 1:])).any(axis=0)
        values[..., ~inside] = np.nan
        return values
