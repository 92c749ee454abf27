"""The settings of a run (report, tables 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from ser_core.audio.changes.augment import AugmentationConfig
from ser_core.audio.preprocess import AudioConfig
from ser_core.corpus.splits import SPLITS, is_split
from ser_core.errors import ConfigError
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import FORMS, Form
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.config import NetworkConfig
from ser_core.models.registry import MODELS, architecture, check_windows
from ser_core.training.idle import idle_changes, idle_features
from ser_core.training.naming import BASE, in_a_name, of_a_length

Select = Literal["loss", "accuracy"]
"""What picks a run's epoch on the validation set: the lowest loss, as in the report, or the highest accuracy."""

SELECTIONS: tuple[Select, ...] = get_args(Select)

NO_TEACHER = "none"


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run's result; the defaults are the report's best (table 2).

    Attributes:
        model: one of `ser_core.models.registry.MODELS`.
        activation: one of `ser_core.models.activations.ACTIVATIONS`; the network's own if empty.
        lr: peak learning rate, > 0.
        form: shape of the input: `fixed`, as long as the clip (`variable`), or the `mean` over time, see
            `ser_core.features.inputs.Form`.
        split: `report`, `fold1` to `fold5` (speaker-independent), or a JSON file, see `ser_core.corpus.splits`.
        epochs: in all, int > 0.
        warmup_epochs: those of them with a rising learning rate, int >= 0.
        batch_size: clips a step, int > 0.
        weight_decay: L2 penalty of Adam, >= 0.
        min_lr_factor: final over peak learning rate, in 0..1.
        seed: of initialisation, shuffling and dropout.
        select: what picks the epoch on the validation set, the lowest `loss` or the highest `accuracy`.
        label_smoothing: share of the target that is spread over all emotions, in 0..1.
        soft_labels: share of the target that goes to what raters heard in the clip's voice (Cao et al. 2014), in 0..1;
            clips that nobody rated keep their label.
        teacher: name of a checkpoint of the same split whose probabilities are a part of the targets, or `none`
            (distillation, Hinton et al. 2015). It hears each training clip, or each of its changed copies, once: of
            whisper-base, a core takes about 30 minutes for three copies of CREMA-D's, kept with the features.
        teacher_share: of the target that is the teacher's, in 0.01..1; the rest is the label, with `soft_labels`. What
            `label_smoothing` spreads, and what `mixup` mixes, is the sum of both.
        teacher_temperature: that the teacher's logits are divided by, beside its own temperature, in 1..20; the higher,
            the more its targets say of emotions that it thinks less likely.
        mixup: how strongly pairs of clips are mixed, the parameter of a beta distribution, >= 0; 0 for not at all.
        spec_augment: bands, and stretches of time, that are hidden of each clip in training (SpecAugment), int >= 0.
        ema: what is left at each step of the running average of weights, which is validated and kept instead of the
            last ones, in 0..1; 0 for none.
        copies: changed copies of each training clip, of which each epoch takes the next, int >= 0; with 0, the clips as
            they are.
        head_lr: pretrained networks; peak learning rate of what is not pretrained, > 0.
        layer_decay: pretrained networks; learning rate of a layer over that of the one above it, in 0..1.
        frozen_epochs: pretrained networks; first epochs in which only what is not pretrained learns, int >= 0.
        refit: L2 penalty, 0 to 100, of the logistic regression that takes the classifier's place after the last epoch,
            see `ser_core.training.refit`; 0 for none.
        refit_crop: share of clips that are cut, as by `crop`, in one more changed copy of each, which it is fitted to
            beside the clips as they are, in 0..1; 0 for no such copy.
        augmentation: how copies are changed.
        audio: how a waveform becomes speech, which travels with the checkpoint.
        features: parameters of the features, which travel with it, too.
        network: what the network is made of, which travels with it, too; of those that are configurable.
    """

    model: str = "2d"
    activation: str = ""
    lr: float = 0.001
    form: Form = "fixed"
    split: str = "report"
    epochs: int = 150
    warmup_epochs: int = 5
    batch_size: int = 64
    weight_decay: float = 1e-4
    min_lr_factor: float = 0.001
    seed: int = 42
    select: Select = "loss"
    label_smoothing: float = 0.0
    soft_labels: float = 0.0
    teacher: str = NO_TEACHER
    teacher_share: float = 0.5
    teacher_temperature: float = 2.0
    mixup: float = 0.0
    spec_augment: int = 0
    ema: float = 0.0
    copies: int = 0
    head_lr: float = 0.001
    layer_decay: float = 0.85
    frozen_epochs: int = 0
    refit: float = 0.0
    refit_crop: float = 0.0
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        network = architecture(self.model)
        if not self.activation:
            object.__setattr__(self, "activation", network.activation)
        for name, choice, known in (
            ("activation", self.activation, ACTIVATIONS),
            ("form", self.form, FORMS),
            ("select", self.select, SELECTIONS),
        ):
            if choice not in known:
                raise ConfigError(f"{name} is one of {', '.join(known)}, not {choice!r}.")
        if not is_split(self.split):
            raise ConfigError(f"split is one of {', '.join(SPLITS)}, or a JSON file, not {self.split!r}.")
        if self.teacher in ("", "..") or Path(self.teacher).name != self.teacher:
            raise ConfigError(f"teacher is the name of a checkpoint, or {NO_TEACHER}, not {self.teacher!r}.")
        check_windows(network, self.features)
        if self.form not in network.forms:
            raise ConfigError(f"{self.model} takes the form {' or '.join(network.forms)}, not {self.form!r}.")
        if network.takes_images and self.features.image_size < network.smallest_image:
            raise ConfigError(
                f"image_size is at least {network.smallest_image} for {self.model}, not {self.features.image_size}."
            )
        for name, value, low, high in (
            ("lr", self.lr, 1e-9, 10),
            ("epochs", self.epochs, 1, 100_000),
            ("warmup_epochs", self.warmup_epochs, 0, self.epochs),
            ("batch_size", self.batch_size, 1, 65_536),
            ("weight_decay", self.weight_decay, 0, 1),
            ("min_lr_factor", self.min_lr_factor, 0, 1),
            ("seed", self.seed, 0, 2**31 - 1),
            ("label_smoothing", self.label_smoothing, 0, 0.9),
            ("soft_labels", self.soft_labels, 0, 1),
            ("teacher_share", self.teacher_share, 0.01, 1),
            ("teacher_temperature", self.teacher_temperature, 1, 20),
            ("mixup", self.mixup, 0, 10),
            ("spec_augment", self.spec_augment, 0, 100),
            ("ema", self.ema, 0, 0.999999),
            ("copies", self.copies, 0, 1000),
            ("head_lr", self.head_lr, 1e-9, 10),
            ("layer_decay", self.layer_decay, 0, 1),
            ("frozen_epochs", self.frozen_epochs, 0, self.epochs),
            ("refit", self.refit, 0, 100),
            ("refit_crop", self.refit_crop, 0, 1),
        ):
            if not low <= value <= high:
                raise ConfigError(f"{name} is a number from {low:g} to {high:g}, not {value:g}.")

    @property
    def name(self) -> str:
        """The report's name of the configuration, as `lr0.001-SiLU-2D`; unusual settings are added, as `-seed7`.

        Not the number of epochs: a longer run takes the place of a shorter one. A network that is nearer to its `base`
        than to its usual settings is named by what it has more than that, as `lr0.001-ReLU-Conformer-base-mixup0.2`.
        Where much is unusual all the same, the end is a checksum of all of it.
        """
        network = architecture(self.model)
        named = (f"lr{self.lr:g}", ACTIVATIONS[self.activation].label, network.label)
        additions = self._unlike({})
        if network.base:
            additions = min(additions, [BASE, *self._unlike(network.base)], key=len)
        return of_a_length("-".join((*named, *additions)))

    def _unlike(self, settings: Mapping[str, Any]) -> list[str]:
        """What a name says of settings that aren't the usual ones with these in their place; idle ones are left out."""
        other = usual_config(self.model, **{"epochs": self.epochs, **settings}).flat
        told = (key for key in other if key not in NAMED and key not in self.idle)
        return [in_a_name(key, value) for key in told if (value := self.flat[key]) != other[key]]

    @property
    def flat(self) -> dict[str, Any]:
        """All settings by name, those of its parts among them."""
        settings = {key: value for key, value in vars(self).items() if key not in PARTS}
        for part in PARTS:
            settings |= vars(getattr(self, part))
        return settings

    @property
    def effective(self) -> TrainConfig:
        """The same run, with the usual value of every setting that changes nothing beside the others.

        So runs without `copies` are the same whatever their `augmentation`, and only pretrained networks have a
        `head_lr`.
        """
        usual, idle = usual_config(self.model, epochs=self.epochs).flat, self.idle
        settings = {key: usual[key] if key in idle else value for key, value in self.flat.items()}
        return usual_config(**settings)

    @property
    def idle(self) -> dict[str, str]:
        """Settings that change nothing beside the others, whatever their values, and why."""
        idle = idle_changes(self.augmentation, self.copies, bool(self.refit and self.refit_crop))
        if not self.refit:
            idle["refit_crop"] = "there is no --refit"
        if self.teacher == NO_TEACHER:
            idle |= dict.fromkeys(TEACHER_ONLY, "there is no --teacher")
        network = MODELS[self.model]
        idle |= idle_features(network, self.form, self.features.spectral)
        if not network.pretrained:
            idle |= dict.fromkeys(PRETRAINED_ONLY, f"{self.model} is not pretrained")
        if not network.configurable:
            idle |= dict.fromkeys(vars(self.network), f"{self.model} is made as it is")
        elif self.network.head == "none":
            idle["blocks"] = "there is no head"
        if "contours" not in network.inputs or not {"pitch", "voicing"} & {*self.network.contours}:
            idle["pitch_path"] = f"{self.model} is given no pitch"
        if self.audio.pipeline == "report":
            idle["noise_db"] = "the pipeline is report"
        if self.audio.vad == "none":
            methods = [name for name in vars(self.audio) if name.startswith("vad_")]
            idle |= dict.fromkeys(methods, "no voice activity is detected with --vad none")
        elif self.audio.vad == "energy":
            idle["vad_threshold"] = "--vad energy has no threshold"
        return idle

    @staticmethod
    def from_dict(values: dict[str, Any]) -> TrainConfig:
        """The inverse of `dataclasses.asdict`.

        Records of older versions lack settings that came later; those have the value that was in force then, which is
        the default: a new setting is given the default that changes nothing.

        Raises:
            ConfigError: a setting that this version doesn't know, or a value that it can't have.
        """
        try:
            parts = {part: kind(**values.get(part, {})) for part, kind in PARTS.items()}
            return TrainConfig(**{**values, **parts})
        except (TypeError, AttributeError) as error:
            raise ConfigError(f"These are not settings of this version: {error}.") from None


