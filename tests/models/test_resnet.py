"""The residual networks have the published sizes, but for one input channel and six classes."""

import pytest
import torch
from torch import nn

from ser_core.models.registry import build_model, count_parameters
from ser_core.models.resnet38 import BasicBlock
from ser_core.models.resnet101 import Bottleneck

PANNS_RESNET38 = 73_783_247  # with a batch norm over 64 mel bands, and 527 classes
TORCHVISION_RESNET101 = 44_549_160  # with three input channels and 1,000 classes


def test_resnet38_is_that_of_panns():
    model = build_model("resnet38", "relu")
    classes = (2048 + 1) * 527 - (2048 + 1) * 6
    assert count_parameters(model) == PANNS_RESNET38 - 2 * 64 - classes
    assert sum(isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3) for m in model.modules()) == 36


def test_resnet101_is_the_standard_one():
    model = build_model("resnet101", "relu")
    classes = (2048 + 1) * 1000 - (2048 + 1) * 6
    assert count_parameters(model) == TORCHVISION_RESNET101 - 2 * 64 * 7 * 7 - classes
    assert sum(isinstance(m, Bottleneck) for m in model.modules()) == 33


@pytest.mark.parametrize("name", ["resnet38", "resnet101"])
def test_logits_and_gradients(name: str):
    model = build_model(name, "silu")
    logits = model(torch.rand(2, 1, 64, 64))
    assert logits.shape == (2, 6)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.eval()(torch.rand(1, 1, 64, 64)).isfinite().all()


def test_a_basic_block_begins_as_its_shortcut():
    block, x = BasicBlock(8, 8, 1, "relu").eval(), torch.rand(2, 8, 6, 6)
    torch.testing.assert_close(block(x), x)
