from typing import Any
from unittest.mock import Mock

import pytest
import torch
from torch import nn

from ser_core.models import winograd
from ser_core.models.registry import MODELS, build_model
from ser_core.models.winograd import Conv2d, use_winograd


def both(x: torch.Tensor, conv: nn.Conv2d) -> list[tuple[torch.Tensor, ...]]:
    """Output and gradients of a convolution, ours and PyTorch's."""
    out_gradient = torch.randn(len(x), conv.out_channels, *x.shape[2:], dtype=x.dtype)
    outputs = winograd.conv2d(x, conv.weight, conv.bias), conv(x)
    return [(y, *torch.autograd.grad(y, (x, *conv.parameters()), out_gradient)) for y in outputs]


def calls(monkeypatch: pytest.MonkeyPatch, network: nn.Module, *inputs: torch.Tensor, bf16: bool = True) -> int:
    """How many convolutions of `network(*inputs)` go Winograd's way when it is told to."""
    ours = Mock(wraps=winograd.conv2d)
    monkeypatch.setattr(winograd, "conv2d", ours)
    use_winograd(network, True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        network(*inputs)
    return ours.call_count


def winograd_conv(inputs: int = 64, outputs: int = 128) -> Conv2d:
    conv = Conv2d(inputs, outputs, 3, padding=1)
    use_winograd(conv, True)
    return conv


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
    conv = nn.Conv2d(inputs, outputs, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

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


def test_its_gradient_is_of_the_weights_precision_also_where_the_input_needs_none():
    conv = winograd_conv()

    with torch.autocast("cpu", torch.bfloat16):
        y = conv(torch.randn(16, 64, 8, 8))
    y.sum().backward()

    assert y.dtype == torch.bfloat16
    assert conv.weight.grad is not None
    assert conv.weight.grad.dtype == torch.float32
    assert conv.weight.grad.abs().sum() > 0


def test_a_second_derivative_is_refused():
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(winograd.conv2d(x, weight).square().sum(), x, create_graph=True)

    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_it_is_used_in_mixed_precision_alone(monkeypatch: pytest.MonkeyPatch):
    x = torch.randn(16, 64, 8, 8)
    assert calls(monkeypatch, winograd_conv(), x) == 1
    assert calls(monkeypatch, winograd_conv(), x, bf16=False) == 0


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch):
    conv, x = winograd_conv(), torch.randn(16, 64, 8, 8)
    ours = Mock(wraps=winograd.conv2d)
    monkeypatch.setattr(winograd, "conv2d", ours)

    assert use_winograd(conv, False) == "pytorch"
    with torch.autocast("cpu", torch.bfloat16):
        conv(x)

    assert ours.call_count == 0


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
        {"out_channels": 64},
    ],
)
def test_other_convolutions_are_pytorchs(monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]):
    conv = Conv2d(**{"in_channels": 64, "out_channels": 128, "kernel_size": 3, "padding": 1, **settings})

    assert use_winograd(conv, True) == "pytorch"
    assert calls(monkeypatch, conv, torch.randn(16, conv.in_channels, 8, 8)) == 0


def test_prediction_is_pytorchs(monkeypatch: pytest.MonkeyPatch):
    assert calls(monkeypatch, winograd_conv().eval(), torch.randn(16, 64, 8, 8)) == 0


@pytest.mark.parametrize("shape", [(15, 64, 8, 8), (64, 64, 2, 8), (64, 32, 32)])
def test_few_or_tiny_images_or_one_without_a_batch_are_pytorchs(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
):
    assert calls(monkeypatch, winograd_conv(), torch.randn(shape)) == 0


@pytest.mark.parametrize(("model", "expected"), [("1d", 0), ("2d", 2), ("combined", 2), ("resnet38", 26)])
def test_networks_train_with_it_and_say_so(monkeypatch: pytest.MonkeyPatch, model: str, expected: int):
    """In batches of 64, of which a sixteenth is computed: the threshold, in pixels of a batch, is as much lower."""
    monkeypatch.setattr(winograd, "MIN_PIXELS", winograd.MIN_PIXELS / 16)
    inputs = {"spectral": torch.randn(64 // 16, 27, 64), "mel": torch.randn(64 // 16, 1, 64, 64)}
    network = build_model(model, "relu")
    assert use_winograd(network, True) == ("winograd" if expected else "pytorch")
    assert calls(monkeypatch, network, *(inputs[name] for name in MODELS[model].inputs)) == expected
