"""How long a predictor takes for a recording."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.synthetic import EXAMPLES, synthesize

if TYPE_CHECKING:
    from ser_core.serving.predictor import Predictor

SECONDS = 3.0
WARM_UP, CALLS = 1, 7


def one_core_milliseconds(predictor: Predictor) -> float:
    """From 3 s of audio to probabilities, all steps but decoding, on one core: the median of seven calls."""
    from threadpoolctl import threadpool_limits

    voice = synthesize(next(iter(EXAMPLES.values())))
    audio = np.resize(voice, round(SECONDS * SAMPLE_RATE))  # repeated until it is that long
    with threadpool_limits(1):
        times = [_timed(predictor, audio) for _ in range(WARM_UP + CALLS)]
    return 1000 * median(times[WARM_UP:])


def _timed(predictor: Predictor, audio: np.ndarray) -> float:
    started = time.perf_counter()
    predictor.classify(audio)
    return time.perf_counter() - started
