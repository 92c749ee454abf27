"""What is loaded once in a process, also when several threads ask for it at the same time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache, update_wrapper
from typing import Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 (a decorator)
    """Makes a function without arguments run once, and give that result ever after.

    Those who call it while it runs wait for it: `functools.cache` would let each of them run it again.
    """

    def __init__(self, function: Callable[[], T]):
        self._cached = cache(function)
        self._lock = threading.Lock()
        update_wrapper(self, function)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._unlock)

    def _unlock(self) -> None:
        """In a forked process: the thread that may have held the lock isn't there."""
        self._lock = threading.Lock()

    def __call__(self) -> T:
        with self._lock:
            return self._cached()

    def cache_clear(self) -> None:
        """Forget the result: the next call runs the function again."""
        with self._lock:
            self._cached.cache_clear()
