"""What an interrupted run saved, as far as it is known without torch: whether it can go on, and from where."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ser_core.errors import ConfigError, RunError
from ser_core.records.runs import Epoch
from ser_core.training.config import TrainConfig

if TYPE_CHECKING:
    from torch import Tensor

STATE_FILE = "state.safetensors"
DIGEST = "sha256"
"""Entry of the file's metadata: `digest` of all else in it. Older ones have none."""
RESTART = "--restart instead of --resume"


class Saved(NamedTuple):
    """What a saved state says of itself: its settings, its epochs so far, and in what arithmetic, if it says that."""

    config: TrainConfig
    history: list[Epoch]
    arithmetic: str | None


def read_state(folder: Path) -> Saved:
    """What `ser_core.training.trainer.Trainer.save` wrote, but for the weights; that they are all there is known, too.

    Raises:
        RunError: nothing was saved, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / STATE_FILE, "np") as file:
            metadata = file.metadata()
        history = [Epoch(*values) for values in json.loads(metadata["history"])]
        return Saved(TrainConfig.from_dict(json.loads(metadata["config"])), history, metadata.get("arithmetic"))
    except FileNotFoundError:
        raise RunError(f"There is nothing to resume in {folder}.") from None
    except (SafetensorError, OSError, TypeError, KeyError, ValueError, ConfigError):
        raise damaged(folder) from None


def digest(metadata: dict[str, str], tensors: dict[str, Tensor]) -> str:
    """SHA-256 of a saved state, by which a changed byte is noticed: 1 GB takes about a second."""
    total = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(tensors[name].numpy().tobytes())
    return total.hexdigest()


def damaged(folder: Path) -> RunError:
    """That the saved state in a folder can't be used, and what to do."""
    return RunError(f"{folder / STATE_FILE} is damaged: the run can't go on. Start over with {RESTART}.")
