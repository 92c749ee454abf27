"""What pages call a checkpoint, and say of it.

It is called by its network as long as no other is of the same kind, and else by its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ser_app.address import choose_titled
from ser_app.messages import literal
from ser_core.errors import SERError
from ser_core.file_state import Fingerprint, fingerprint
from ser_core.words import code

if TYPE_CHECKING:
    from ser_core.records.checkpoints import CheckpointConfig


def title(name: str) -> str:
    """What to call a checkpoint, as `Whisper-base`."""
    return titles().get(name, name)


def titles() -> dict[str, str]:
    """What to call each checkpoint that there is, by its name."""
    from ser_core.records.checkpoints import checkpoints_dir, list_checkpoints

    folder = checkpoints_dir()
    names = list_checkpoints(folder)
    return _titles(str(folder), names, fingerprint(*(folder / name / "config.json" for name in names)))


@st.cache_data(max_entries=2, show_spinner=False)
def _titles(folder: str, names: Sequence[str], files: Fingerprint) -> dict[str, str]:
    from ser_core.records.checkpoints import load_config

    networks = {}
    for name in names:
        try:
            networks[name] = network(load_config(Path(folder) / name))
        except SERError:
            networks[name] = name
    n_alike = Counter([*networks.values(), *names])
    return {name: called if n_alike[called] == 1 else name for name, called in networks.items()}


def network(config: CheckpointConfig) -> str:
    """What a checkpoint's network is called: one that a teacher taught is another, as in the tables of runs."""
    from ser_core.models.registry import MODELS

    known = MODELS.get(config.model)
    return (known.title if known else config.model) + (" with a teacher" if teacher_of(config) else "")


def teacher_of(config: CheckpointConfig) -> str:
    """What the network that taught a checkpoint is called; empty if none did."""
    from ser_core.models.registry import MODELS

    teacher = config.provenance.get("environment")
    for key in ("teacher", "model"):
        teacher = teacher.get(key) if isinstance(teacher, dict) else None
    return MODELS[teacher].title if teacher in MODELS else ""


def about_checkpoint(name: str) -> str:
    """What a checkpoint is and what for, as Markdown; nothing where it can't be read."""
    from ser_core.models.registry import architecture
    from ser_core.records.checkpoints import checkpoints_dir, load_config

    try:
        config = load_config(checkpoints_dir() / name)
        purpose = architecture(config.model).purpose
    except SERError:
        return ""
    teacher = teacher_of(config)
    taught = f" It also learned from what {teacher} hears in the training clips." if teacher else ""
    return f"{purpose[0].upper()}{purpose[1:]}.{taught}"


def introduced(name: str) -> str:
    """What a checkpoint is called, its name, which commands take, and what it is, as Markdown."""
    called = title(name)
    names = f"**{literal(called)}**" + (f" ({code(name)})" if called != name else "")
    return f"{names}: {about_checkpoint(name)}"


def choose_model(widget: Callable[..., Any], names: Sequence[str], *, key: str = "model", **more: Any) -> str:
    """Draw the choice of one checkpoint, which the address keeps: by what it is called, or by its name."""
    chosen: str = choose_titled(widget, "Model", _called(names), key=key, **more)
    return chosen


def choose_models(names: Sequence[str], *, key: str = "models", **more: Any) -> list[str]:
    """Draw the choice of several checkpoints, which the address keeps."""
    chosen: list[str] = choose_titled(st.multiselect, "Models", _called(names), key=key, several=True, **more)
    return chosen


def _called(names: Sequence[str]) -> dict[str, str]:
    called = titles()
    return {name: called.get(name, name) for name in names}
