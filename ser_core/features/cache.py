"""Features of the whole corpus, computed once and kept on disk.

A cache is a folder named after a hash of everything that decides its content: the preprocessing, the features, the
data's checksum and the code that computes them. Anything else is another folder, so nothing stale is ever read; a
folder gets its name only when it is complete, so a killed build leaves nothing that could be read, and the next one
removes what it left. Only clips with the checksum that the corpus says are computed; what was damaged since is computed
anew, which the log says.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from filelock import FileLock

from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.errors import CorpusError
from ser_core.features.clip_waveform import ChangedCopy, clip_waveform
from ser_core.features.config import FeatureConfig
from ser_core.features.feature_set import FeatureSet
from ser_core.features.inputs import Form, network_inputs
from ser_core.features.stored import DamagedFeaturesError, new_features, read_features
from ser_core.files import room_in
from ser_core.workers import cores, map_in_processes

logger = logging.getLogger(__name__)

SOURCES = ("audio", "features")
"""Packages whose code decides the numbers."""

KEEPING = ("cache.py", "stored.py")
"""Modules among them that only keep the numbers."""

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
    modules = sorted(path for package in SOURCES for path in (root / package).rglob("*.py") if path.name not in KEEPING)
    code = [path.read_text(encoding="utf-8") for path in modules]
    return _digest([*code, *(version(library) for library in COMPUTING_LIBRARIES)])


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
        CorpusError: clips are missing, damaged or others than their checksums say, or the list is empty.
        DiskFullError: there is no room for the features.
    """
    clips = list(load_index().values() if clips is None else clips)
    if not clips:
        raise CorpusError("Features are computed of one clip or more, and the list of clips is empty.")
    root = cache_dir or default_cache_dir()
    folders = {name: root / cache_key(clips, name, form, audio, features, copy) for name in inputs}
    found = _read(folders)
    for name, folder in folders.items():
        if name not in found and folder.is_dir():
            logger.warning("The features in %s are damaged: they are computed anew.", folder)
    if found.keys() != folders.keys():
        corpus.require(clips)
        files = [(corpus.path(clip), clip.name, clip.sha256) for clip in clips]
        with room_in(root):
            root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".computing.lock"):
            found |= _read(_without(folders, found))  # what was computed while this waited
            missing = _without(folders, found)
            jobs = [(files[i : i + 64], list(missing), form, audio, features, copy) for i in range(0, len(files), 64)]
            if missing:
                _build(missing, jobs, workers or cores(), len(files), progress)
        found |= _read(missing)
        for folder in _without(folders, found).values():
            raise CorpusError(
                f"{folder} was damaged while it was written: check that disk, or use another with --cache."
            )
    return {name: found[name] for name in folders}


def _without(folders: Mapping[str, Path], names: Iterable[str]) -> dict[str, Path]:
    return {name: folder for name, folder in folders.items() if name not in names}


def _read(folders: Mapping[str, Path]) -> dict[str, FeatureSet]:
    """Those that are there and whole."""
    found = {}
    for name, folder in folders.items():
        with suppress(DamagedFeaturesError):
            found[name] = read_features(folder)
    return found


def _build(
    folders: dict[str, Path], jobs: Sequence, workers: int, total: int, progress: Callable[[int, int], None] | None
) -> None:
    done = 0
    with ExitStack() as stack:
        writers = {name: stack.enter_context(new_features(folder)) for name, folder in folders.items()}
        for block in map_in_processes(_compute, jobs, workers):
            for arrays in block:
                for name, writer in writers.items():
                    writer.add(arrays[name])
            done += len(block)
            if progress:
                progress(done, total)


def _compute(
    job: tuple[Sequence[tuple[Path, str, str]], Sequence[str], Form, AudioConfig, FeatureConfig, ChangedCopy | None],
) -> list[dict[str, np.ndarray]]:
    files, inputs, form, audio, features, copy = job
    return [
        network_inputs(clip_waveform(path, name, audio, copy, sha256), inputs, form, features)
        for path, name, sha256 in files
    ]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
