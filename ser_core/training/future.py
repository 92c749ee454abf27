"""The report's future work, ingredient by ingredient: what each gives the small network of our own.

Each one is added to a base that has none of them, and taken from the whole (the usual settings of `--model conformer`);
where there are several of a kind, the others take the place of the whole's, and what the whole lacks is added to it.
Three seeds each. The validation set judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ser_core.features.contours import CONTOURS
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.config import DURATION, GIVEN
from ser_core.models.registry import architecture
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.steps import ALL_CHANGES, CHANGES, MIXUP, Step

MODEL = "conformer"
SEEDS = (42, 1, 7)
WHOLE = usual_config(MODEL).flat
COPIES = {"copies": WHOLE["copies"]}
REFIT = 0.02  # of 0.01 to 0.8, none has a lower validation loss by more than 0.002
WINDOWS = (1024, 2048)  # samples, 64 and 128 ms, beside 32 ms
NOTHING = architecture(MODEL).base
"""What the base has instead of the ingredients, by the names of settings in `TrainConfig.flat`."""


@dataclass(frozen=True)
class Ingredient:
    """One of the whole's, or another of its kind.

    Attributes:
        label: what it is, for a table.
        settings: what the base gets where it is added, by the names of settings in `TrainConfig.flat`.
        changed: what the whole gets where it is taken out, where it takes the place of another, or where it is added.
        instead: the ingredient of the whole whose place it takes; None where there is none.
        own: whether the whole has it.
        beside: the ingredient that it is compared with where it is added to the base, which has that, too; None where
            it is compared with the base alone.
    """

    label: str
    settings: Mapping[str, Any]
    changed: Mapping[str, Any]
    instead: str | None = None
    own: bool = True
    beside: str | None = None

    @property
    def how(self) -> str:
        """What happens to the whole, for a table."""
        if self.own:
            return f"- {self.label}"
        return f"- {self.instead} + {self.label}" if self.instead else f"+ {self.label}"


def _whole(label: str, *names: str) -> Ingredient:
    """An ingredient that is these settings of the whole."""
    return Ingredient(label, {name: WHOLE[name] for name in names}, {name: NOTHING[name] for name in names})


def _other(label: str, instead: str | None, name: str, value: Any) -> Ingredient:
    """One that the whole has in another kind, or not at all."""
    return Ingredient(label, {name: value}, {name: value}, instead, own=False)


def _change(name: str, label: str) -> Ingredient:
    """Copies that are changed in this way alone; and the whole's, without it."""
    return Ingredient(label, {**COPIES, name: WHOLE[name]}, {name: 0.0})


def _given(label: str, *names: str) -> Ingredient:
    """What is given beside the spectrogram."""
    return Ingredient(label, {"contours": names}, {"contours": tuple(name for name in GIVEN if name not in names)})


LOUDNESS, *PITCH = CONTOURS
INGREDIENTS = (
    _whole("SpecAugment", "spec_augment"),
    _other("mixup", None, "mixup", MIXUP),
    *(_change(name, label) for name, label in CHANGES.items()),
    Ingredient(ALL_CHANGES, {**COPIES, **{name: WHOLE[name] for name in CHANGES}}, {"copies": 0}),
    _whole("attentive pooling", "pooling"),
    _whole("squeeze-and-excitation", "squeeze"),
    _whole("conformer", "head"),
    *(_other(head, "conformer", "head", head) for head in ("transformer", "recurrent")),
    _whole("SiLU", "activation"),
    *(
        _other(ACTIVATIONS[name].label, "SiLU", "activation", name)
        for name in ACTIVATIONS
        if name not in (NOTHING["activation"], WHOLE["activation"])
    ),
    _whole("soft labels", "soft_labels"),
    _whole("averaged weights", "ema"),
    _whole("label smoothing", "label_smoothing"),
    _other("classifier fitted anew", None, "refit", REFIT),
    _whole("resolution over time", "mel_hop_length"),
    _other("several window lengths", None, "mel_windows", WINDOWS),
    _given("loudness", LOUDNESS),
    _given("pitch and voicing", *PITCH),
    Ingredient(
        "pitch path",
        {"contours": tuple(PITCH), "pitch_path": True},
        {"pitch_path": True},
        own=False,
        beside="pitch and voicing",
    ),
    _given(DURATION, DURATION),
)


def future_steps() -> list[Step]:
    """The base and the whole, and each ingredient taken from one or added to the other; of the first seed."""
    base, whole = "base", "whole"
    added = [
        Step(
            f"{base} + {one.label}",
            usual_config(MODEL, **{**NOTHING, **one.settings}),
            f"{base} + {one.beside}" if one.beside else base,
        )
        for one in INGREDIENTS
    ]
    changed = [Step(f"{whole} {one.how}", usual_config(MODEL, **one.changed), whole) for one in INGREDIENTS]
    return [
        Step(base, usual_config(MODEL, **NOTHING)),
        Step(whole, usual_config(MODEL)),
        *changed,
        *added,
    ]


def future_study() -> list[TrainConfig]:
    """The networks of `future_steps`, all of a seed before those of the next."""
    return [replace(step.config, seed=seed) for seed in SEEDS for step in future_steps()]
