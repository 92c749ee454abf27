"""Settings of a run that change nothing beside its others, as how copies are changed where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_core.models.registry import MODELS

if TYPE_CHECKING:
    from ser_core.training.config import TrainConfig

PRETRAINED_ONLY = ("head_lr", "layer_decay", "frozen_epochs")
"""Settings of pretrained networks alone."""

TEACHER_ONLY = ("teacher_share", "teacher_temperature")
"""Settings of taught networks alone."""


def idle_settings(config: TrainConfig, *, taught: bool) -> dict[str, str]:
    """The names of idle settings, and why each is.

    Args:
        config: all settings.
        taught: whether it has a teacher.
    """
    idle = _idle_changes(config)
    if not config.refit:
        idle["refit_crop"] = "there is no --refit"
    if not taught:
        idle |= dict.fromkeys(TEACHER_ONLY, "there is no --teacher")
    network = MODELS[config.model]
    if not network.pretrained:
        idle |= dict.fromkeys(PRETRAINED_ONLY, f"{config.model} is not pretrained")
    if not network.configurable:
        idle |= dict.fromkeys(vars(config.network), f"{config.model} is made as it is")
    elif config.network.head == "none":
        idle["blocks"] = "there is no head"
    if "contours" not in network.inputs or not {"pitch", "voicing"} & {*config.network.contours}:
        idle["pitch_path"] = f"{config.model} is given no pitch"
    if config.audio.pipeline == "report":
        idle["noise_db"] = "the pipeline is report"
    if config.audio.vad == "none":
        methods = [name for name in vars(config.audio) if name.startswith("vad_")]
        idle |= dict.fromkeys(methods, "no voice activity is detected with --vad none")
    elif config.audio.vad == "energy":
        idle["vad_threshold"] = "--vad energy has no threshold"
    return idle


def _idle_changes(config: TrainConfig) -> dict[str, str]:
    """Of how copies are changed: those in training, and the one that a classifier may be fitted to after it."""
    refitted = bool(config.refit and config.refit_crop)
    if not (config.copies or refitted):
        return dict.fromkeys(vars(config.augmentation), "no clip is changed unless --copies is 1 or more")
    if not config.copies:
        return {"crop": "no clip is changed in training unless --copies is 1 or more"}
    if not (config.augmentation.crop or refitted):
        return {"crop_share": "no clip is cut unless --crop is above 0"}
    return {}
