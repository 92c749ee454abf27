"""Librosa, the reference of features.

What it lets numba compile is compiled where it is called: as it is, it lets half a minute's worth of functions be
compiled when it is imported, in every process that finds them nowhere, and tests call one of them.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

MODULES = (
    "librosa.core.audio",
    "librosa.core.pitch",
    "librosa.util.utils",
    "librosa.feature.spectral",
    "librosa.effects",
)
"""Those with what tests use: librosa would import each when it is first needed."""


@cache
def _load() -> ModuleType:
    import numba

    guvectorize, vectorize = numba.guvectorize, numba.vectorize
    with pytest.MonkeyPatch.context() as patch:
        # Numba waits for a call where it isn't given the types of arguments.
        patch.setattr(numba, "guvectorize", lambda types, layout, **options: guvectorize(layout, **options))
        patch.setattr(numba, "vectorize", lambda types, **options: vectorize(**options))
        for module in MODULES:
            import_module(module)
    return import_module("librosa")


class _Librosa:
    """The module, imported by the first test that uses it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_load(), name)


librosa = _Librosa()
