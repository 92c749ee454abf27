"""The networks by name. A new one is a file beside this one, with a function `build`, and a line below.

Nothing here imports torch until a network is built: commands and pages that only name networks start fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ser_core.errors import ConfigError
from ser_core.features.config import FeatureConfig
from ser_core.features.inputs import FORMS, Form, InputName
from ser_core.models.config import NetworkConfig

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Architecture:
    """A network that can be trained.

    Attributes:
        name: on the command line and in records, as `2d`.
        label: in names of runs and on pages, as `2D`.
        purpose: what it is, and what for, as part of a sentence.
        module: file in `ser_core.models` whose `build(activation, form, features, network)` makes it.
        inputs: what it takes, in the order of its arguments, see `ser_core.features.inputs.network_inputs`.
        activation: the one that it has if none is asked for: the report's best for it (table 2).
        forms: shapes of the input that it takes.
        smallest_image: pixels of height and width that it takes at least, > 0.
        pretrained: whether its `encoder` begins with the weights of `ser_core.models.pretrained`.
        configurable: whether it is made of what a `NetworkConfig` says.
        usual: settings of a training, by their names in `TrainConfig` and its parts, where they aren't the report's.
        kind: of network, on pages where the label alone would say too little.
        base: settings that leave all its ingredients out, by the same names; empty where there are none to leave out.
    """

    name: str
    label: str
    purpose: str
    module: str
    inputs: tuple[InputName, ...]
    activation: str
    forms: tuple[Form, ...] = FORMS
    smallest_image: int = 16
    pretrained: bool = False
    configurable: bool = False
    usual: Mapping[str, Any] = field(default_factory=dict, hash=False)
    base: Mapping[str, Any] = field(default_factory=dict, hash=False)
    kind: str = ""

    @property
    def title(self) -> str:
        """What pages call it where it stands by itself, as `2D CNN`."""
        return f"{self.label} {self.kind}".strip()

    @property
    def takes_images(self) -> bool:
        """Whether it takes an image of a fixed size: its convolutions have two dimensions, and several numerics."""
        return "mel" in self.inputs and "fixed" in self.forms

    @property
    def adamw(self) -> bool:
        """Whether it is trained by AdamW, its gradients clipped, and not by Adam, as in the report."""
        return self.pretrained or self.configurable


FINE_TUNING = {
    "form": "variable",
    "lr": 6e-5,
    "epochs": 6,
    "warmup_epochs": 1,
    "batch_size": 32,
    "weight_decay": 0.01,
    "label_smoothing": 0.1,
    "spec_augment": 2,
    "copies": 6,
    "refit": 0.2,
    "refit_crop": 0.5,
    "pipeline": "voice",
    "vad_pad": 0.3,
}
"""How a pretrained encoder is trained on, unless something else is asked for.

`vad_pad`: what is around speech tells something, too. With 0.3 s of it, whisper-base has a validation loss of 0.714 and
an accuracy of 72.0 %; without, 0.800 and 71.3 % (runs/lr6e-05-SiLU-Whisper-base-refit0 and …-refit0-vad-pad0).

`refit`: the validation loss of whisper-base, averaged over clips as they are, over a telephone, in noise, after noise
suppression and in a room, is 0.742 with it, and 0.758 without. Of penalties from 0.02 to 0.8, 0.2 has the lowest.

`refit_crop`: averaged over validation clips as they are, changed in six ways, and cut where 30, 50, 70 and 85 % of the
voice have passed, the loss is 0.805 with it, and 0.891 without; see `benchmarks/results/validation.txt`.
"""

FROM_SCRATCH = {
    "form": "variable",
    "epochs": 45,
    "warmup_epochs": 1,
    "batch_size": 32,
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "soft_labels": 0.3,
    "spec_augment": 2,
    "ema": 0.998,
    "copies": 3,
    "pipeline": "voice",
    "vad_pad": 0.3,
    "n_mels": 80,
    "mel_n_fft": 512,
    "mel_hop_length": 160,
    "blocks": 2,
    "width": 96,
}
"""How a network of our own is trained, unless something else is asked for.

Length, copies and size are what an hour on one core of a CPU allows; they were not searched for.

Not `refit`: with 0.02, three seeds have a validation loss of 0.948 instead of 1.017, and an accuracy of 64.5 instead of
63.0 %, but on RAVDESS they are as often wrong as before and surer of it (calibration error 33 instead of 26 points).
This is the one choice that the validation clips didn't make; `docs/decisions.md` says why.
"""

LARGER = FROM_SCRATCH | {"epochs": 100, "copies": 6, "blocks": 3, "width": 144}
"""How the larger network of our own is trained, unless something else is asked for.

