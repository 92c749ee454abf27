import pytest
import torch
from torch import nn

from ser_core import winograd
from ser_core.convolution import Conv2d, Way


def both(way: Way, x: torch.Tensor, conv: nn.Conv2d) -> list[tuple[torch.Tensor, ...]]:
    """Output and gradients of a convolution, ours and PyTorch's."""
    out_gradient = torch.randn(len(x), conv.out_channels, *x.shape[2:], dtype=x.dtype)
    outputs = way(x, conv.weight, conv.bias), conv(x)
    return [(y, *torch.autograd.grad(y, (x, *conv.parameters()), out_gradient)) for y in outputs]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(8, 8), (4, 4), (5, 7), (9, 50), (1, 3)])
def test_it_is_a_convolution(size: tuple[int, int], bias: bool):
    x = torch.randn(3, 5, *size, dtype=torch.float64, requires_grad=True)
    conv = nn.Conv2d(5, 7, 3, padding=1, bias=bias, dtype=torch.float64)

    ours, torchs = both(winograd.conv2d, x, conv)

    for a, b in zip(ours, torchs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("inputs", "outputs", "size"), [(64, 512, 16), (512, 1024, 8)])
def test_float32_is_accurate_at_the_sizes_of_the_2d_network(inputs: int, outputs: int, size: int):
    x = torch.randn(4, inputs, size, size).to(memory_format=torch.channels_last).requires_grad_()
    conv = nn.Conv2d(inputs, outputs, 3, padding=1).to(memory_format=torch.channels_last)

    ours, torchs = both(winograd.conv2d, x, conv)

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
    conv = Conv2d(64, 64, 3, padding=1)

    conv(torch.randn(16, 64, 8, 8)).sum().backward()

    assert conv.weight.grad is not None
    assert conv.weight.grad.abs().sum() > 0


def test_a_second_derivative_is_refused():
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(winograd.conv2d(x, weight).square().sum(), x, create_graph=True)

    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
