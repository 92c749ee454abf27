"""What tests share. A test that can't run here says why and is skipped; in CI (CI=true) that is a failure."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path

# Tests run in several processes at once (Makefile). Threads that wait for each other would keep a core from another
# process, so each has one. Read when numpy and torch are loaded, here and in all processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from ser_core.audio.preprocess import AudioConfig
from ser_core.checksums import remove_sums
from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.records.checkpoints import CheckpointConfig, save_checkpoint
from ser_core.records.embedding import EmbeddingStatistics
from tests.helpers import CROWDED, IN_CI, LONGEST_FIRST, QUICK, REAL_TIME, SHARED, skip_or_fail, tone

GIVE_WAY = 10  # of 0, the highest priority, to 19


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest or mostly waits comes first, so that the other tests run beside it."""

    def position(item: pytest.Item) -> int:
        marks = list(item.iter_markers())
        return next((i for i, mark in enumerate(LONGEST_FIRST) if mark in marks), len(LONGEST_FIRST))

    items.sort(key=position)
    for item in items:
        if IN_CI and any(mark in CROWDED for mark in item.iter_markers()):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes that a test makes may hold the time of day (float wavs do), and all processes must know it by one name."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_collection() -> None:
    """Tests load libraries whose objects stay: nobody looks for garbage among them, neither now nor later."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Sound waits for nobody: other tests, and all that they start, give way to those that hear it."""
    if not is_real_time(item) and os.getpriority(os.PRIO_PROCESS, 0) < GIVE_WAY:
        os.setpriority(os.PRIO_PROCESS, 0, GIVE_WAY)


def is_real_time(item: pytest.Item) -> bool:
    return REAL_TIME.mark in item.iter_markers()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The official tables and some official clips."""
    if not SHARED.is_dir():
        skip_or_fail("needs ../shared/crema-d, the official tables and clips")
    return SHARED


@pytest.fixture(scope="session")
def corpus(shared: Path) -> Corpus:
    """The 313 real clips."""
    return Corpus(shared / "clips")


@pytest.fixture(scope="session")
def clips(corpus: Corpus) -> list[Clip]:
    """Those of the index that are in `corpus`, by name."""
    return [clip for clip in load_index().values() if clip.name in corpus.present]


@pytest.fixture(scope="session")
def feature_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features that all tests of this run share, in whichever process, where it doesn't matter who computed them."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "features"


@pytest.fixture(scope="session")
def speech_like() -> np.ndarray:
    """Two seconds of a modulated tone between silences: float32 at 16 kHz."""
    return tone(220, 2.0) * (0.6 + 0.4 * tone(3, 2.0)) * 0.5


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one untrained checkpoint of each architecture and form; tests change them, so they have no sums."""
    import torch

    from ser_core.models.registry import build_model

    root = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    for model in ("1d", "2d", "combined"):
        for form in ("fixed", "variable", "mean"):
            name = f"{model}-{form}"
            network = build_model(model, "silu", form)
            weights = network.state_dict()
            provenance = {"test": {"val_accuracy": 0.5 if name == "2d-fixed" else 0.4}}
            config = CheckpointConfig(name, model, "silu", form, AudioConfig(), FeatureConfig(), provenance)
            width = next(layer.in_features for layer in network.modules() if isinstance(layer, torch.nn.Linear))
            of_emotions = np.eye(len(EMOTIONS), width, dtype=np.float32)
            statistics = EmbeddingStatistics(np.zeros(width, np.float32), np.ones(width, np.float32), of_emotions)
            save_checkpoint(root / name, config, weights, "untrained", statistics)
            remove_sums(root / name)
    return root


@pytest.fixture(scope="module")
def tiny(clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split of the shared clips; those that are trained on are of the report's training part."""
    parts = {part: [clip.name for clip in clips if clip.report_split == part] for part in ("train", "val", "test")}
    path = tmp_path_factory.mktemp("split") / "tiny.json"
    path.write_text(json.dumps(parts | {"test": parts["test"][:20]}))
    return path


@pytest.fixture
def options(corpus, tiny: Path, feature_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line of a small grid of two runs."""
    monkeypatch.setenv("SER_CACHE_DIR", str(feature_cache))
    folders = ["--corpus", str(corpus.folder), "--out", str(tmp_path)]
    return ["report", "--split", str(tiny), "--only", *QUICK, "--device", "cpu", *folders]
