"""A folder with some or all of the wav files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ser_core.corpus.clip_file import damage_of, how_to_replace, load_clip
from ser_core.corpus.clips import Clip, by_name, load_index
from ser_core.errors import CorpusError

CORPUS_VARIABLE = "CREMAD_DIR"
"""Environment variable that says where the wav files are."""


def default_folder() -> Path:
    """Where clips are kept unless the user says otherwise: `$CREMAD_DIR`, or a folder of the user's cache."""
    if configured := os.environ.get(CORPUS_VARIABLE):
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ser-cremad") / "AudioWAV"


@dataclass(frozen=True)
class Corpus:
    """A folder with some or all of the wav files.

    Attributes:
        folder: holds `<name>.wav` files directly.
    """

    folder: Path

    @staticmethod
    def open(folder: Path | str | None = None) -> Corpus:
        """The corpus in `folder`, or in `default_folder()`; the folder need not exist yet."""
        return Corpus(Path(folder).expanduser() if folder else default_folder())

    @cached_property
    def present(self) -> frozenset[str]:
        """Names of the clips whose files were in the folder when first asked."""
        on_disk = {path.stem for path in self.folder.glob("*.wav")} if self.folder.is_dir() else set()
        return frozenset(on_disk & load_index().keys())

    def clips(self, names: Iterable[str]) -> list[Clip]:
        """The clips of these names, in their order, wherever their files are."""
        return by_name(names)

    def path(self, clip: Clip | str) -> Path:
        """Where the clip's file is, or would be."""
        return self.folder / f"{clip if isinstance(clip, str) else clip.name}.wav"

    def load(self, clip: Clip | str) -> np.ndarray:
        """A clip's sound: float32 `[samples]` at 16 kHz.

        Raises:
            CorpusError: its file is missing or damaged, and what to do about it.
        """
        return load_clip(self.path(clip))

    def require(self, clips: Sequence[Clip]) -> None:
        """Check that the files of all these clips are there with their official sizes.

        Raises:
            CorpusError: saying how many are missing or damaged, and how to get them.
        """
        bad = [c for c in clips if not self.path(c).is_file() or self.path(c).stat().st_size != c.n_bytes]
        if bad:
            first, damage = bad[0].filename, damage_of(self.path(bad[0])) or "has not its official size"
            raise CorpusError(
                f"{len(bad):,} of {len(clips):,} clips are missing from or damaged in {self.folder}: {first} {damage}. "
                f"{how_to_replace(self.folder, damage)} Or say where whole clips are with --corpus DIR or the "
                f"environment variable {CORPUS_VARIABLE}."
            )
