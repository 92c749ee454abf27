"""The study of ingredients: each is added to the base, and taken from the whole."""

from dataclasses import replace

import pytest

from ser_core.audio.changes.augment import AugmentationConfig
from ser_core.models.activations import ACTIVATIONS
from ser_core.models.config import GIVEN, HEADS
from ser_core.models.registry import build_model
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.future import INGREDIENTS, MODEL, SEEDS, WHOLE, future_steps, future_study
from ser_core.training.naming import LONGEST_NAME
from ser_core.training.run_folders import check_name

STEPS = {step.label: step.config for step in future_steps()}
OWN = [one for one in INGREDIENTS if one.own]


def unlike(one: TrainConfig, other: TrainConfig) -> dict:
    """Settings in which two differ, with the first one's values."""
    theirs = other.effective.flat
    return {name: value for name, value in one.effective.flat.items() if value != theirs[name]}


def test_every_network_of_the_study_is_another_one_and_can_be_recorded():
    configs = future_study()
    assert len(configs) == len(SEEDS) * (2 + 2 * len(INGREDIENTS)) == len({config.effective for config in configs})
    assert len({config.name for config in configs}) == len(configs)
    for config in configs:
        check_name(config.name, given=False)
    assert [config.seed for config in configs] == sorted((c.seed for c in configs), key=SEEDS.index)


@pytest.mark.parametrize("one", INGREDIENTS, ids=lambda one: one.label)
def test_an_ingredient_is_all_that_makes_the_difference(one):
    added = unlike(STEPS[f"base + {one.label}"], STEPS[f"base + {one.beside}" if one.beside else "base"])
    assert added
    assert {name: added[name] for name in one.settings if name in added}.items() <= dict(one.settings).items()
    others = {name for name, value in added.items() if name not in one.settings and value != 0}
    assert not others - {"blocks"}  # changes of the waveform that stay off, and blocks, of which no head has none
    changed = unlike(STEPS[f"whole {one.how}"], STEPS["whole"])
    assert changed
    assert set(changed) <= set(one.changed)


def test_the_base_has_none_of_the_ingredients_and_the_whole_is_what_is_trained_by_default():
    assert STEPS["whole"] == usual_config(MODEL)
    base = STEPS["base"]
    for one in OWN:
        assert any(base.flat[name] != value for name, value in one.settings.items()), one.label
    assert (base.copies, base.network.contours) == (0, ())


def test_all_heads_activations_inputs_and_changes_are_tried():
    tried = {(name, str(value)) for one in INGREDIENTS for name, value in one.settings.items()}
    assert {value for name, value in tried if name == "activation"} == ACTIVATIONS.keys() - {"relu"}
    assert {value for name, value in tried if name == "head"} == set(HEADS) - {"none"}
    assert {name for one in OWN for name in one.settings.get("contours", ())} == set(GIVEN)
    on = {name for name, value in vars(AugmentationConfig()).items() if isinstance(value, float) and value}
    alone = {name for one in OWN if one.label != "all changes" for name in one.settings}
    assert on - {"band_limit", "max_eq_db"} <= alone  # which say how, not whether


@pytest.mark.parametrize("label", ["base", "whole", "base + recurrent", "whole - conformer + transformer"])
def test_networks_of_the_study_can_be_built(label: str):
    config = STEPS[label]
    build_model(config.model, config.activation, config.form, config.features, config.network)


def test_names_tell_the_base_and_what_is_added_to_it():
    def added(ingredient: str) -> str:
        return STEPS[f"base + {ingredient}"].name

    assert STEPS["base"].name == "lr0.001-ReLU-Conformer-base"
    assert added("GELU") == "lr0.001-GELU-Conformer-base"
    assert added("SpecAugment") == "lr0.001-ReLU-Conformer-base-spec-augment2"
    assert added("noise") == "lr0.001-ReLU-Conformer-base-copies3-noise0.5"  # and no other change
    assert added("conformer") == "lr0.001-ReLU-Conformer-base-conformer-head"
    assert STEPS["whole - conformer"].name == "lr0.001-SiLU-Conformer-none-head"
    assert replace(STEPS["base"], seed=7, split="fold2").name == "lr0.001-ReLU-Conformer-base-fold2-seed7"
    assert all("base" in name for label, config in STEPS.items() for name in [config.name] if label.startswith("base"))


def test_a_long_name_is_cut_and_still_tells_runs_apart():
    changed = usual_config("2d", copies=1, noise=0, spectrum=0, room=0, gate=0, gain=0, speed=0, n_mfcc=20, n_mels=50)
    names = {replace(changed, seed=seed).name for seed in range(100)}
    assert len(names) == 100
    assert all(len(name) <= LONGEST_NAME for name in names)
    assert changed.name.startswith("lr0.001-SiLU-2D-copies1-noise0-")
    assert replace(usual_config(MODEL), seed=7).name == "lr0.001-SiLU-Conformer-seed7"  # a short one is as it is


def test_what_is_taken_away_was_there_and_what_is_added_was_not():
    for one in INGREDIENTS:
        assert all(WHOLE[name] != value for name, value in one.changed.items()), one.label
    assert {one.how for one in INGREDIENTS} >= {"- SpecAugment", "- conformer + recurrent", "+ mixup"}


def test_what_is_compared_stands_before():
    labels = [step.label for step in future_steps()]
    assert all(step.to is None or labels.index(step.to) < i for i, step in enumerate(future_steps()))
    assert next(step.to for step in future_steps() if step.label == "base + pitch path") == "base + pitch and voicing"
