"""The features of many clips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser_core.equality import ByContent


@dataclass(frozen=True, eq=False)
class FeatureSet(ByContent):
    """One input of every clip, in memory.

    Attributes:
        values: float32 `[numbers of all clips]`, clip after clip.
        starts: int64 `[clips + 1]`: clip i is `values[starts[i]:starts[i + 1]]`.
        channels: shape of a clip but for its last axis, as (27,) or (1, 64).
    """

    values: np.ndarray
    starts: np.ndarray
    channels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        return self.values[self.starts[i] : self.starts[i + 1]].reshape(*self.channels, -1)

    @property
    def lengths(self) -> np.ndarray:
        """Length of each clip's last axis: int64 `[clips]`."""
        return np.diff(self.starts) // math.prod(self.channels)

    def stack(self) -> np.ndarray:
        """All clips as one array `[clips, ...]`; they must be of one length."""
        return self.values.reshape(len(self), *self.channels, -1)

    @staticmethod
    def join(clips: Sequence[np.ndarray]) -> FeatureSet:
        """The set of these clips, arrays that agree in all but their last axis."""
        starts = np.concatenate(([0], np.cumsum([clip.size for clip in clips])))
        return FeatureSet(np.concatenate([clip.ravel() for clip in clips]), starts, clips[0].shape[:-1])
