"""What a command asks for of the arithmetic; `ser_core.training.device` finds out what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DeviceName = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "bf16", "fp32"]
NumericsName = Literal["auto", "winograd", "pytorch"]


@dataclass(frozen=True)
class Compute:
    """Where and how the arithmetic is done.

    Attributes:
        device: the processor or the GPU; `auto` is the GPU if there is one.
        precision: of convolutions and matrix products; `auto` is bf16 where the hardware multiplies it.
        numerics: how convolutions are trained on a CPU; `auto` is Winograd's way for bf16.
    """

    device: DeviceName = "auto"
    precision: Precision = "auto"
    numerics: NumericsName = "auto"
