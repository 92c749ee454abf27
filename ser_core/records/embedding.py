"""Mean and deviation of a network's embeddings over training clips: `checkpoints/<name>/embedding.safetensors`.

A speaker's own are brought to them, see `ser_core.serving.adaptation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_core.checksums import check_sums
from ser_core.emotions import EMOTIONS
from ser_core.equality import ByContent
from ser_core.errors import CheckpointError
from ser_core.files import replace_file
from ser_core.tensor_files import ARRAYS, check_types

EMBEDDING_FILE = "embedding.safetensors"


@dataclass(frozen=True, eq=False)
class EmbeddingStatistics(ByContent):
    """How embeddings are distributed, each number by itself.

    Attributes:
        mean: float32 `[width]`.
        deviation: standard deviation, float32 `[width]`, >= 0.
        emotion_means: mean of the clips of each emotion, float32 `[emotions, width]` in the order of `EMOTIONS`; None
            where an emotion has no clip, and in older checkpoints.
    """

    mean: np.ndarray
    deviation: np.ndarray
    emotion_means: np.ndarray | None = None

    @staticmethod
    def of(embeddings: np.ndarray, targets: np.ndarray | None = None) -> EmbeddingStatistics:
        """Those of embeddings.

        Args:
            embeddings: `[clips, width]`.
            targets: index into `EMOTIONS` of each, `[clips]`, for the means of emotions.
        """
        exact, means = embeddings.astype(np.float64), None
        if targets is not None and len(np.unique(targets)) == len(EMOTIONS):
            means = np.stack([exact[targets == i].mean(0) for i in range(len(EMOTIONS))]).astype(np.float32)
        return EmbeddingStatistics(exact.mean(0).astype(np.float32), exact.std(0).astype(np.float32), means)


def save_statistics(folder: Path, statistics: EmbeddingStatistics) -> None:
    """Write them beside a checkpoint's weights."""
    from safetensors.numpy import save

    with replace_file(folder / EMBEDDING_FILE) as path:
        path.write_bytes(save({name: value for name, value in vars(statistics).items() if value is not None}))


def load_statistics(folder: Path) -> EmbeddingStatistics | None:
    """Those of a checkpoint; None if it has none, as those that were trained before there were any.

    Raises:
        CheckpointError: the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / EMBEDDING_FILE, framework="numpy") as file:
            check_types(file, ARRAYS)
            values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        check_sums(folder, EMBEDDING_FILE)
        values = {name: value.astype(np.float32) for name, value in values.items()}
        mean, deviation, emotion_means = values["mean"], values["deviation"], values.get("emotion_means")
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        reason, *_ = str(error).splitlines()
        raise _damaged(folder, reason) from None
    if mean.ndim != 1 or mean.shape != deviation.shape:
        raise _damaged(folder, f"{mean.shape} means and {deviation.shape} deviations")
    if emotion_means is not None and emotion_means.shape != (len(EMOTIONS), *mean.shape):
        raise _damaged(folder, f"{mean.shape} means and {emotion_means.shape} of emotions")
    if not (all(np.isfinite(value).all() for value in values.values()) and (deviation >= 0).all()):
        raise _damaged(folder, "a deviation or a mean is no number")
    return EmbeddingStatistics(mean, deviation, emotion_means)


def _damaged(folder: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"The checkpoint {folder.name} is damaged: {EMBEDDING_FILE} can't be used ({reason}).")
