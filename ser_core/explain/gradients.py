"""Explanations from gradients, by Captum (Kokhlikyan et al. 2020), which is imported when one is asked for."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from ser_core.emotions import EMOTIONS
from ser_core.explain.seen import Seen
from ser_core.forks import step
from ser_core.models.cnn2d import CNN2D
from ser_core.models.combined import CombinedCNN
from ser_core.models.layers import ConvBlock

N_STEPS = 16
"""Of the path from the average to the speech, along which gradients are integrated: 1.9 s for a clip and whisper-base
on one core (benchmarks/results/explanations.txt)."""

AT_ONCE = 4  # of those steps: more take no less time on one core, and more memory


class _Answer(nn.Module):
    """The main input `[cases, …, frames]` to log-probabilities `[cases, 6]`."""

    def __init__(self, seen: Seen):
        super().__init__()
        self.seen = seen
        self.model = seen.predictor.model

    def forward(self, main: Tensor) -> Tensor:
        return self.seen.log_probabilities(self.seen.with_main(main))


def integrated_gradients(seen: Seen, emotion: str) -> np.ndarray:
    """Integrated gradients of the emotion's log-probability (Sundararajan et al. 2017).

    The path begins at the average over time, of which see `ser_core.explain.seen`. Where a network takes spectral
    features and a mel image, the features stay as they are.

    Returns:
        float32 `[bands, frames]` of the main input, in nats; their sum is, but for the error of `N_STEPS` steps, what
        the log-probability has gained over that of the average.
    """
    with step:
        from captum.attr import IntegratedGradients

        main = seen.inputs[seen.main].clone().requires_grad_()
        values = IntegratedGradients(_Answer(seen)).attribute(
            main,
            baselines=seen.averages[seen.main],
            target=EMOTIONS.index(emotion),
            n_steps=N_STEPS,
            internal_batch_size=AT_ONCE,
        )
    return _of_speech(values, seen)


def grad_cam(seen: Seen, emotion: str) -> np.ndarray:
    """Grad-CAM on the last block of 2D convolutions (Selvaraju et al. 2017).

    The block sees the image as 8 × 8 fields before its pooling, so that the map is coarse.

    Returns:
        float32 `[bands, frames]` of the mel image in 0..1; all 0 where nothing speaks for the emotion.
    """
    with step:
        from captum.attr import LayerAttribution, LayerGradCam

        # Captum hooks into the layer, and other threads classify with this very network.
        predictor = copy.copy(seen.predictor)
        predictor.model = copy.deepcopy(predictor.model)
        block = last_block(predictor.model)
        assert block is not None
        own = Seen(predictor, seen.inputs, seen.centres, seen.kept, seen.samples, seen.whole)
        main = seen.inputs[seen.main].clone().requires_grad_()
        fields = LayerGradCam(_Answer(own), block.activation).attribute(
            main, target=EMOTIONS.index(emotion), relu_attributions=True
        )
        values = LayerAttribution.interpolate(fields, tuple(main.shape[-2:]), "bilinear")
    found = _of_speech(values, seen)
    return found / found.max() if found.max() > 0 else found


def last_block(model: nn.Module) -> ConvBlock | None:
    """The last block of 2D convolutions of the report's networks; None where there is none."""
    encoder = model.encoder if isinstance(model, CNN2D) else getattr(model, "encoder_2d", None)
    if not isinstance(model, CNN2D | CombinedCNN) or encoder is None:
        return None
    block = encoder.blocks[-1]
    assert isinstance(block, ConvBlock)
    return block


def _of_speech(values: Tensor, seen: Seen) -> np.ndarray:
    """`[1, (windows,) bands, frames]` without padding, summed over windows: float32 `[bands, frames]`."""
    shown = values.detach().flatten(0, -3).sum(0).to(torch.float32).numpy()
    return shown[:, : len(seen.centres[seen.main])]
