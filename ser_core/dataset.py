"""The corpus as tensors: a feature cache on disk, and batches from memory.

A cache is a folder named after a hash of everything that decides its content: the preprocessing, the features, the
data's checksum and the code that computes them. Anything else is another folder, so nothing stale is ever read; a
folder gets its name only when it is complete, so a killed build leaves nothing that could be read, and the next one
removes what it left.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from filelock import FileLock

from ser_core.audio import AudioConfig, preprocess, z_score
from ser_core.clip_file import load_clip
from ser_core.cremad import Clip, Corpus, load_index
from ser_core.equality import ByContent
from ser_core.errors import CorpusError
from ser_core.features import (
    FeatureConfig,
    fix_frames,
    log_mel,
    mean_over_time,
    mel_image,
    scale_mel,
    spectral_features,
)
from ser_core.workers import map_in_processes

SOURCES = ("audio", "dataset", "decode", "features", "ffmpeg", "filterbanks", "vad")
"""Modules whose code decides the numbers."""

COMPUTING_LIBRARIES = ("numpy", "scipy", "soundfile", "av", "soxr", "silero-vad", "onnxruntime", "pillow")
"""Libraries whose versions decide the numbers, too."""

CACHE_VARIABLE = "SER_CACHE_DIR"
UNFINISHED = ".unfinished-"

Form = Literal["fixed", "variable", "mean"]
"""`fixed`: 27 × 301 and 64 × 64; `variable`: 27 × frames and 64 × frames; `mean`: 1 × 27 and 64 × 64."""

FORMS: tuple[Form, ...] = ("fixed", "variable", "mean")


def network_inputs(
    waveform: np.ndarray, inputs: Sequence[str], form: Form, features: FeatureConfig
) -> dict[str, np.ndarray]:
    """Speech to what a network takes: the one place where training and prediction meet.

    Args:
        waveform: float32 `[samples]`, from `ser_core.audio.preprocess`.
        inputs: `spectral`, `mel` or both.
        form: see `Form`.

    Returns:
        by input: float32 `spectral` `[27, frames]` (`[1, 27]` for `mean`), `mel` `[1, 64, frames]`.
    """
    arrays = {}
    if "spectral" in inputs:
        spectral = spectral_features(waveform, features)
        match form:
            case "fixed":
                spectral = fix_frames(spectral, features.n_frames)
            case "mean":
                spectral = mean_over_time(spectral)
        arrays["spectral"] = spectral
    if "mel" in inputs:
        decibels = log_mel(waveform, features)
        arrays["mel"] = scale_mel(decibels)[None] if form == "variable" else mel_image(decibels, features)
    return arrays


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
    folder = Path(__file__).parent
    code = [(folder / f"{module}.py").read_text(encoding="utf-8") for module in SOURCES]
    return _digest([*code, *(version(library) for library in COMPUTING_LIBRARIES)])


def cache_key(clips: Sequence[Clip], input_name: str, form: Form, audio: AudioConfig, features: FeatureConfig) -> str:
    """Name of the cache folder: differs whenever the cached numbers could."""
    # The mel image doesn't depend on how the spectral frames are summarised, so both forms share it.
    form = "fixed" if (input_name, form) == ("mel", "mean") else form
    settings = [code_checksum(), data_checksum(clips), asdict(audio), asdict(features)]
    return f"{input_name}-{form}-{_digest(settings)}"


def load_features(
    corpus: Corpus,
    inputs: Sequence[str],
    *,
    form: Form = "fixed",
    audio: AudioConfig = AudioConfig(),
    features: FeatureConfig = FeatureConfig(),
    clips: Sequence[Clip] | None = None,
    cache_dir: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, FeatureSet]:
    """Features of all clips, from the cache or computed once; several inputs are computed in one pass.

    A process that finds another one computing waits for it: runs side by side compute nothing twice.

    Args:
        corpus: where the wav files are.
        inputs: `spectral`, `mel` or both.
        clips: the clips and their order; all 7,442 by name if not given.
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
    folders = {name: root / cache_key(clips, name, form, audio, features) for name in inputs}
    if _missing(folders):
        corpus.require(clips)
        paths = [corpus.path(clip) for clip in clips]
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".computing.lock"):
            missing = _missing(folders)  # less than before, if this waited
            jobs = [(paths[i : i + 64], list(missing), form, audio, features) for i in range(0, len(paths), 64)]
            if missing:
                _remove_unfinished(root)
                _build(missing, jobs, workers or os.cpu_count() or 1, len(paths), progress)
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
    job: tuple[Sequence[Path], Sequence[str], Form, AudioConfig, FeatureConfig],
) -> list[dict[str, np.ndarray]]:
    paths, inputs, form, audio, features = job
    return [network_inputs(clip_waveform(path, audio), inputs, form, features) for path in paths]


def clip_waveform(path: Path, audio: AudioConfig) -> np.ndarray:
    """A corpus clip's speech; a clip without any (one is digital silence) is kept whole, as the split keeps it.

    Raises:
        CorpusError: the file is damaged, and its name.
    """
    speech = preprocess(load_clip(path), audio)
    if len(speech.intervals):
        return speech.waveform
    return z_score(speech.audio) if audio.normalize else speech.audio


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