NAMED = ("model", "activation", "lr", "epochs")
"""Settings that every name says, or none."""

PRETRAINED_ONLY = ("head_lr", "layer_decay", "frozen_epochs")
"""Settings of pretrained networks alone."""

TEACHER_ONLY = ("teacher_share", "teacher_temperature")
"""Settings of taught networks alone."""

PARTS: dict[str, type] = {
    "augmentation": AugmentationConfig,
    "audio": AudioConfig,
    "features": FeatureConfig,
    "network": NetworkConfig,
}
"""Fields of a configuration that have fields of their own, whose names no other has."""


def usual_config(model: str = TrainConfig.model, **settings: Any) -> TrainConfig:
    """How a network is trained unless something else is asked for: as in the report, but for pretrained ones.

    Args:
        model: one of `ser_core.models.registry.MODELS`.
        settings: what is asked for, by its name in `TrainConfig.flat`.

    Raises:
        ConfigError: see `TrainConfig`.
    """
    values = {**architecture(model).usual, **settings}
    values.setdefault("warmup_epochs", usual_warmup(values.get("epochs", TrainConfig.epochs), model))
    for part, kind in PARTS.items():
        values[part] = kind(**{field.name: values.pop(field.name) for field in fields(kind) if field.name in values})
    return TrainConfig(model=model, **values)


def usual_warmup(epochs: int, model: str = TrainConfig.model) -> int:
    """Epochs of a rising learning rate in a run of so many: as usual for the network, or all there are."""
    return min(architecture(model).usual.get("warmup_epochs", TrainConfig.warmup_epochs), epochs)
