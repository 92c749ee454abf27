"""Features of the whole corpus, computed once and kept on disk.

A cache is a folder named after a hash of everything that decides its content: the preprocessing, the features, the
data's checksum and the code that computes them. Anything else is another folder, so nothing stale is ever read; a
folder gets its name only when it is complete, so a killed build leaves nothing that could be read, and the next one
removes what it left.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock

from ser_core.audio.changes.augment import AugmentationConfig, augment
from ser_core.audio.preprocess import AudioConfig, preprocess, z_score
from ser_core.corpus.clip_file import load_clip
from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.errors import CorpusError
from ser_core.features.config import FeatureConfig
from ser_core.features.feature_set import UNFINISHED, FeatureSet, _Writer
from ser_core.features.inputs import Form, network_inputs
from ser_core.workers import map_in_processes

SOURCES = ("audio", "features")
"""Packages whose code decides the numbers."""

COMPUTING_LIBRARIES = ("numpy", "scipy", "soundfile", "av", "soxr", "silero-vad", "onnxruntime", "pillow")
"""Libraries whose versions decide the numbers, too."""

CACHE_VARIABLE = "SER_CACHE_DIR"


def default_cache_dir() -> Path:
    """Where features are cached unless the user says otherwise: `$SER_CACHE_DIR`, or a folder of the user's cache."""
    if configured := os.environ.get(CACHE_VARIABLE):
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ser-cremad") / "features"


def data_checksum(clips: Sequence[Clip]) -> str:
    """Twelve hexadecimal digits over the names and official checksums of the clips."""
    return _digest([(clip.name, clip.sha256) for clip in clips])


@cache
def code_checksum() -> str:
    """Twelve hexadecimal digits over the code that computes features, and the versions of the libraries it uses."""
    root = Path(__file__).parents[1]
    modules = sorted(path for package in SOURCES for path in (root / package).rglob("*.py"))
    code = [path.read_text(encoding="utf-8") for path in modules]
    return _digest([*code, *(version(library) for library in COMPUTING_LIBRARIES)])


class ChangedCopy(NamedTuple):
    """One of several copies of the clips, each of which was changed at random before anything else was done to it.

    Attributes:
        number: from 0 up; each is another draw, the same every time.
        augmentation: how much is changed.
    """

    number: int
    augmentation: AugmentationConfig


def cache_key(
    clips: Sequence[Clip],
    input_name: str,
    form: Form,
    audio: AudioConfig,
    features: FeatureConfig,
    copy: ChangedCopy | None = None,
) -> str:
    """Name of the cache folder: differs whenever the cached numbers could."""
    # The mel image doesn't depend on how the spectral frames are summarised, so both forms share it.
    form = "fixed" if (input_name, form) == ("mel", "mean") else form
    settings: list[object] = [code_checksum(), data_checksum(clips), asdict(audio), asdict(features)]
    if copy:
        settings += [copy.number, asdict(copy.augmentation)]
    return f"{input_name}-{form}-{_digest(settings)}"


def load_features(
    corpus: Corpus,
    inputs: Sequence[str],
    *,
    form: Form = "fixed",
    audio: AudioConfig = AudioConfig(),
    features: FeatureConfig = FeatureConfig(),
    clips: Sequence[Clip] | None = None,
    copy: ChangedCopy | None = None,
    cache_dir: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, FeatureSet]:
    """Features of all clips, from the cache or computed once; several inputs are computed in one pass.

    A process that finds another one computing waits for it: runs side by side compute nothing twice.

    Args:
        corpus: where the wav files are.
        inputs: some of `ser_core.features.inputs.InputName`.
        clips: the clips and their order; all 7,442 by name if not given.
        copy: of changed clips instead of the clips as they are.
        workers: processes that compute; all cores if not given.
        progress: called with (clips done, clips in all).

    Returns:
        the features by input.

    Raises:
        CorpusError: clips are missing or damaged, or the list is empty.
    """
    clips = list(load_index().values() if clips is None else clips)
    if not clips:
        raise CorpusError("Features are computed of one clip or more, and the list of clips is empty.")
    root = cache_dir or default_cache_dir()
    folders = {name: root / cache_key(clips, name, form, audio, features, copy) for name in inputs}
    if _missing(folders):
        corpus.require(clips)
        files = [(corpus.path(clip), clip.name) for clip in clips]
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".computing.lock"):
            missing = _missing(folders)  # less than before, if this waited
            jobs = [(files[i : i + 64], list(missing), form, audio, features, copy) for i in range(0, len(files), 64)]
            if missing:
                _remove_unfinished(root)
                _build(missing, jobs, workers or os.cpu_count() or 1, len(files), progress)
    return {name: FeatureSet.load(folder) for name, folder in folders.items()}


def _missing(folders: dict[str, Path]) -> dict[str, Path]:
    return {name: folder for name, folder in folders.items() if not folder.is_dir()}


def _remove_unfinished(root: Path) -> None:
    """Remove what builds left that were killed; only who holds the cache's lock may do so."""
    for folder in root.glob(f"{UNFINISHED}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _build(
    folders: dict[str, Path], jobs: Sequence, workers: int, total: int, progress: Callable[[int, int], None] | None
) -> None:
    writers = {name: _Writer(folder) for name, folder in folders.items()}
    done = 0
    try:
        for block in map_in_processes(_compute, jobs, workers):
            for arrays in block:
                for name, writer in writers.items():
                    writer.add(arrays[name])
            done += len(block)
            if progress:
                progress(done, total)
        for writer in writers.values():
            writer.finish()
    finally:
        for writer in writers.values():
            writer.clean_up()


def _compute(
    job: tuple[Sequence[tuple[Path, str]], Sequence[str], Form, AudioConfig, FeatureConfig, ChangedCopy | None],
) -> list[dict[str, np.ndarray]]:
    files, inputs, form, audio, features, copy = job
    return [network_inputs(clip_waveform(path, name, audio, copy), inputs, form, features) for path, name in files]


def clip_waveform(path: Path, name: str, audio: AudioConfig, copy: ChangedCopy | None = None) -> np.ndarray:
    """A corpus clip's speech; a clip without any (one is digital silence) is kept whole, as the split keeps it.

    Args:
        name: differs from that of any other clip; what is changed in a copy is drawn by it.

    Raises:
        CorpusError: the file is damaged, and its name.
    """
    waveform = load_clip(path)
    if copy:
        # By the clip's name, so that neither the number of processes nor the other clips change what is drawn: a corpus
        # that calls its clips by the stems of their files has the same drawn beside others as by itself.
        name = path.stem if name.endswith(f"/{path.stem}") else name
        rng = np.random.default_rng([copy.number, zlib.crc32(name.encode())])
        waveform = augment(waveform, rng, copy.augmentation)
    speech = preprocess(waveform, audio)
    if len(speech.intervals):
        return speech.waveform
    return z_score(speech.audio) if audio.normalize else speech.audio


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
