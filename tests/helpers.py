"""What tests of several folders share, fixtures apart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import AudioConfig
from ser_core.checksums import remove_sums
from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.records.checkpoints import CheckpointConfig, save_checkpoint

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "crema-d"
CASES = ROOT.parent / "shared" / "cases"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 72862\n"
IN_CI = os.environ.get("CI") == "true"
REAL_TIME = pytest.mark.xdist_group("real time")
"""Of tests that hear a microphone: one at a time, first of all, while others run beside it (`conftest.py`)."""

BROWSER = pytest.mark.xdist_group("browser")
"""Of tests that share a browser and a server, which take seconds to start and to show each page for the first time."""

BROWSER_TOO = pytest.mark.xdist_group("browser too")
"""Others of the same kind, with a browser and a server of their own: all in one group would end last."""

COLD_SERVERS = pytest.mark.xdist_group("cold servers")
RAY = pytest.mark.xdist_group("ray")
"""Of tests that start a cluster: one at a time, since they look at all of its processes."""

CROWDED = (REAL_TIME.mark, BROWSER.mark, BROWSER_TOO.mark, COLD_SERVERS.mark, RAY.mark)
"""Of tests in which a crowded machine can lose a click, come late with sound or keep a process from starting. In CI
they get a second try, which the summary names; what is really broken fails twice."""

LONG = pytest.mark.long
LONGEST_FIRST = (REAL_TIME.mark, BROWSER.mark, BROWSER_TOO.mark, RAY.mark, COLD_SERVERS.mark, LONG.mark)
"""The order in which tests begin; then come all others, which are short and fill what time is left."""

QUICK = ("lr0.01-ELU-1D-mean-tiny", "lr0.001-ELU-1D-tiny")
"""Two short runs of `tests/training`, of the report's study with another split."""


def skip_or_fail(reason: str) -> NoReturn:
    """Skip here, fail in CI, where everything has to be there."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def case(name: str) -> Path:
    """A file or folder of ../shared/cases: recordings with which people had trouble elsewhere."""
    if not (CASES / name).exists():
        skip_or_fail(f"needs ../shared/cases/{name}")
    return CASES / name


def tone(frequency: float, seconds: float, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """A sine of amplitude 1, float32."""
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * sample_rate)) / sample_rate).astype(np.float32)


def save_opinionated(root: Path, name: str, emotion: str, *, val_accuracy: float = 0.5, strength: float = 3.0) -> Path:
    """A checkpoint that hears one emotion in all speech: what it says is known without training it.

    It has no sums, so that tests may change it.

    Args:
        strength: of its opinion, the logit of that emotion while all others are 0; 3 are 80 %.
    """
    import torch

    from ser_core.models.registry import build_model

    weights = build_model("1d", "silu").state_dict()
    *_, weight, bias = weights
    weights[weight].zero_()
    weights[bias].copy_(strength * torch.eye(len(EMOTIONS))[EMOTIONS.index(emotion)])
    provenance = {"test": {"val_accuracy": val_accuracy}}
    config = CheckpointConfig(name, "1d", "silu", "fixed", AudioConfig(), FeatureConfig(), provenance)
    save_checkpoint(root / name, config, weights, "untrained")
    remove_sums(root / name)
    return root / name