At the end of its 45 epochs, the loss of the small one still falls on the clips it is trained on, and has not begun to
rise on the validation clips: there is room for more of everything. With these settings, the loss on the validation
clips is 0.941 instead of 1.006, in the 48th epoch; after that, the network learns its training clips too well.
"""

WITHOUT_INGREDIENTS = {
    "activation": "relu",
    "label_smoothing": 0.0,
    "soft_labels": 0.0,
    "mixup": 0.0,
    "spec_augment": 0,
    "ema": 0.0,
    "copies": 0,
    **dict.fromkeys(("noise", "spectrum", "room", "gate", "gain", "speed"), 0.0),
    "mel_hop_length": FROM_SCRATCH["mel_n_fft"],  # one window after the other, 32 ms
    "head": "none",
    "pooling": "plain",
    "squeeze": False,
    "contours": (),
}
"""The base of the study of a network of our own: every ingredient is off.

So are the changes of the waveform: `copies` alone changes nothing.
"""

ARCHITECTURES = (
    Architecture("1d", "1D", "the report's 1D CNN, the fastest", "cnn1d", ("spectral",), "elu", kind="CNN"),
    Architecture("2d", "2D", "the report's 2D CNN, its best", "cnn2d", ("mel",), "silu", kind="CNN"),
    Architecture(
        "combined", "Combined", "the report's 1D and 2D CNN in one", "combined", ("spectral", "mel"), "silu", kind="CNN"
    ),
    Architecture("resnet38", "ResNet38", "the report's ResNet-38", "resnet38", ("mel",), "relu", ("fixed",), 64),
    Architecture("resnet101", "ResNet101", "the report's ResNet-101", "resnet101", ("mel",), "relu", ("fixed",), 33),
    Architecture(
        "whisper-base",
        "Whisper-base",
        "an encoder that has heard 680,000 hours of speech, fine-tuned: for recordings of any origin",
        "whisper_base",
        ("whisper",),
        "silu",
        ("variable",),
        pretrained=True,
        usual=FINE_TUNING,
    ),
    Architecture(
        "whisper-tiny",
        "Whisper-tiny",
        "a smaller encoder that has heard 680,000 hours of speech, fine-tuned: for recordings of any origin",
        "whisper_tiny",
        ("whisper",),
        "silu",
        ("variable",),
        pretrained=True,
        usual=FINE_TUNING,
    ),
    Architecture(
        "conformer",
        "Conformer",
        "a small network of convolutions and attention over time, with loudness and pitch beside the spectrogram",
        "conformer",
        ("mel", "contours"),
        "silu",
        ("variable",),
        configurable=True,
        usual=FROM_SCRATCH,
        base=WITHOUT_INGREDIENTS,
    ),
    Architecture(
        "conformer-large",
        "Conformer-large",
        "a larger network of convolutions and attention over time, trained for longer and on more changed copies",
        "conformer",
        ("mel", "contours"),
        "silu",
        ("variable",),
        configurable=True,
        usual=LARGER,
    ),
)
MODELS = {architecture.name: architecture for architecture in ARCHITECTURES}


def architecture(name: str) -> Architecture:
    """The network of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in MODELS:
        raise ConfigError(f"model is one of {', '.join(MODELS)}, not {name!r}.")
    return MODELS[name]


def build_model(
    name: str,
    activation: str,
    form: Form = "fixed",
    features: FeatureConfig = FeatureConfig(),
    network: NetworkConfig = NetworkConfig(),
) -> nn.Module:
    """A freshly initialised network.

    Args:
        name: one of `MODELS`.
        activation: one of `ser_core.models.activations.ACTIVATIONS`.
        form: of the input, one of the architecture's.
        features: which decide how many channels the input has.
        network: what it is made of, of those that are configurable.

    Raises:
        ConfigError: there is no such network, or its input can't be made so.
    """
    check_windows(architecture(name), features)
    module = import_module(f"ser_core.models.{architecture(name).module}")
    return module.build(activation, form, features, network)


def check_windows(network: Architecture, features: FeatureConfig) -> None:
    """Nothing, if a network takes a spectrogram of so many windows.

    Raises:
        ConfigError: it takes one.
    """
    if features.mel_windows and not network.configurable:
        raise ConfigError(f"mel_windows is for conformer: {network.name} takes a spectrogram of one window.")


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def model_label(name: str) -> str:
    """How it is called in names of runs and on pages; a name of another version is its own label."""
    return MODELS[name].label if name in MODELS else name
