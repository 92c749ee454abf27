"""The page's answers in code: lines of Python and commands that give them elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
import streamlit as st

from ser_app.clip_view import wav
from ser_app.tuning import tuned_to

FEW_FILES = 4  # are named one by one; more of them, by their folder
FOLDER = "recordings"  # stands for wherever they lie


def python_lines(files: Sequence[str], names: Sequence[str], min_confidence: float, any_sound: bool) -> str:
    """Python that prints what checkpoints say about files.

    Args:
        files: their names, any at all; of more than `FEW_FILES`, those in the folder `FOLDER` are classified.
        names: of the checkpoints.
    """
    settings = f"min_confidence={min_confidence:g}{', any_sound=True' * any_sound}"
    several, together = len(names) > 1, len(files) > 1
    load = f"Predictor.load({'name' if several else repr(names[0])}, {settings})"
    lines = ["from ser_core import Predictor"]
    if len(files) > FEW_FILES:
        lines = [
            "from pathlib import Path",
            *lines,
            "from ser_core.sound_files import find_recordings",
            f"files, _ = find_recordings(Path({FOLDER!r}))",
        ]
    elif together:
        lines.append(f"files = {[_file(file) for file in files]!r}")
    indent = " " * 4 * several
    if several:
        lines.append(f"for name in {list(names)!r}:")
    lines.append(f"{indent}predictor = {load}")
    if together:
        lines += [
            f"{indent}for file, result in zip(files, predictor.classify_many(files)):",
            f"{indent}    print(file, getattr(result, 'answer', result), getattr(result, 'probabilities', ''))",
        ]
    else:
        lines += [
            f"{indent}prediction = predictor({_file(files[0])!r})",
            f"{indent}print(prediction.answer, prediction.confidence, prediction.probabilities)",
        ]
    return "\n".join(lines)


def commands(files: Sequence[str], names: Sequence[str], min_confidence: float, any_sound: bool) -> str:
    """Commands of a shell that print the same, one for each checkpoint; arguments as in `python_lines`."""
    where = [FOLDER] if len(files) > FEW_FILES else [_file(file) for file in files]
    flags = ["--min-confidence", f"{min_confidence:g}", *["--any-sound"] * any_sound]
    command = ["python", "-m", "ser_core.predict", *where, "--checkpoint"]
    return "\n".join(shlex.join([*command, name, *flags]) for name in names)


def show_code(
    files: Sequence[str],
    names: Sequence[str],
    min_confidence: float,
    any_sound: bool,
    made_here: np.ndarray | None = None,
) -> None:
    """Draw them, closed until they are opened.

    Args:
        made_here: float32 `[samples]` at 16 kHz of a recording that is no file yet, which is offered as one.
    """
    with st.expander("Use it in code", icon=":material/code:"):
        if made_here is not None:
            files = [f"{PurePath(files[0]).stem}.wav"]
            st.caption("This sound is not a file yet: save it first.")
            st.download_button(
                f"Save {files[0]}",
                wav(made_here, "FLOAT"),
                files[0],
                "audio/wav",
                icon=":material/download:",
                on_click="ignore",
            )
        if len(files) > FEW_FILES:
            st.caption(f"`{FOLDER}` stands for the folder in which your recordings are.")
        if tuned_to():
            st.caption(
                "The models are tuned to a voice on this page. In Python, `predictor.adapt([…])` does that with files "
                "of it, and in the command, `--adapt FILE`."
            )
        st.caption("Both work in the project's folder; after `pip install .`, anywhere.")
        st.markdown("In Python:")
        st.code(python_lines(files, names, min_confidence, any_sound), language="python", wrap_lines=True)
        st.markdown("In a terminal:")
        st.code(commands(files, names, min_confidence, any_sound), language="bash", wrap_lines=True)


def _file(name: str) -> str:
    """A name that no command takes for a flag."""
    return f"./{name}" if name.startswith("-") else name
