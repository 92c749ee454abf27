"""What is expensive is loaded once, also by threads that come together; and what they share, they may share."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import silero_vad

from ser_core.audio import vad
from ser_core.audio.preprocess import load_audio
from ser_core.corpus import clips as cremad
from ser_core.once import once

N_THREADS = 8


def together(function: Callable[[], object]) -> list[object]:
    """What a function gives to threads that call it at the same moment."""
    barrier = threading.Barrier(N_THREADS)

    def call(_: int) -> object:
        barrier.wait()
        return function()

    with ThreadPoolExecutor(N_THREADS) as pool:
        return list(pool.map(call, range(N_THREADS)))


def test_threads_that_come_together_get_the_same_thing():
    calls = []

    @once
    def load() -> object:
        """What it says."""
        calls.append(1)
        time.sleep(0.05)
        return object()

    first = together(load)
    assert len(set(map(id, first))) == len(calls) == 1
    assert load.__doc__ == "What it says."
    load.cache_clear()
    assert load() is not first[0]
    assert len(calls) == 2


def test_a_failure_is_not_kept():
    answers = iter([ValueError("not yet"), 3])

    @once
    def load() -> int:
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer  # type: ignore[return-value]

    with pytest.raises(ValueError, match="not yet"):
        load()
    assert load() == load() == 3


def test_the_voice_detector_is_loaded_once_by_threads(monkeypatch: pytest.MonkeyPatch):
    loaded, load = [], silero_vad.load_silero_vad

    def slowly(**options: object) -> object:
        loaded.append(1)
        time.sleep(0.05)
        return load(**options)

    monkeypatch.setattr(silero_vad, "load_silero_vad", slowly)
    vad._silero.cache_clear()
    detectors = together(vad._silero)
    assert len(loaded) == 1
    assert len(set(map(id, detectors))) == 1


def test_the_index_is_read_once_by_threads():
    cremad.load_index.cache_clear()
    try:
        assert len(set(map(id, together(cremad.load_index)))) == 1
    finally:
        cremad.load_index.cache_clear()


def test_threads_that_share_the_voice_detector_hear_what_one_alone_hears(corpus, clips):
    """The network has a state that goes from frame to frame: the threads' must not mix."""
    sounds = [load_audio(corpus.path(clip)) for clip in clips[:40]]
    alone = [vad.silero_intervals(sound, threshold=0.5) for sound in sounds]
    assert len({intervals.tobytes() for intervals in alone}) > 30
    for _ in range(3):
        with ThreadPoolExecutor(N_THREADS) as pool:
            shared = list(pool.map(lambda sound: vad.silero_intervals(sound, threshold=0.5), sounds))
        for one, other in zip(alone, shared, strict=True):
            np.testing.assert_array_equal(one, other)
