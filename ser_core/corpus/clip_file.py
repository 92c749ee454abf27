"""The wav file of one clip: its sound, or a sentence that says what is wrong with it and how to get it whole."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import numpy as np

from ser_core.audio.preprocess import load_audio
from ser_core.corpus.clips import load_index
from ser_core.corpus.identity import content_of
from ser_core.errors import AudioError, CorpusError
from ser_core.file_state import LFS_POINTER, POINTER, PULL
from ser_core.places import how_to_run

RIFF_HEADER_BYTES = 8  # `RIFF` and the number of bytes that follow


def load_clip(path: Path, sha256: str | None = None) -> np.ndarray:
    """A clip's sound: float32 `[samples]` at 16 kHz.

    Args:
        path: its file.
        sha256: of the file, in hexadecimal digits; not compared if not given.

    Raises:
        CorpusError: its file is missing, damaged, or another one; the message names it and says what to do.
    """
    damage = damage_of(path)
    if damage is None and sha256 and content_of(path) != sha256:
        if path.stem not in load_index():
            raise CorpusError(f"{path} was changed while its corpus was in use. Leave it as it is, and start again.")
        damage = "is not the official file"
    if damage is None:
        try:
            return load_audio(path)
        except AudioError:
            damage = "is not sound that can be read"
    if path.stem not in load_index():
        raise CorpusError(f"{path} {damage}. Replace it, or take it out of the corpus.")
    raise CorpusError(f"{path.name} {damage}. {how_to_replace(path.parent, damage)}")


def damage_of(path: Path) -> str | None:
    """What is plainly wrong with a file, to follow its name in a sentence; None if nothing is.

    Not everything shows without decoding, and one thing shows only here: a wav file that was cut off is decoded up to
    the cut, though it says how long it should be.
    """
    try:
        with path.open("rb") as file:
            begin, n_bytes = file.read(len(LFS_POINTER)), os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"can't be opened ({error.strerror})"
    if begin.startswith(LFS_POINTER):
        return POINTER
    if not begin:
        return "is empty"
    if begin.startswith(b"RIFF") and n_bytes < (whole := _riff_bytes(begin)):
        return f"was cut off: it has {n_bytes:,} of {whole:,} bytes"
    return None


def _riff_bytes(begin: bytes) -> int:
    """Size of a whole wav file, as its first bytes say it."""
    return RIFF_HEADER_BYTES + int.from_bytes(begin[4:RIFF_HEADER_BYTES], "little")


def how_to_replace(folder: Path, damage: str) -> str:
    """A sentence on how to get damaged clips of a folder whole."""
    download = f"`{how_to_run('corpus')} download --to {shlex.quote(str(folder))}`"
    if damage == POINTER:
        return f"{PULL}, or with {download}."
    return f"Get it whole with {download}."
