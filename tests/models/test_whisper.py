"""The pretrained encoder: against PyTorch's own transformer layers, and free of what a clip is batched with."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser_core.models.whisper import (
    MAX_POSITIONS,
    SIZES,
    EncoderSize,
    Standardize,
    WhisperClassifier,
    WhisperEncoder,
    mean_and_deviation,
    sinusoids,
)

SMALL = EncoderSize(layers=2, width=48, heads=6)


@pytest.fixture
def encoder() -> WhisperEncoder:
    torch.manual_seed(0)
    return WhisperEncoder(SMALL).eval()


@pytest.fixture
def classifier() -> WhisperClassifier:
    torch.manual_seed(0)
    return WhisperClassifier(SMALL, "silu").eval()


def padded(clips: list[Tensor], filler: float) -> tuple[Tensor, Tensor]:
    """Clips `[80, frames]` as a batch, filled up with a number, and their lengths."""
    lengths = torch.tensor([clip.shape[1] for clip in clips])
    batch = torch.full((len(clips), 80, int(lengths.max())), filler)
    for row, clip in zip(batch, clips, strict=True):
        row[:, : clip.shape[1]] = clip
    return batch, lengths


@pytest.mark.parametrize(("name", "millions"), [("whisper-base", 20.1), ("whisper-tiny", 7.8)])
def test_sizes_are_the_table_of_the_module(name: str, millions: float):
    with torch.device("meta"):
        model = WhisperClassifier(SIZES[name], "silu")
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)
    assert len(model.layer_weights) == SIZES[name].layers + 1


def test_the_encoder_is_what_pytorchs_own_layers_compute(encoder: WhisperEncoder):
    log_mel = torch.randn(3, 80, 31)
    with torch.no_grad():
        x = F.gelu(F.conv1d(log_mel, encoder.conv1.weight, encoder.conv1.bias, padding=1))
        x = F.gelu(F.conv1d(x, encoder.conv2.weight, encoder.conv2.bias, stride=2, padding=1)).transpose(1, 2)
        expected = [x + sinusoids(MAX_POSITIONS, SMALL.width)[:16]]
        for block in encoder.blocks:
            layer = nn.TransformerEncoderLayer(
                SMALL.width, SMALL.heads, 4 * SMALL.width, activation="gelu", batch_first=True, norm_first=True
            ).eval()
            pairs = {
                "self_attn.in_proj_": block.qkv,
                "self_attn.out_proj.": block.out,
                "linear1.": block.up,
                "linear2.": block.down,
                "norm1.": block.attention_norm,
                "norm2.": block.mlp_norm,
            }
            layer.load_state_dict(
                {f"{k}{kind}": getattr(v, kind) for k, v in pairs.items() for kind in ("weight", "bias")}
            )
            expected.append(layer(expected[-1]))
        expected[-1] = encoder.norm(expected[-1])
        outputs = encoder(log_mel)
    assert len(outputs) == 3
    for ours, theirs in zip(outputs, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_positions():
    positions = sinusoids(MAX_POSITIONS, 512)
    assert positions.shape == (1500, 512)
    torch.testing.assert_close(positions[7, 0], torch.tensor(7.0).sin())
    torch.testing.assert_close(positions[7, 256], torch.tensor(7.0).cos())
    torch.testing.assert_close(positions[:, 255], (torch.arange(1500) / 10_000).sin(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("filler", [0.0, 7.0, 1e4])
def test_a_clip_alone_is_as_in_a_batch(classifier: WhisperClassifier, filler: float):
    clips = [torch.randn(80, frames) for frames in (1, 2, 50, 33, 120)]
    classifier.standardize.mean.uniform_(-1, 1)
    with torch.no_grad():
        together = classifier(*padded(clips, filler))
        alone = torch.cat([classifier(clip[None]) for clip in clips])
    assert together.shape == (5, 6)
    torch.testing.assert_close(together, alone, atol=2e-5, rtol=1e-5)


def test_gradients_of_padding_are_zero_and_finite(classifier: WhisperClassifier):
    batch, lengths = padded([torch.randn(80, 40), torch.randn(80, 9)], 0.0)
    batch.requires_grad_()
    classifier.train()(batch, lengths).square().sum().backward()
    assert batch.grad is not None
    assert batch.grad[1, :, 9:].abs().max() == 0
    assert batch.grad[1, :, :9].abs().max() > 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in classifier.parameters())


def test_thirty_seconds_are_the_longest(encoder: WhisperEncoder):
    with torch.no_grad():
        assert encoder(torch.zeros(1, 80, 3000))[-1].shape == (1, 1500, SMALL.width)
        with pytest.raises(RuntimeError):
            encoder(torch.zeros(1, 80, 3002))


def test_mean_and_deviation_leave_padding_out():
    x = torch.randn(2, 10, 3)
    pooled = mean_and_deviation(x, torch.tensor([10, 4]))
    torch.testing.assert_close(pooled[1, :3], x[1, :4].mean(0))
    torch.testing.assert_close(pooled[1, 3:], x[1, :4].std(0, correction=0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(pooled[:1], mean_and_deviation(x[:1], None))


def test_layers_are_weighted_by_a_softmax(classifier: WhisperClassifier):
    log_mel = torch.randn(1, 80, 20)
    with torch.no_grad():
        classifier.layer_weights.copy_(torch.tensor([0.0, 50.0, 0.0]))
        chosen = mean_and_deviation(classifier.encoder(log_mel)[1], None)
        torch.testing.assert_close(classifier.pooled(log_mel), chosen)


def test_lower_layers_learn_slower_and_no_parameter_is_left_out(classifier: WhisperClassifier):
    groups = classifier.rate_groups(100, 0.5)
    rate = {id(parameter): share for parameters, share in groups for parameter in parameters}
    assert sum(len(parameters) for parameters, _ in groups) == len(rate) == len(list(classifier.parameters()))
    assert rate[id(classifier.layer_weights)] == 100
    assert rate[id(classifier.classifier.get_parameter("1.weight"))] == 100
    assert rate[id(classifier.encoder.norm.weight)] == 1
    assert rate[id(classifier.encoder.blocks[1].qkv.weight)] == 1
    assert rate[id(classifier.encoder.blocks[0].qkv.weight)] == 0.5
    assert rate[id(classifier.encoder.conv1.weight)] == 0.25


def test_features_are_z_scored_with_those_of_all_batches_so_far():
    torch.manual_seed(0)
    standardize, batches = Standardize(3), [3 + 2 * torch.randn(50, 3) for _ in range(20)]
    for batch in batches:
        standardize.train()(batch)
    together = torch.cat(batches)
    torch.testing.assert_close(standardize.mean, together.mean(0), atol=1e-4, rtol=0)
    scored = standardize.eval()(together)
    torch.testing.assert_close(scored.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scored.std(0), torch.ones(3), atol=1e-2, rtol=0)
    torch.testing.assert_close(standardize(together[:1]), scored[:1], atol=1e-6, rtol=0)


def test_it_learns_what_sets_two_clips_apart(classifier: WhisperClassifier):
    batch, lengths = padded([torch.randn(80, 60), torch.randn(80, 45)], 0.0)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=3e-3)
    for _ in range(20):
        loss = F.cross_entropy(classifier.train()(batch, lengths), torch.tensor([0, 5]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2
