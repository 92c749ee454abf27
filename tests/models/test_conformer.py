"""The network of our own: shapes, sizes, what padding and ingredients change."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from ser_core.errors import ConfigError
from ser_core.features.config import FeatureConfig
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.config import GIVEN, HEADS, NetworkConfig
from ser_core.models.conformer import AttentiveStatistics, Conformer
from ser_core.models.registry import build_model, count_parameters
from ser_core.training.config import usual_config

FEATURES = usual_config("conformer").features
INGREDIENTS: dict[str, NetworkConfig] = {
    "all": NetworkConfig(),
    **{head: NetworkConfig(head=head) for head in HEADS[1:]},
    "plain": NetworkConfig(pooling="plain"),
    "no squeeze": NetworkConfig(squeeze=False),
    "no contours": NetworkConfig(contours=()),
    "pitch alone": NetworkConfig(contours=("pitch",)),
    "duration alone": NetworkConfig(contours=("duration",)),
    "nothing": NetworkConfig(head="none", pooling="plain", squeeze=False, contours=()),
}


def network_of(config: NetworkConfig, activation: str = "silu") -> nn.Module:
    torch.manual_seed(0)
    return build_model("conformer", activation, "variable", FEATURES, config)


def inputs_of(frames: int, batch: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(frames)
    shape = (FEATURES.n_mels, frames)
    return {
        "mel": torch.rand(batch, 1, *shape, generator=generator),
        "contours": torch.randn(batch, 3, frames, generator=generator),
    }


def test_it_looks_at_several_windows_of_the_spectrogram():
    torch.manual_seed(0)
    several = replace(FEATURES, mel_windows=(1024, 2048))
    network = build_model("conformer", "silu", "variable", several, NetworkConfig()).eval()
    inputs = inputs_of(80)
    inputs["mel"] = inputs["mel"].repeat(1, 3, 1, 1)
    with torch.inference_mode():
        answer = network(**inputs)
        for window in range(3):
            changed = inputs["mel"].clone()
            changed[:, window] = changed[:, window].flip(-1)
            assert not torch.equal(network(**inputs | {"mel": changed}), answer)


@pytest.mark.parametrize("model", ["2d", "combined", "resnet38"])
def test_other_networks_take_one_window(model: str):
    with pytest.raises(ConfigError, match=f"mel_windows is for conformer: {model} takes a spectrogram of one window"):
        build_model(model, "relu", "fixed", FeatureConfig(mel_windows=(2048,)))
    with pytest.raises(ConfigError, match="one window"):
        usual_config(model, mel_windows=(2048,))


def test_it_is_small():
    assert 1e6 < count_parameters(network_of(NetworkConfig())) < 3e6


@pytest.mark.parametrize("config", INGREDIENTS.values(), ids=INGREDIENTS)
def test_a_clip_in_a_padded_batch_gives_what_it_gives_alone(config: NetworkConfig):
    network = network_of(config).eval()
    clips = [inputs_of(frames) for frames in (131, 64, 7, 1)]
    lengths = torch.tensor([clip["mel"].shape[-1] for clip in clips])
    padded = {
        # What lies in the padding must not matter.
        name: torch.cat([nn.functional.pad(clip[name], (0, 131 - clip[name].shape[-1]), value=9.0) for clip in clips])
        for name in clips[0]
    }
    with torch.inference_mode():
        together = network(**padded, mel_lengths=lengths, contours_lengths=lengths)
        for i, clip in enumerate(clips):
            torch.testing.assert_close(together[i : i + 1], network(**clip), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("config", INGREDIENTS.values(), ids=INGREDIENTS)
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_every_ingredient_learns_something_finite(config: NetworkConfig, bf16: bool):
    network = network_of(config).train()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = network(**inputs_of(60, 2), mel_lengths=torch.tensor([60, 41]))
    nn.functional.cross_entropy(logits.float(), torch.tensor([0, 5])).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_keeps_padding_out(activation: str):
    network = network_of(NetworkConfig(), activation).eval()
    short, long = inputs_of(50), inputs_of(90)
    padded = {name: torch.cat((nn.functional.pad(short[name], (0, 40)), long[name])) for name in short}
    with torch.inference_mode():
        together = network(**padded, mel_lengths=torch.tensor([50, 90]))
        torch.testing.assert_close(together[:1], network(**short), rtol=1e-4, atol=1e-4)


def test_what_is_not_given_changes_nothing():
    network, inputs = network_of(NetworkConfig(contours=("pitch",))).eval(), inputs_of(80)
    louder, higher = inputs["contours"].clone(), inputs["contours"].clone()
    louder[:, 0] += 1
    higher[:, 1] += 1
    with torch.inference_mode():
        answer = network(**inputs)
        assert torch.equal(network(**inputs | {"contours": louder}), answer)
        assert not torch.equal(network(**inputs | {"contours": higher}), answer)


def test_the_duration_is_told_apart_from_all_else():
    """The embedding ends with octaves over 2.5 s."""
    network = network_of(NetworkConfig()).eval()
    assert isinstance(network, Conformer)
    with torch.inference_mode():
        assert network.embed(**inputs_of(500))[0, -1] == pytest.approx(1.0)
        assert network.embed(**inputs_of(125))[0, -1] == pytest.approx(-1.0)


def test_attention_that_is_even_gives_mean_and_deviation():
    pooling = AttentiveStatistics(8)
    nn.init.zeros_(pooling.scores[2].weight)  # type: ignore[arg-type]
    x = torch.randn(2, 30, 8)
    pooled = pooling(x, None)
    torch.testing.assert_close(pooled[:, :8], x.mean(1))
    torch.testing.assert_close(pooled[:, 8:], x.std(1, correction=0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"head": "round"}, "head is one of conformer"),
        ({"pooling": "max"}, "pooling is one of attentive"),
        ({"contours": ("colour",)}, "not 'colour'"),
        ({"contours": ("pitch", "pitch")}, "each once"),
        ({"blocks": 0}, "blocks"),
        ({"width": 100}, "width is a multiple of 8"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_what_no_network_can_be_made_of_is_a_sentence(settings: dict, says: str):
    with pytest.raises(ConfigError, match=says):
        NetworkConfig(**settings)


def test_json_makes_a_list_of_the_contours():
    assert replace(NetworkConfig(), contours=list(GIVEN)) == NetworkConfig()  # type: ignore[arg-type]
