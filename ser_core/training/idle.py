"""Which settings of how clips are changed change nothing themselves: where no clip is, or none is cut."""

from __future__ import annotations

from ser_core.audio.changes.augment import AugmentationConfig


def idle_changes(augmentation: AugmentationConfig, copies: int, refitted: bool) -> dict[str, str]:
    """The names of such settings, and why.

    Args:
        augmentation: how copies are changed.
        copies: that are trained on.
        refitted: whether a classifier is fitted to one more copy, which is cut as often as another setting says.
    """
    if not (copies or refitted):
        return dict.fromkeys(vars(augmentation), "no clip is changed unless --copies is 1 or more")
    if not copies:
        return {"crop": "no clip is changed in training unless --copies is 1 or more"}
    if not (augmentation.crop or refitted):
        return {"crop_share": "no clip is cut unless --crop is above 0"}
    return {}
