"""SpecAugment: hide bands of frequencies and stretches of time of what a network is trained on (Park et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

WIDEST_BAND = 0.2  # of all bands that one mask may hide
LONGEST_STRETCH = 0.15  # of a clip's time that one mask may hide
FREQUENCY_INPUTS = ("mel", "whisper")  # whose second last axis is frequency; that of spectral features mixes kinds


def spec_augment(inputs: dict[str, Tensor], masks: int = 2) -> dict[str, Tensor]:
    """Hide some bands and some stretches of time of each clip; what is hidden gets the clip's mean.

    Args:
        inputs: a network's arguments, as `ser_core.training.batches.ClipTensors.batch` gives them: `[batch, …, time]`
            by name, and `<name>_lengths` for clips of different lengths. They are left as they are. Chance comes from
            PyTorch's generator; several inputs of a clip are masked in the same way.
        masks: of each kind, int > 0; they may overlap, or be empty.

    Returns:
        the same with masked copies.
    """
    some = next(iter(inputs.values()))
    # Widths and places as shares, so that all inputs of a clip lose the same part of it.
    bands, stretches = (torch.rand(2, masks, len(some)) for _ in range(2))
    masked = dict(inputs)
    for name, values in inputs.items():
        if name.endswith("_lengths"):
            continue
        clips, time = len(values), values.shape[-1]
        lengths = inputs.get(f"{name}_lengths", torch.full((clips,), time, device=values.device))
        inside = torch.arange(time, device=values.device) < lengths[:, None]  # [batch, time]
        hidden = _hidden(stretches, lengths, time, LONGEST_STRETCH).view(clips, *(1,) * (values.ndim - 2), time)
        if name in FREQUENCY_INPUTS:
            n_bands = values.shape[-2]
            everywhere = torch.full((clips,), n_bands, device=values.device)
            hidden_bands = _hidden(bands, everywhere, n_bands, WIDEST_BAND)
            hidden = hidden | hidden_bands.view(clips, *(1,) * (values.ndim - 3), n_bands, 1)
        hidden = hidden & inside.view(clips, *(1,) * (values.ndim - 2), time)
        weights = inside.view(clips, *(1,) * (values.ndim - 2), time).to(values.dtype).expand_as(values)
        rest = tuple(range(1 if name in FREQUENCY_INPUTS else values.ndim - 1, values.ndim))
        mean = (values * weights).sum(rest, keepdim=True) / weights.sum(rest, keepdim=True).clamp(min=1)
        masked[name] = torch.where(hidden, mean, values)
    return masked


def _hidden(chance: Tensor, sizes: Tensor, longest: int, share: float) -> Tensor:
    """Which steps are hidden: bool `[batch, longest]`.

    Args:
        chance: `[2, masks, batch]` in 0..1, how wide each mask is and where it lies.
        sizes: steps of each clip, int `[batch]`.
        share: of a clip that one mask may hide at most.
    """
    width, place = chance.to(sizes.device)
    steps = (width * (share * sizes + 1)).floor()
    start = (place * (sizes - steps + 1)).floor()
    position = torch.arange(longest, device=sizes.device)[:, None, None]
    return ((position >= start) & (position < start + steps)).any(1).T
