"""A folder with some or all of the wav files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

import numpy as np

from ser_core.corpus.clip_file import damage_of, how_to_replace, load_clip
from ser_core.corpus.clips import Clip, by_name, load_index
from ser_core.errors import CorpusError
from ser_core.places import how_to_run

AUDIO_FOLDER = "AudioWAV"
"""The official repository's folder of wav files."""
OTHER_FORMATS = (".mp3", ".flac", ".flv", ".mp4", ".m4a", ".ogg")  # in which copies of the clips go round
CORPUS_VARIABLE = "CREMAD_DIR"
"""Environment variable that says where the wav files are."""


def default_folder() -> Path:
    """Where clips are kept unless the user says otherwise: `$CREMAD_DIR`, or a folder of the user's cache."""
    if configured := os.environ.get(CORPUS_VARIABLE):
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ser-cremad") / AUDIO_FOLDER


@dataclass(frozen=True)
class Corpus:
    """A folder with some or all of the wav files.

    Attributes:
        folder: holds `<name>.wav` files directly; the ending may be in capitals.
    """

    folder: Path

    @staticmethod
    def open(folder: Path | str | None = None) -> Corpus:
        """The corpus in `folder`, or in `default_folder()`; the folder need not exist yet.

        Where `folder` holds no clips but a folder `AudioWAV`, as the official repository does, it is in that.
        """
        corpus = Corpus(Path(folder).expanduser() if folder else default_folder())
        inside = Corpus(corpus.folder / AUDIO_FOLDER)
        return inside if not corpus.present and inside.folder.is_dir() else corpus

    @cached_property
    def present(self) -> frozenset[str]:
        """Names of the clips whose files were in the folder when first asked."""
        return frozenset(self._files.keys() & load_index().keys())

    @cached_property
    def _files(self) -> dict[str, Path]:
        """All wav files of the folder by their names without the ending."""
        files = self.folder.iterdir() if self.folder.is_dir() else ()
        return {path.stem: path for path in files if path.suffix.lower() == ".wav"}

    def misspelt(self) -> dict[str, str | None]:
        """Wav files that no clip is called as, and the clip that each may be."""
        index = load_index()
        unknown = [path for name, path in self._files.items() if name not in index and not name.startswith(".")]
        return {path.name: next(iter(get_close_matches(path.stem, index, 1)), None) for path in unknown}

    def whats_here(self) -> str:
        """A sentence on what is in the folder in place of clips, with a space before it; empty if that is nothing."""
        if not self.folder.is_dir():
            return " There is no such folder."
        found = [path for path in sorted(self.folder.rglob("*")) if path.stem in load_index() and path.is_file()]
        if wav := next((path for path in found if path.suffix.lower() == ".wav"), None):
            return f" They are in {wav.parent}: name that folder."
        if copies := [path for path in found if path.suffix.lower() in OTHER_FORMATS]:
            return (
                f" It holds {len(copies):,} copies in another format, as {copies[0].name}: what is lost in them can't "
                "be brought back. Get the official wav files."
            )
        return ""

    def clips(self, names: Iterable[str]) -> list[Clip]:
        """The clips of these names, in their order, wherever their files are."""
        return by_name(names)

    def path(self, clip: Clip | str) -> Path:
        """Where the clip's file is, or would be."""
        name = clip if isinstance(clip, str) else clip.name
        usual = self.folder / f"{name}.wav"
        return usual if usual.exists() else self._files.get(name, usual)

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
            here = "" if self.present else self.whats_here()
            if meant := {clip.name for clip in bad}.intersection(filter(None, self.misspelt().values())):
                here += f" Misspelt may be {min(meant)}, as `{how_to_run('corpus')} check` says of each file."
            raise CorpusError(
                f"{len(bad):,} of {len(clips):,} clips are missing from or damaged in {self.folder}: {first} "
                f"{damage}.{here} {how_to_replace(self.folder, damage)} Or say where whole clips are with --corpus DIR "
                f"or the environment variable {CORPUS_VARIABLE}."
            )
