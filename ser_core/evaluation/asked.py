"""Which checkpoints a command is about: one, or every one."""

from __future__ import annotations

from pathlib import Path

from ser_core.errors import ConfigError


def refuse_both(checkpoint: str | None, every: bool) -> None:
    """Nothing, unless the command line names a checkpoint and asks for every one.

    Raises:
        ConfigError: it does.
    """
    if checkpoint and every:
        raise ConfigError("Give --checkpoint or --every-checkpoint, not both.")


def asked_checkpoints(root: Path, checkpoint: str | None, every: bool) -> list[str]:
    """Names of the checkpoints in a folder that are asked for: all that can be used, or one, which has a default.

    Raises:
        CheckpointError: no checkpoint can have that name; or there is no default, for there is none that can be used.
    """
    from ser_core.records.checkpoints import checkpoint_folder, survey_checkpoints

    if every:
        return list(survey_checkpoints(root)[0])
    return [checkpoint_folder(root, checkpoint).name]
