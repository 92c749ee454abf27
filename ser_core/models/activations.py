"""The activation functions by name. A new one is a line below, and a file beside this one if PyTorch lacks it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Activation:
    """An activation function.

    Attributes:
        name: on the command line and in records, as `silu`.
        label: in names of runs and on pages, as `SiLU`.
        module, layer: where its `torch.nn.Module` is; it is made without arguments.
    """

    name: str
    label: str
    module: str
    layer: str

    def build(self) -> nn.Module:
        """A layer that applies it."""
        return getattr(import_module(self.module), self.layer)()


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("relu", "ReLU", "torch.nn", "ReLU"),
        Activation("silu", "SiLU", "torch.nn", "SiLU"),
        Activation("elu", "ELU", "torch.nn", "ELU"),
        Activation("gelu", "GELU", "torch.nn", "GELU"),
        Activation("mish", "Mish", "torch.nn", "Mish"),
        Activation("swish", "Swish", "ser_core.models.swish", "Swish"),
    )
}


def build_activation(name: str) -> nn.Module:
    """The layer of that name, one of `ACTIVATIONS`."""
    return ACTIVATIONS[name].build()


def activation_label(name: str) -> str:
    """How it is called in names of runs and on pages; a name of another version is its own label."""
    return ACTIVATIONS[name].label if name in ACTIVATIONS else name
