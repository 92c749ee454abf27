"""Records that hold arrays or dicts, made comparable: `==` and `hash` of a plain dataclass raise on those."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import Field, fields
from typing import Any, ClassVar

import numpy as np


class ByContent:
    """Makes a frozen dataclass equal to another one of its class with the same content.

    Derive from it and say `eq=False`, so that dataclass doesn't put its own comparison in its place. An array equals
    another one of the same shape and values, NaN being equal to itself; so a record always equals its copy.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not type(self):
            return NotImplemented
        return all(_same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))

    def __hash__(self) -> int:
        return hash(tuple(_hashable(getattr(self, field.name)) for field in fields(self)))


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        is_float = all(np.issubdtype(array.dtype, np.inexact) for array in (first, second))
        return np.array_equal(first, second, equal_nan=is_float)
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return False
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and type(first) is type(second):
        return len(first) == len(second) and all(map(_same, first, second))
    return first is second or bool(first == second) or _both_nan(first, second)


def _both_nan(first: Any, second: Any) -> bool:
    return isinstance(first, float) and isinstance(second, float) and first != first and second != second


def _hashable(value: Any) -> Hashable:
    """Something that is equal for equal values; of an array its shape, since all that is in it takes long to hash."""
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, dict):
        return frozenset((key, _hashable(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, float) and value != value:
        return "nan"  # Python hashes each NaN differently
    return value
