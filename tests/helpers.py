"""What tests import: where things are, how a test that can't run says so, and sounds. Fixtures are in `conftest.py`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from ser_core.vad import SAMPLE_RATE

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "crema-d"
IN_CI = os.environ.get("CI") == "true"

REAL_TIME = pytest.mark.xdist_group("real time")
"""Of tests that hear a microphone: one at a time, first of all, while others run beside it (`conftest.py`)."""


def skip_or_fail(reason: str) -> NoReturn:
    """Skip here, fail in CI, where everything has to be there."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def tone(frequency: float, seconds: float, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """A sine of amplitude 1, float32 `[samples]`.

    Args:
        frequency: in Hz.
    """
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * sample_rate)) / sample_rate).astype(np.float32)
