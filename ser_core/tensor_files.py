"""Files of tensors (safetensors) from anywhere: of types that this project writes, and no others."""

from __future__ import annotations

from typing import Any

FLOATS = ("F16", "BF16", "F32", "F64")
"""Types that torch computes with; its types of 8 bits can't even be looked through for what is not a number."""

ARRAYS = ("F16", "F32", "F64", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64", "BOOL")
"""Types that numpy has."""


def check_types(file: Any, types: tuple[str, ...]) -> None:
    """Look at what a header says, before anything is read.

    Args:
        file: opened by `safetensors.safe_open`.
        types: that may be in it, as safetensors calls them.

    Raises:
        ValueError: another is in it.
    """
    for name in file.keys():  # noqa: SIM118
        if (kind := file.get_slice(name).get_dtype()) not in types:
            raise ValueError(f"{name} has the type {kind}")
