"""Blocks of files in, rows out: what each worker does, wherever it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_core.audio.decode import Recording
from ser_core.audio.mono import mono_parts
from ser_core.errors import SERError
from ser_core.serving.adaptation import Adaptation
from ser_core.serving.many.blocks import Block, Done, File
from ser_core.serving.many.columns import as_row, error_row
from ser_core.serving.many.settings import ManySettings
from ser_core.serving.rows import result_row, window_row

if TYPE_CHECKING:
    from ser_core.serving.predictor import Predictor


@dataclass(frozen=True)
class Classification:
    """The work of a worker, see `ser_core.serving.many.blocks.Work`.

    Attributes:
        settings: what is asked of each file.
        root: the folder of checkpoints, where it is at hand.
        files: of the checkpoint, by name, for a worker elsewhere.
        adaptation: what the network is tuned to.
    """

    settings: ManySettings
    root: Path | None = None
    files: Mapping[str, bytes] | None = None
    adaptation: Adaptation | None = None

    def begin(self) -> Classifier:
        """Load the model.

        Raises:
            CheckpointError: it can't be loaded.
        """
        if self.files is None:
            return self._begin(self.root)
        with TemporaryDirectory() as root:
            folder = Path(root) / self.settings.checkpoint
            folder.mkdir()
            for name, content in self.files.items():
                (folder / name).write_bytes(content)
            return self._begin(Path(root))

    def _begin(self, root: Path | None) -> Classifier:
        from ser_core.serving.predictor import Predictor  # torch takes seconds to load: who hands out work needs none

        settings = self.settings
        predictor = Predictor.load(
            settings.checkpoint,
            root=root,
            min_confidence=settings.min_confidence,
            max_seconds=60 * settings.max_minutes,
            any_sound=settings.any_sound,
        )
        predictor.adaptation = self.adaptation
        return Classifier(predictor, settings)


class Classifier:
    """Classifies blocks of files.

    Args:
        predictor: with the checkpoint and the limits of the settings.
        settings: what is asked of each file.
    """

    def __init__(self, predictor: Predictor, settings: ManySettings):
        self.predictor, self.settings = predictor, settings

    def __call__(self, block: Block) -> list[Done]:
        """What is found out about each file; a bad one costs only itself."""
        if self.settings.windows is None:
            return list(self._whole(block))
        return [self._in_windows(file) for file in block]

    def _whole(self, block: Block) -> Iterator[Done]:
        paths = [os.fsdecode(file.path) for file in block]
        for file, result in zip(block, self.predictor.classify_many(paths, threads=1), strict=True):
            if isinstance(result, SERError):
                yield _failed(file, result)
            else:
                yield Done(file.number, (as_row(result_row("", result), self._bytes(result.embedding)),))

    def _in_windows(self, file: File) -> Done:
        from ser_core.serving.windows import timed_predictions

        assert self.settings.windows is not None
        assert self.settings.hop is not None
        recording = Recording(os.fsdecode(file.path), max_seconds=self.predictor.max_seconds)
        parts = mono_parts(recording)
        rows: list[tuple[dict[str, Any], bytes | None]] = []
        try:
            for window in timed_predictions(self.predictor, parts, self.settings.windows, self.settings.hop):
                embedding = window.prediction.embedding if window.prediction else None
                rows.append((window_row("", self.settings.checkpoint, window), self._bytes(embedding)))
        except SERError as error:
            return _failed(file, error)
        for values, _ in rows:  # now that all of it was read, all that is wrong with it is known
            values["warnings"] = [*recording.warnings, *values["warnings"]]
        return Done(file.number, tuple(as_row(values, embedding) for values, embedding in rows))

    def _bytes(self, embedding: np.ndarray | None) -> bytes | None:
        return embedding.tobytes() if self.settings.embeddings and embedding is not None else None


def _failed(file: File, error: SERError) -> Done:
    """A file that can't be opened may be so later, without being changed."""
    return Done(file.number, (error_row(str(error)),), failed=True, final=os.access(file.path, os.R_OK))
