"""Where and how the arithmetic is done."""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import torch

from ser_core.errors import ConfigError
from ser_core.training.compute import Compute, DeviceName, NumericsName, Precision


@dataclass(frozen=True)
class Device:
    """Where and how the arithmetic is done.

    Attributes:
        device: CPU or CUDA.
        bf16: whether convolutions and matrix products run in bfloat16 (weights stay float32).
        winograd: whether convolutions are trained Winograd's way, see `ser_core.models.winograd`.
        asked: what it was chosen by.
    """

    device: torch.device
    bf16: bool
    winograd: bool = False
    asked: Compute = field(default_factory=Compute)

    @staticmethod
    def choose(name: DeviceName = "auto", precision: Precision = "auto", numerics: NumericsName = "auto") -> Device:
        """The fastest choice: CUDA if there is one, bfloat16 where hardware multiplies it, and Winograd's way there.

        Raises:
            ConfigError: something was asked for that is not there.
        """
        for asked, given, kind in (
            ("device", name, DeviceName),
            ("precision", precision, Precision),
            ("numerics", numerics, NumericsName),
        ):
            if given not in get_args(kind):
                raise ConfigError(f"{asked} is one of {', '.join(get_args(kind))}, not {given!r}.")
        if name == "cuda" and not torch.cuda.is_available():
            raise ConfigError("No CUDA device was found. Leave --device away to train on the CPU.")
        # What a record calls fp32 is that: cuDNN would take the 19 bits of TF32 for convolutions.
        torch.backends.cudnn.allow_tf32 = False
        cuda = name != "cpu" and torch.cuda.is_available()
        # Without these instructions a CPU emulates bfloat16, slower than it computes float32.
        supported = torch.cuda.is_bf16_supported() if cuda else torch.cpu._is_avx512_bf16_supported()
        bf16 = supported if precision == "auto" else precision == "bf16"
        if numerics == "winograd" and (cuda or not bf16):
            raise ConfigError("Winograd's way is for bfloat16 on a CPU: leave --numerics away.")
        winograd = numerics != "pytorch" and bf16 and not cuda
        return Device(torch.device("cuda" if cuda else "cpu"), bf16, winograd, Compute(name, precision, numerics))

    @staticmethod
    def of(compute: Compute) -> Device:
        """What a command asks for, see `choose`."""
        return Device.choose(compute.device, compute.precision, compute.numerics)

    @property
    def precision(self) -> str:
        """`bf16` or `fp32`, for records."""
        return "bf16" if self.bf16 else "fp32"

    @property
    def label(self) -> str:
        """Name of the hardware and the precision, for records."""
        if self.device.type == "cuda":
            return f"{torch.cuda.get_device_name(self.device)}, {self.precision}"
        threads = torch.get_num_threads()
        return f"{processor_name()}, {threads} thread{'s' * (threads > 1)}, {self.precision}"

    def autocast(self) -> AbstractContextManager:
        """Bfloat16 for what profits from it, if chosen."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def processor_name() -> str:
    """What the CPU calls itself, as `AMD EPYC`."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()  # starts a process to find out


def full_precision(device: Device) -> Device:
    """The same hardware without bfloat16, as predictions are made."""
    return replace(device, bf16=False)
