"""What the name of a run says of its settings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ser_core.files import safe_name

LONGEST_NAME = 100
"""Letters of a run's name, so that every file system takes it."""

BASE = "base"  # in a name: what follows is added to the network's base


def of_a_length(name: str) -> str:
    """A name of at most `LONGEST_NAME` letters, which differs wherever the whole one does."""
    if len(name) <= LONGEST_NAME:
        return name
    end = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - len(end) - 1].rstrip('-')}-{end}"


def in_a_name(key: str, value: Any) -> str:
    """What a run's name says of an unusual setting."""
    said = key.replace("_", "-")
    match key:
        case "form" | "vad" | "pipeline":
            return value
        case "split":
            return f"split-{BASE}" if Path(value).stem == BASE else Path(value).stem
        case "select":
            return f"by-{value}"
        case "teacher":
            return f"taught-by-{safe_name(value)}"
        case "batch_size":
            return f"batch{value}"
        case "warmup_epochs":
            return f"warmup{value}"
        case "spectral" | "contours":
            return "+".join(value) or f"no-{said}"
        case "mel_windows":
            return said + "+".join(map(str, value))
        case "head" | "pooling":
            return f"{value}-{key}"
        case "squeeze" | "pitch_path":
            return said if value else f"no-{said}"
        case _ if isinstance(value, float):  # 0 and 0.0 are one setting
            return f"{said}{value:g}"
        case _ if isinstance(value, tuple):
            return f"{said}{'to'.join(f'{part:g}' for part in value)}"
        case _:
            return f"{said}{value}"
