"""Files of all formats that were damaged at random: each is read as far as it goes, or is a sentence."""

import contextlib
import time

import numpy as np
import pytest

from ser_core.audio.preprocess import read_audio
from ser_core.errors import AudioError
from tests.audio.encoded import MADE

N_EACH = 20
MAX_SECONDS = 5.0  # that reading one may take


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, changed anywhere or in its header, with a piece missing, or a piece twice."""
    changed, place, length = bytearray(data), int(rng.integers(len(data))), int(rng.integers(1, 400))
    match rng.integers(5):
        case 0:
            del changed[max(1, place) :]
        case 1 | 2 as where:
            for _ in range(rng.integers(1, 20)):
                changed[rng.integers(len(data) if where == 1 else min(200, len(data)))] = rng.integers(256)
        case 3:
            del changed[place : place + length]
        case _:
            changed[place:place] = changed[:length]
    return bytes(changed)


@pytest.mark.parametrize("suffix", MADE)
def test_damaged_files_are_read_or_refused(suffix: str):
    data, rng = MADE[suffix](), np.random.default_rng(0)
    for _ in range(N_EACH):
        began = time.monotonic()
        with contextlib.suppress(AudioError):
            audio, _ = read_audio(damaged(data, rng), max_seconds=600)
            assert np.isfinite(audio).all()
        assert time.monotonic() - began < MAX_SECONDS
