"""What is remembered so that nothing is computed twice: as much as fits, the least used is forgotten first."""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

V = TypeVar("V")

LONG_SECONDS = 0.01  # for a round of the garbage collector
WHOLE_SECONDS = 120.0  # from one round through everything to the next


class Memory(Generic[V]):
    """Values by key. Threads may share it.

    Args:
        most: what all values together may weigh; the newest stays even if it alone weighs more.
        weigh: what a value weighs, > 0.
    """

    def __init__(self, most: int, weigh: Callable[[V], int] = lambda _: 1):
        self._most, self._weigh, self._weight = most, weigh, 0
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """The value, which counts as used; None if there is none."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: V) -> None:
        """Remember it, in place of what was there."""
        with self._lock:
            if key in self._values:
                self._weight -= self._weigh(self._values.pop(key))
            self._values[key] = value
            self._weight += self._weigh(value)
            while self._weight > self._most and len(self._values) > 1:
                self._weight -= self._weigh(self._values.popitem(last=False)[1])

    def __len__(self) -> int:
        return len(self._values)


class ShortRounds:
    """Keeps the garbage collector's rounds short: what has stayed through a long one is left out of the next ones.

    Streamlit has all garbage collected after every run of a page or of a part of it. To go through all that torch,
    plotly and the models are made of takes 0.3 s, and meanwhile no thread of the server runs: with many visitors there
    is time for nothing else. What was left out is gone through again every two minutes, as it may be garbage by then.
    An entry of `gc.callbacks`.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._began = self._whole = clock()

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """Called by the collector before ("start") and after ("stop") each round."""
        if info["generation"] < 2:
            return
        now = self._clock()
        if phase == "start":
            self._began = now
            if now - self._whole > WHOLE_SECONDS:
                self._whole = now
                gc.unfreeze()
        elif now - self._began > LONG_SECONDS:
            gc.freeze()


def collect_everything() -> None:
    """Free all garbage, also what `ShortRounds` leaves out."""
    gc.unfreeze()
    gc.collect()


def give_back() -> None:
    """Return freed memory to the system, which glibc otherwise keeps wherever something lies behind it."""
    try:
        trim = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):  # another C library
        return
    trim(0)
