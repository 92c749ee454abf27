"""Feeding a listener in tests."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.serving.listener import Heard, Listener
from ser_core.serving.stream import blocks

PATIENCE_SECONDS = 30


def wait_for(listener: Listener, condition: Callable[[Heard], bool]) -> Heard:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition(heard := listener.look()):
            return heard
        time.sleep(0.02)
    pytest.fail(f"after {PATIENCE_SECONDS} s: {listener.look()}")


def feed(listener: Listener, audio: np.ndarray, size: int = SAMPLE_RATE // 2) -> Heard:
    """Feed 16-bit blocks, each after the one before was heard."""
    heard = listener.look()
    for block in blocks((audio * 32767).astype(np.int16)[None], size):
        listener.feed(block, SAMPLE_RATE)
        heard = wait_for(listener, lambda heard: heard.backlog_seconds < 0.001)
    return heard
