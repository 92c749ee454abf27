"""The features of many clips, in memory and on disk."""

from __future__ import annotations

import math
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_core.equality import ByContent

UNFINISHED = ".unfinished-"


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

    @staticmethod
    def load(folder: Path) -> FeatureSet:
        """The set that a finished `_Writer` left, mapped into memory: runs side by side share it."""
        values = np.memmap(folder / "values.f32", np.float32, mode="c")
        return FeatureSet(values, np.load(folder / "starts.npy"), tuple(np.load(folder / "channels.npy").tolist()))


class _Writer:
    """Writes the clips of one input as they come, under a temporary name until all are there."""

    def __init__(self, folder: Path):
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.unfinished = folder.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
        self.unfinished.mkdir()
        self.file = (self.unfinished / "values.f32").open("wb")
        self.ends = [0]
        self.channels: tuple[int, ...] = ()

    def add(self, clip: np.ndarray) -> None:
        self.file.write(np.ascontiguousarray(clip, dtype=np.float32).data)
        self.ends.append(self.ends[-1] + clip.size)
        self.channels = clip.shape[:-1]

    def finish(self) -> None:
        self.file.close()
        np.save(self.unfinished / "starts.npy", self.ends)
        np.save(self.unfinished / "channels.npy", self.channels)
        try:
            self.unfinished.rename(self.folder)
        except OSError:
            if not self.folder.is_dir():  # otherwise another process was first, with the same numbers
                raise

    def clean_up(self) -> None:
        self.file.close()
        shutil.rmtree(self.unfinished, ignore_errors=True)
