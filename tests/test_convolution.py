from typing import Any
from unittest.mock import Mock

import pytest
import torch
from torch import nn

from ser_core import convolution, winograd
from ser_core.convolution import Conv2d
from ser_core.models import MODELS, build_model
from tests.test_winograd import both

NONE = (0, 0)
WINOGRAD = (1, 0)
PRODUCT = (0, 1)


def calls(monkeypatch: pytest.MonkeyPatch, network: nn.Module, *inputs: torch.Tensor) -> tuple[int, int]:
    """How many convolutions of `network(*inputs)` go Winograd's way, and how many are one matrix product."""
    ours = Mock(wraps=winograd.conv2d), Mock(wraps=convolution.matrix_product)
    monkeypatch.setattr(winograd, "conv2d", ours[0])
    monkeypatch.setattr(convolution, "matrix_product", ours[1])
    network(*inputs)
    return ours[0].call_count, ours[1].call_count


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(2, 2), (1, 3), (5, 4)])
def test_a_matrix_product_is_a_convolution(size: tuple[int, int], bias: bool):
    x = torch.randn(3, 5, *size, dtype=torch.float64, requires_grad=True)
    conv = nn.Conv2d(5, 7, 3, padding=1, bias=bias, dtype=torch.float64)
    for a, b in zip(*both(convolution.matrix_product, x, conv), strict=True):
        torch.testing.assert_close(a, b)


def test_a_matrix_product_keeps_the_memory_format():
    x = torch.randn(3, 8, 4, 4).to(memory_format=torch.channels_last)
    assert convolution.matrix_product(x, torch.randn(7, 8, 3, 3)).is_contiguous(memory_format=torch.channels_last)


def test_it_is_used_in_training(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, Conv2d(64, 64, 3, padding=1), torch.randn(16, 64, 8, 8)) == WINOGRAD


def test_it_is_used_in_mixed_precision(monkeypatch: pytest.MonkeyPatch):
    conv = Conv2d(64, 128, 3, padding=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert calls(monkeypatch, conv, torch.randn(16, 64, 8, 8)) == WINOGRAD
        assert conv(torch.randn(16, 64, 8, 8)).dtype == torch.bfloat16
        assert calls(monkeypatch, Conv2d(64, 64, 3, padding=1), torch.randn(16, 64, 8, 8)) == NONE
    conv(torch.randn(16, 64, 8, 8)).sum().backward()
    assert conv.weight.grad is not None
    assert conv.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_precisions_are_pytorchs(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype):
    conv = Conv2d(64, 128, 3, padding=1, dtype=dtype)
    assert calls(monkeypatch, conv, torch.randn(16, 64, 8, 8, dtype=dtype)) == NONE


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 1},
        {"stride": 2},
        {"dilation": 2},
        {"groups": 2},
        {"padding": 0},
        {"padding_mode": "reflect"},
        {"in_channels": 32},
    ],
)
def test_other_convolutions_are_pytorchs(monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]):
    conv = Conv2d(**{"in_channels": 64, "out_channels": 64, "kernel_size": 3, "padding": 1, **settings})

    assert calls(monkeypatch, conv, torch.randn(16, conv.in_channels, 8, 8)) == NONE


def test_prediction_is_pytorchs(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, Conv2d(64, 64, 3, padding=1).eval(), torch.randn(16, 64, 8, 8)) == NONE


def test_a_few_small_images_are_pytorchs(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, Conv2d(64, 64, 3, padding=1), torch.randn(15, 64, 8, 8)) == NONE


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_tiny_images_with_huge_weights_are_a_matrix_product(monkeypatch: pytest.MonkeyPatch, precision: torch.dtype):
    conv, x = Conv2d(512, 2048, 3, padding=1), torch.randn(2, 512, 2, 2)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        assert calls(monkeypatch, conv, x) == PRODUCT
        assert conv(x).dtype == precision
    assert calls(monkeypatch, Conv2d(512, 512, 3, padding=1), x) == NONE
    assert calls(monkeypatch, conv.eval(), x) == NONE


def test_an_image_without_a_batch_is_pytorchs(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, Conv2d(64, 64, 3, padding=1), torch.randn(64, 32, 32)) == NONE


@pytest.mark.parametrize(("model", "expected"), [("2d", (2, 0)), ("combined", (2, 0)), ("resnet38", (26, 2))])
def test_networks_train_with_them(monkeypatch: pytest.MonkeyPatch, model: str, expected: tuple[int, int]):
    inputs = {"spectral": torch.randn(64, 27, 64), "mel": torch.randn(64, 1, 64, 64)}
    network = build_model(model, "relu")
    with torch.autocast("cpu", torch.bfloat16):
        assert calls(monkeypatch, network, *(inputs[name] for name in MODELS[model].inputs)) == expected
