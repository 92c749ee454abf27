import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from ser_core.audio.changes.augment import AugmentationConfig, augment, part_of
from ser_core.audio.level import active_power
from ser_core.audio.synthetic import EXAMPLES, synthesize
from ser_core.audio.vad import energy_intervals
from ser_core.errors import ConfigError

SHARES = ("noise", "spectrum", "room", "gate", "codec", "gain", "speed", "pitch", "crop")
NOTHING = AugmentationConfig(**dict.fromkeys(SHARES, 0.0))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return synthesize(EXAMPLES["Even and calm"])


def test_a_clip_repeats_with_its_seed_and_is_left_as_it_was(voice):
    before = voice.copy()
    first = [augment(voice, np.random.default_rng(seed)) for seed in range(20)]
    np.testing.assert_array_equal(voice, before)
    for seed, changed in enumerate(first):
        np.testing.assert_array_equal(changed, augment(voice, np.random.default_rng(seed)))
    assert len({changed.tobytes() for changed in first}) > 15


def test_whatever_is_drawn_is_sound_that_can_be_recorded(voice):
    everything = AugmentationConfig(**dict.fromkeys(SHARES, 0.7), gain_db=(20, 40))  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    for _ in range(60):
        changed = augment(voice, rng, everything)
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert 0 < np.abs(changed).max() <= 1
        assert 0.9 < len(voice) / len(changed) < 12


def test_without_shares_nothing_changes(voice):
    np.testing.assert_array_equal(augment(voice, np.random.default_rng(0), NOTHING), voice)


@pytest.mark.parametrize("share", SHARES)
def test_each_share_is_that_of_the_clips_that_get_the_change(voice, share: str):
    rng, n_clips = np.random.default_rng(1), 30 if share == "codec" else 150
    config = replace(NOTHING, **{share: 0.4})  # type: ignore[arg-type]
    changed = [not np.array_equal(augment(voice[:12_000], rng, config), voice[:12_000]) for _ in range(n_clips)]
    assert np.mean(changed) == pytest.approx(0.4, abs=4 * (0.4 * 0.6 / n_clips) ** 0.5)


def test_a_part_is_a_share_of_the_voice_and_half_of_them_begin_with_the_clip(voice):
    silence = np.zeros(8_000, np.float32)
    clip, rng = np.concatenate((silence, voice, silence)), np.random.default_rng(3)
    parts = [part_of(clip, share, rng) for share in (0.3, 0.5, 0.9) * 100]
    loud = energy_intervals(clip, top_db=30, floor_dbfs=-90)
    first, behind = loud[0, 0], loud[-1, 1]
    for part, share in zip(parts, (0.3, 0.5, 0.9) * 100, strict=True):
        heard = part.stop - max(part.start, first)
        assert heard == pytest.approx(share * (behind - first), abs=1)
        assert part.stop <= behind
    begun = np.mean([part.start == 0 for part in parts])
    assert begun == pytest.approx(0.5, abs=0.12)
    assert min(part.start for part in parts if part.start) < first + 3_000
    assert max(part.stop for part in parts) > behind - 3_000


def test_what_is_cut_is_a_part_of_the_voice_also_where_noise_is_louder(voice):
    silence = np.zeros(16_000, np.float32)
    clip = np.concatenate((silence, 0.01 * voice, silence))
    config = replace(NOTHING, noise=1.0, snr_db=(-20, -20), crop=1.0, crop_share=(0.4, 0.4))
    loud = energy_intervals(clip, top_db=30, floor_dbfs=-90)
    first, behind = loud[0, 0], loud[-1, 1]
    lengths = {len(augment(clip, np.random.default_rng(seed), config)) for seed in range(12)}
    assert lengths == {round(0.4 * (behind - first)), first + round(0.4 * (behind - first))}


def test_of_a_short_voice_enough_is_left_to_hear_something():
    tone = np.sin(np.arange(9_600) * 0.2).astype(np.float32)
    part = part_of(tone, 0.01, np.random.default_rng(0))
    assert part.stop - part.start == 6_400
    shorter = part_of(tone[:3_200], 0.5, np.random.default_rng(0))
    assert (shorter.start, shorter.stop) == (0, 3_200)


def test_nothing_is_cut_where_no_voice_is_loud_enough():
    silent = np.zeros(16_000, np.float32)
    config = replace(NOTHING, crop=1.0)
    assert len(augment(silent, np.random.default_rng(0), config)) == 16_000


def test_what_was_drawn_without_cutting_is_drawn_with_it(voice):
    """Records of networks that were trained before clips were cut can be trained again."""
    for seed in range(10):
        whole = augment(voice, np.random.default_rng(seed), AugmentationConfig())
        part = augment(voice, np.random.default_rng(seed), AugmentationConfig(crop=1.0))
        assert part.tobytes() in whole.tobytes()


def test_noise_is_within_its_range(voice):
    rng, config = np.random.default_rng(2), replace(NOTHING, noise=1.0, snr_db=(10, 20))
    quiet = voice * np.float32(0.3)  # with room for noise below full scale
    ratios = []
    for _ in range(40):
        added = np.square(augment(quiet, rng, config) - quiet, dtype=np.float64).mean()
        ratios.append(10 * np.log10(active_power(quiet) / added))
    assert min(ratios) == pytest.approx(10, abs=1.5)
    assert max(ratios) == pytest.approx(20, abs=1.5)
    assert min(ratios) > 9.9
    assert max(ratios) < 20.1


def test_babble_is_made_of_other_clips(voice, monkeypatch: pytest.MonkeyPatch):
    from ser_core.audio.changes import augment as augmentation

    monkeypatch.setattr(augmentation, "NOISES", {"babble": augmentation.NOISES["babble"]})
    constant = [np.full(4000, 0.1, np.float32)]
    added = augment(voice, np.random.default_rng(0), replace(NOTHING, noise=1.0), voices=constant) - voice
    assert added.std() < 1e-6 < abs(added.mean())


def test_settings_survive_a_record():
    config = AugmentationConfig(noise=0.3, snr_db=(0.0, 10.0))
    assert AugmentationConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": 1.5},
        {"gain": -0.1},
        {"snr_db": (20, 5)},
        {"rt60": (0, 1)},
        {"speed_factor": (0, 1)},
        {"max_eq_db": -1},
        {"crop_share": (0.5, 1.5)},
        {"crop_share": (-0.5, 0.5)},
    ],
)
def test_what_can_not_be_is_refused(wrong: dict):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        AugmentationConfig(**wrong)
