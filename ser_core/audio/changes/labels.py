"""What changes of training clips are called, in tables and on model cards."""

from __future__ import annotations

CHANGE_LABELS = {
    "noise": "noise",
    "spectrum": "equalisation and band limits",
    "room": "rooms",
    "gate": "noise suppression",
    "codec": "codecs",
    "gain": "level",
    "speed": "speed",
    "pitch": "pitch",
    "crop": "cuts",
}
"""By the settings of `ser_core.audio.changes.augment.AugmentationConfig` that say how many clips are changed so."""
