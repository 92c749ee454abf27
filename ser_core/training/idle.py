"""Which settings change nothing: of how clips are changed where none is, and of features that no network gets."""

from __future__ import annotations

from ser_core.audio.changes.augment import AugmentationConfig
from ser_core.features.inputs import Form
from ser_core.models.registry import Architecture

OF_SPECTRAL = ("spectral", "frame_length", "hop_length", "n_mfcc", "mfcc_n_mels", "n_frames")
OF_MEL = ("mel_n_fft", "mel_hop_length", "n_mels", "mel_fmax", "image_size")
"""Settings of features, by the input that they make."""


def idle_changes(augmentation: AugmentationConfig, copies: int, refitted: bool) -> dict[str, str]:
    """The names of settings of how clips are changed that change nothing, and why.

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


def idle_features(network: Architecture, form: Form, spectral: tuple[str, ...]) -> dict[str, str]:
    """The names of settings of features that change nothing, and why.

    Args:
        network: what is trained, which takes some inputs.
        form: of the inputs.
        spectral: kinds of spectral features.
    """
    idle: dict[str, str] = {}
    if form != "fixed":
        idle["n_frames"] = f"with --form {form}, clips are not brought to one length"
    if form == "variable":
        idle["image_size"] = "with --form variable, there are no images of one size"
    if "mfcc" not in spectral:
        idle |= dict.fromkeys(("n_mfcc", "mfcc_n_mels"), "--spectral names no mfcc")
    if "spectral" not in network.inputs:
        idle |= dict.fromkeys(OF_SPECTRAL, f"{network.name} is given no spectral features")
    if "mel" not in network.inputs:
        idle |= dict.fromkeys(OF_MEL, f"{network.name} is given no mel image")
    return idle
