"""SpecAugment: what it hides, and what it leaves alone."""

import torch

from ser_core.training.spec_augment import LONGEST_STRETCH, WIDEST_BAND, spec_augment


def test_bands_and_stretches_are_hidden_within_their_limits():
    torch.manual_seed(0)
    log_mel, lengths = torch.randn(200, 80, 150), torch.full((200,), 100)
    before = log_mel.clone()
    hidden = spec_augment({"whisper": log_mel, "whisper_lengths": lengths})["whisper"] != log_mel
    assert (log_mel == before).all(), "the input is left as it is"
    bands, frames = hidden[:, :, :100].all(2).sum(1), hidden.all(1).sum(1)
    assert 10 < bands.max() <= 2 * (WIDEST_BAND * 80 + 1)
    assert 10 < frames.max() <= 2 * (LONGEST_STRETCH * 100 + 1)
    assert not hidden[:, :, 100:].any(), "padding is not where a mask belongs"
    inside = hidden[:, :, :100]
    assert (inside == (inside.all(2)[:, :, None] | inside.all(1)[:, None])).all(), "nothing else is hidden"
    assert hidden[:, 0].any()
    assert hidden[:, -1].any()


def test_what_is_hidden_gets_the_clips_mean():
    torch.manual_seed(0)
    images = torch.rand(50, 1, 64, 64)
    masked = spec_augment({"mel": images})["mel"]
    hidden = masked != images
    means = images.mean((1, 2, 3), keepdim=True).expand_as(images)
    torch.testing.assert_close(masked[hidden], means[hidden])


def test_spectral_features_lose_stretches_of_time_only():
    torch.manual_seed(0)
    features = torch.randn(50, 27, 301)
    hidden = spec_augment({"spectral": features})["spectral"] != features
    assert hidden.any()
    assert (hidden == hidden.all(1)[:, None]).all()


def test_both_inputs_of_a_clip_lose_the_same_time():
    torch.manual_seed(0)
    inputs = {"spectral": torch.randn(50, 27, 300), "mel": torch.rand(50, 1, 64, 100)}
    masked = spec_augment(inputs)
    spectral = (masked["spectral"] != inputs["spectral"]).all(1)
    mel = (masked["mel"] != inputs["mel"]).all(2)[:, 0]
    together = spectral.view(50, 100, 3).float().mean(2)
    assert (together - mel.float()).abs().mean() < 0.03


def test_a_clip_of_one_frame_is_left():
    log_mel = torch.ones(50, 80, 1)
    assert (spec_augment({"whisper": log_mel, "whisper_lengths": torch.ones(50)})["whisper"] == 1).all()
