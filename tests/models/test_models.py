"""Shapes and parameter counts of the report's listings 1 to 3, layer by layer."""

import math
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from ser_core.errors import ConfigError
from ser_core.features.channels import Channel
from ser_core.features.config import FeatureConfig
from ser_core.features.descriptors import SPECTRAL_FEATURES, SpectralFeature
from ser_core.features.spectral import spectral_features
from ser_core.models.activations import ACTIVATIONS, Activation, build_activation
from ser_core.models.cnn1d import CNN1D
from ser_core.models.cnn2d import CNN2D
from ser_core.models.combined import CombinedCNN
from ser_core.models.layers import GroupNorm, length_mask, masked_average
from ser_core.models.registry import MODELS, Architecture, build_model, count_parameters
from ser_core.training.command import parse_arguments
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.flags import command_line


def conv_parameters(dimensions: int, inputs: int, outputs: int) -> int:
    """Weights and biases of a convolution of size 3, and scale and shift of its group norm."""
    return inputs * outputs * 3**dimensions + outputs + 2 * outputs


def shapes_of(model: nn.Module, *inputs: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """Output shape of every layer by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, layer in model.named_modules():
        layer.register_forward_hook(lambda _layer, _in, out, name=name: shapes.__setitem__(name, tuple(out.shape)))
    model.eval()(*inputs)
    return shapes


def test_listing_1():
    model = CNN1D("elu", 27)
    shapes = shapes_of(model, torch.randn(2, 27, 301))
    for i, (channels, time) in enumerate([(128, 301), (256, 150), (512, 75)]):
        block = f"encoder.blocks.{i}"
        assert (
            shapes[f"{block}.conv"] == shapes[f"{block}.norm"] == shapes[f"{block}.activation"] == (2, channels, time)
        )
        assert shapes[f"{block}.pool"] == shapes[f"{block}.dropout"] == (2, channels, time // 2)
    assert shapes["encoder"] == (2, 512)
    assert shapes["classifier"] == (2, 6)
    convolutions = sum(conv_parameters(1, i, o) for i, o in ((27, 128), (128, 256), (256, 512)))
    assert count_parameters(model) == convolutions + 512 * 6 + 6


def test_listing_2():
    model = CNN2D("silu")
    shapes = shapes_of(model, torch.rand(2, 1, 64, 64))
    for i, (channels, size) in enumerate([(32, 64), (64, 32), (512, 16), (1024, 8)]):
        block = f"encoder.blocks.{i}"
        assert shapes[f"{block}.conv"] == shapes[f"{block}.activation"] == (2, channels, size, size)
        assert shapes[f"{block}.pool"] == shapes[f"{block}.dropout"] == (2, channels, size // 2, size // 2)
    assert shapes["encoder"] == (2, 1024)
    assert shapes["classifier"] == (2, 6)
    convolutions = sum(conv_parameters(2, i, o) for i, o in ((1, 32), (32, 64), (64, 512), (512, 1024)))
    assert count_parameters(model) == convolutions + 1024 * 6 + 6


def test_listing_3():
    model = CombinedCNN("silu", 27)
    shapes = shapes_of(model, torch.randn(2, 27, 301), torch.rand(2, 1, 64, 64))
    assert (shapes["encoder_1d"], shapes["encoder_2d"]) == ((2, 512), (2, 1024))
    assert [shapes[f"classifier.{i}"] for i in range(5)] == [(2, 128)] * 4 + [(2, 6)]
    kinds = [type(layer) for layer in model.classifier.children()]
    assert kinds == [nn.Linear, nn.LayerNorm, nn.SiLU, nn.Dropout, nn.Linear]
    head = 1536 * 128 + 128 + 2 * 128 + 128 * 6 + 6
    encoders = count_parameters(CNN1D("silu", 27).encoder) + count_parameters(CNN2D("silu").encoder)
    assert count_parameters(model) == encoders + head


@pytest.mark.parametrize("model", ["1d", "2d", "combined"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_block_has_the_reports_layers(model: str, activation: str):
    network = build_model(model, activation)
    layers = list(network.modules())
    assert (
        sum(isinstance(layer, type(build_activation(activation))) for layer in layers)
        == {"1d": 3, "2d": 4, "combined": 8}[model]
    )
    assert {layer.num_groups for layer in layers if isinstance(layer, nn.GroupNorm)} == {8}
    convolutional = [m.dropout.p for m in layers if hasattr(m, "dropout")]
    assert set(convolutional) == {0.3}
    assert [m.p for m in network.classifier if isinstance(m, nn.Dropout)] == [0.5]


def inputs_of(model: str, batch: int, frames: int = 120, width: int = 90) -> dict[str, torch.Tensor]:
    inputs = {"spectral": torch.randn(batch, 27, frames), "mel": torch.rand(batch, 1, 64, width)}
    return {name: inputs[name] for name in MODELS[model].inputs}


@pytest.mark.parametrize("model", ["1d", "2d", "combined"])
def test_a_clip_in_a_padded_batch_gives_what_it_gives_alone(model: str):
    torch.manual_seed(0)
    network = build_model(model, "silu").eval()
    batch = inputs_of(model, 3)
    lengths = {"spectral": torch.tensor([120, 57, 8]), "mel": torch.tensor([90, 33, 16])}
    padded = {name: values.clone() for name, values in batch.items()}
    for name, values in padded.items():
        for i, length in enumerate(lengths[name]):
            values[i, ..., length:] = 99.0  # what lies in the padding must not matter
    together = network(**padded, **{f"{name}_lengths": lengths[name] for name in batch})
    for i in range(3):
        alone = network(**{name: values[i : i + 1, ..., : lengths[name][i]] for name, values in batch.items()})
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", ["1d", "2d", "combined"])
@pytest.mark.parametrize("size", [1, 5, 16, 700])
def test_any_length_and_batch_size_one(model: str, size: int):
    network = build_model(model, "elu").eval()
    inputs = inputs_of(model, 1, size, size)
    logits = network(**inputs)
    assert logits.shape == (1, 6)
    lengths = {f"{name}_lengths": torch.tensor([size]) for name in inputs}
    torch.testing.assert_close(network(**inputs, **lengths), logits, rtol=1e-4, atol=1e-4)
    network.train()(**inputs).sum().backward()


def test_the_single_channel_form_fits():
    assert build_model("1d", "relu", "mean")(torch.randn(2, 1, 27)).shape == (2, 6)
    assert build_model("combined", "relu", "mean")(torch.randn(2, 1, 27), torch.rand(2, 1, 64, 64)).shape == (2, 6)
    assert count_parameters(build_model("2d", "relu", "mean")) == count_parameters(CNN2D("relu"))


def test_a_new_network_is_a_file_and_a_line(monkeypatch: pytest.MonkeyPatch):
    """What a registry entry says is all that training, checkpoints and names need."""
    module = ModuleType("ser_core.models.tiny")
    vars(module)["build"] = lambda activation, form, features, network: nn.Sequential(
        nn.Flatten(), nn.Linear(64 * 64, 6)
    )
    monkeypatch.setitem(sys.modules, "ser_core.models.tiny", module)
    monkeypatch.setitem(MODELS, "tiny", Architecture("tiny", "Tiny", "a test", "tiny", ("mel",), "relu", ("fixed",)))
    assert TrainConfig(model="tiny").name == "lr0.001-ReLU-Tiny"
    assert build_model("tiny", "relu")(torch.zeros(2, 1, 64, 64)).shape == (2, 6)
    with pytest.raises(ConfigError, match="tiny takes the form fixed"):
        TrainConfig(model="tiny", form="mean")


def test_a_new_spectral_feature_is_a_function_and_a_line(monkeypatch: pytest.MonkeyPatch):
    """With the four old ones it is another configuration, with another name and another network."""
    channel = Channel("peak", "power", "The strongest bin.", "a test")
    loudest = SpectralFeature(lambda config: (channel,), lambda waveform, power, config: power.max(axis=0))
    monkeypatch.setitem(SPECTRAL_FEATURES, "peak", loudest)
    features = FeatureConfig(spectral=(*FeatureConfig.spectral, "peak"))
    waveform = np.random.default_rng(0).normal(size=16_000).astype(np.float32)
    values = spectral_features(waveform, features)
    assert values.shape == (28, 101)
    np.testing.assert_array_equal(values[:27], spectral_features(waveform))
    assert build_model("1d", "elu", "fixed", features)(torch.from_numpy(values)[None]).shape == (1, 6)
    usual, other = (TrainConfig(model="1d", features=config) for config in (FeatureConfig(), features))
    assert other.name == f"{usual.name}-zcr+chroma+mfcc+rms+peak"
    assert parse_arguments(command_line(other)).config == other


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"spectral": ("zcr", "colour")}, "not 'colour'"),
        ({"spectral": ()}, "one kind of features or more"),
        ({"spectral": ("rms", "rms")}, "each once"),
        ({"image_size": 0}, "image_size"),
        ({"mel_fmax": math.nan}, "mel_fmax"),
        ({"mel_fmax": math.inf}, "mel_fmax"),
    ],
)
def test_features_that_no_network_can_take_are_refused(settings: dict, says: str):
    with pytest.raises(ConfigError, match=says):
        FeatureConfig(**settings)


@pytest.mark.parametrize("model", [name for name, network in MODELS.items() if network.takes_images])
def test_the_smallest_image_fits_the_network_and_a_smaller_one_is_refused(model: str):
    """Also one clip alone, of which batch normalisation needs more than one value in training."""
    smallest = MODELS[model].smallest_image
    inputs = inputs_of(model, 1, width=smallest)
    inputs["mel"] = inputs["mel"][:, :, :smallest]
    assert build_model(model, "relu").train()(**inputs).isfinite().all()
    TrainConfig(model=model, features=FeatureConfig(image_size=smallest))
    with pytest.raises(ConfigError, match=f"image_size is at least {smallest} for {model}"):
        TrainConfig(model=model, features=FeatureConfig(image_size=smallest - 1))


def test_a_new_activation_is_a_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(ACTIVATIONS, "mish", Activation("mish", "Mish", "torch.nn", "Mish"))
    assert TrainConfig(activation="mish").name == "lr0.001-Mish-2D"
    assert any(isinstance(layer, nn.Mish) for layer in build_model("2d", "mish").modules())


@pytest.mark.parametrize("name", MODELS)
def test_a_network_without_an_activation_asked_for_has_its_own(name: str):
    assert usual_config(name).activation == MODELS[name].activation


def test_an_unknown_network_is_a_sentence():
    with pytest.raises(ConfigError, match=f"model is one of {', '.join(MODELS)}, not '3d'"):
        build_model("3d", "relu")


def test_group_norm_without_padding_is_torchs():
    norm, x = GroupNorm(8, 16), torch.randn(2, 16, 5, 7) * 3 + 1
    torch.testing.assert_close(norm(x, torch.tensor([7, 7])), norm(x))


@pytest.mark.parametrize("shape", [(3, 16, 9), (3, 16, 4, 9)])
@pytest.mark.parametrize("way", ["one by one", "masked"])
def test_group_norm_is_that_of_what_is_not_padded(shape: tuple[int, ...], way: str):
    """Values and gradients are those of each clip alone, and padding has no part in them."""
    norm = GroupNorm(8, 16).double()
    nn.init.uniform_(norm.weight)
    x = (torch.randn(shape, dtype=torch.float64) * 3 + 5).requires_grad_()
    lengths = torch.tensor((9, 4, 1) if len(shape) == 4 else (9, 4, 2))
    out_gradient = torch.randn(shape, dtype=torch.float64)

    padded = norm(x, lengths) if way == "one by one" else norm._masked(x, lengths)
    ours = torch.autograd.grad(padded, (x, *norm.parameters()), out_gradient)
    alone = [norm(clip[None, ..., :n]) for clip, n in zip(x, lengths, strict=True)]
    cut = [clip[None, ..., :n] for clip, n in zip(out_gradient, lengths, strict=True)]
    theirs = torch.autograd.grad(alone, (x, *norm.parameters()), cut)

    torch.testing.assert_close(padded, padded * length_mask(lengths, x))
    for clip, expected, n in zip(padded, alone, lengths, strict=True):
        torch.testing.assert_close(clip[None, ..., :n], expected)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_masked_average_counts_what_is_there():
    x = torch.tensor([[[1.0, 2.0, 9.0]], [[4.0, 6.0, 8.0]]])
    assert masked_average(x, torch.tensor([2, 3])).tolist() == [[1.5], [6.0]]
