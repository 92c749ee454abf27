"""What tests share. A test that can't run here says why and is skipped; in CI (CI=true) that is a failure."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.clips import Clip, load_index
from ser_core.corpus.folder import Corpus
from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.records.checkpoints import CheckpointConfig, save_checkpoint

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "crema-d"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 72862\n"
IN_CI = os.environ.get("CI") == "true"


def skip_or_fail(reason: str) -> None:
    """Skip here, fail in CI, where everything has to be there."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


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
def speech_like() -> np.ndarray:
    """Two seconds of a modulated tone between silences: float32 at 16 kHz."""
    return tone(220, 2.0) * (0.6 + 0.4 * tone(3, 2.0)) * 0.5


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one untrained checkpoint of each architecture and form."""
    import torch

    from ser_core.models.registry import build_model

    root = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    for model in ("1d", "2d", "combined"):
        for form in ("fixed", "variable", "mean"):
            name = f"{model}-{form}"
            weights = build_model(model, "silu", form).state_dict()
            provenance = {"test": {"val_accuracy": 0.5 if name == "2d-fixed" else 0.4}}
            config = CheckpointConfig(name, model, "silu", form, AudioConfig(), FeatureConfig(), provenance)
            save_checkpoint(root / name, config, weights, "untrained")
    return root


def save_opinionated(root: Path, name: str, emotion: str, *, val_accuracy: float = 0.5) -> Path:
    """A checkpoint that hears one emotion in all speech, with 80 %: what it says is known without training it."""
    import torch

    from ser_core.models.registry import build_model

    weights = build_model("1d", "silu").state_dict()
    *_, weight, bias = weights
    weights[weight].zero_()
    weights[bias].copy_(3.0 * torch.eye(len(EMOTIONS))[EMOTIONS.index(emotion)])
    provenance = {"test": {"val_accuracy": val_accuracy}}
    config = CheckpointConfig(name, "1d", "silu", "fixed", AudioConfig(), FeatureConfig(), provenance)
    save_checkpoint(root / name, config, weights, "untrained")
    return root / name


def tone(frequency: float, seconds: float, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """A sine of amplitude 1, float32."""
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * sample_rate)) / sample_rate).astype(np.float32)
