"""What is remembered so that nothing is computed twice: as much as fits, the least used is forgotten first."""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


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


def give_back() -> None:
    """Return freed memory to the system, which glibc otherwise keeps wherever something lies behind it."""
    try:
        trim = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):  # another C library
        return
    trim(0)
