from typing import Any
from unittest.mock import Mock

import pytest
import torch
from torch import nn

from ser_core import winograd
from ser_core.models import MODELS, build_model


def both(x: torch.Tensor, conv: nn.Conv2d) -> list[tuple[torch.Tensor, ...]]:
    """Output and gradients of a convolution, ours and PyTorch's."""
    out_gradient = torch.randn(len(x), conv.out_channels, *x.shape[2:], dtype=x.dtype)
    outputs = winograd.conv2d(x, conv.weight, conv.bias), conv(x)
    return [(y, *torch.autograd.grad(y, (x, *conv.parameters()), out_gradient)) for y in outputs]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(8, 8), (4, 4), (5, 7), (9, 50), (1, 3)])
def test_it_is_a_convolution(size: tuple[int, int], bias: bool):
    x = torch.randn(3, 5, *size, dtype=torch.float64, requires_grad=True)
    conv = nn.Conv2d(5, 7, 3, padding=1, bias=bias, dtype=torch.float64)

    ours, torchs = both(x, conv)

    for a, b in zip(ours, torchs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("inputs", "outputs", "size"), [(64, 512, 16), (512, 1024, 8)])
def test_float32_is_accurate_at_the_sizes_of_the_2d_network(inputs: int, outputs: int, size: int):
    x = torch.randn(4, inputs, size, size).to(memory_format=torch.channels_last).requires_grad_()
    conv = nn.Conv2d(inputs, outputs, 3, padding=1).to(memory_format=torch.channels_last)

    ours, torchs = both(x, conv)

    for a, b in zip(ours, torchs, strict=True):
        assert float((a - b).detach().abs().max()) < 3e-5 * float(b.detach().abs().max())
    assert ours[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("inputs", "outputs", "size"), [(64, 512, 16), (512, 1024, 8)])
def test_bfloat16_is_off_by_a_hundredth_and_without_bias(inputs: int, outputs: int, size: int):
    x = torch.randn(4, inputs, size, size).bfloat16().requires_grad_()
    conv = nn.Conv2d(inputs, outputs, 3, padding=1).bfloat16()
    exact = nn.Conv2d(inputs, outputs, 3, padding=1)
    exact.load_state_dict(conv.state_dict())
    out_gradient = torch.randn(4, outputs, size, size)
    x32 = x.detach().float().requires_grad_()

    y = winograd.conv2d(x, conv.weight, conv.bias)
    ours = (y, *torch.autograd.grad(y, (x, conv.weight), out_gradient.bfloat16()))
    y = exact(x32)
    theirs = (y, *torch.autograd.grad(y, (x32, exact.weight), out_gradient))

    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == torch.bfloat16
        error, power = (a.float() - b).detach(), b.detach().square().mean()
        assert float(error.square().mean() / power) < 0.02**2
        assert abs(float((error * b.detach()).mean() / power)) < 0.002


def test_an_input_that_needs_no_gradient_gets_none():
    conv = winograd.Conv2d(64, 64, 3, padding=1)

    conv(torch.randn(16, 64, 8, 8)).sum().backward()

    assert conv.weight.grad is not None
    assert conv.weight.grad.abs().sum() > 0


def calls(monkeypatch: pytest.MonkeyPatch, network: nn.Module, *inputs: torch.Tensor) -> int:
    """How many convolutions of `network(*inputs)` take our way."""
    ours = Mock(wraps=winograd.conv2d)
    monkeypatch.setattr(winograd, "conv2d", ours)
    network(*inputs)
    return ours.call_count


def test_it_is_used_in_training(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, winograd.Conv2d(64, 64, 3, padding=1), torch.randn(16, 64, 8, 8)) == 1


def test_it_is_used_in_mixed_precision(monkeypatch: pytest.MonkeyPatch):
    conv = winograd.Conv2d(64, 128, 3, padding=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert calls(monkeypatch, conv, torch.randn(16, 64, 8, 8)) == 1
        assert conv(torch.randn(16, 64, 8, 8)).dtype == torch.bfloat16
        assert calls(monkeypatch, winograd.Conv2d(64, 64, 3, padding=1), torch.randn(16, 64, 8, 8)) == 0
    conv(torch.randn(16, 64, 8, 8)).sum().backward()
    assert conv.weight.grad is not None
    assert conv.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_precisions_are_pytorchs(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype):
    conv = winograd.Conv2d(64, 128, 3, padding=1, dtype=dtype)
    assert calls(monkeypatch, conv, torch.randn(16, 64, 8, 8, dtype=dtype)) == 0


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
    conv = winograd.Conv2d(**{"in_channels": 64, "out_channels": 64, "kernel_size": 3, "padding": 1, **settings})

    assert calls(monkeypatch, conv, torch.randn(16, conv.in_channels, 8, 8)) == 0


def test_prediction_is_pytorchs(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, winograd.Conv2d(64, 64, 3, padding=1).eval(), torch.randn(16, 64, 8, 8)) == 0


def test_a_few_small_images_are_pytorchs(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, winograd.Conv2d(64, 64, 3, padding=1), torch.randn(15, 64, 8, 8)) == 0


def test_an_image_without_a_batch_is_pytorchs(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, winograd.Conv2d(64, 64, 3, padding=1), torch.randn(64, 32, 32)) == 0


@pytest.mark.parametrize(("model", "expected"), [("2d", 2), ("combined", 2), ("resnet101", 3)])
def test_networks_train_with_it(monkeypatch: pytest.MonkeyPatch, model: str, expected: int):
    inputs = {"spectral": torch.randn(16, 27, 64), "mel": torch.randn(16, 1, 64, 64)}
    network = build_model(model, "relu")

    assert calls(monkeypatch, network, *(inputs[name] for name in MODELS[model].inputs)) >= expected


def test_a_second_derivative_is_refused():
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(winograd.conv2d(x, weight).square().sum(), x, create_graph=True)

    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
