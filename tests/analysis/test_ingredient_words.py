"""What the study of ingredients says of the report's hopes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ser_core.analysis.ingredient_words import SAME_BASE, activating, attending, augmenting, transforming
from ser_core.analysis.ingredients import IngredientResult, ingredient_results
from ser_core.records.evaluations import Evaluation
from ser_core.records.runs import load_runs
from ser_core.training.future import SEEDS, future_steps
from tests.made_records import evaluated, write_run

NOISY = "CREMA-D, validation clips, pink noise, 15 dB SNR"


def results(root: Path, shares: Mapping[str, float], seeds: Sequence[int] = SEEDS[:1]) -> list[IngredientResult]:
    """Networks of the study by their labels, each right on a share of validation clips, also where they are noisy."""
    heard: list[Evaluation] = []
    for step in future_steps():
        for seed in seeds if step.label in shares else ():
            config, share = replace(step.config, seed=seed), shares[step.label]
            write_run(root / "runs" / config.name, config, val_accuracy=share)
            heard.append(evaluated(root / "e", config.name, right=0.5))
            one = evaluated(root / "e", config.name, NOISY, right=share)
            heard.append(replace(one, corpus=replace(one.corpus, change="pink-15", validation=True)))
    return ingredient_results(load_runs(root / "runs")[0], heard, root / "e")


def test_attention_is_a_conformer_and_attentive_pooling_and_transformers_are_transformers(tmp_path: Path):
    found = results(tmp_path, {"base": 0.5, "whole": 0.5, "base + conformer": 0.4, "whole - attentive pooling": 0.55})
    pooling, conformer = attending(found)
    assert pooling == (
        "The whole without attentive pooling (1 seed): +5.0 points on validation clips; 0.0 (0.0 to 0.0) on RAVDESS."
    )
    assert conformer.startswith("The base with a conformer (1 seed): -10.0 points on validation clips;")
    assert transforming(found) == ()
    (transformer,) = transforming(results(tmp_path, {"whole": 0.5, "whole - conformer + transformer": 0.5}))
    assert transformer.startswith("The whole with a transformer instead of a conformer (1 seed): 0.0 points")


def test_of_changes_by_themselves_those_are_named_that_are_beyond_chance(tmp_path: Path):
    alike = {"base": 0.5, "base + all changes": 0.75, "base + mixup": 0.5, "base + rooms": 0.5}
    together, alone = augmenting(results(tmp_path, alike))
    assert alone.endswith(f" {SAME_BASE}")
    assert "+25.0 (" in together
    assert ") on validation clips with pink noise, 15 dB SNR; 0.0 (0.0 to 0.0) on RAVDESS." in together
    # Of two ways, under noise and on RAVDESS; on validation clips, nobody evaluated them.
    said = "Tried in the base by themselves: mixup and rooms. Of 4 intervals, none excludes 0."
    assert alone.removesuffix(f" {SAME_BASE}") == said
    _, alone = augmenting(results(tmp_path, {**alike, "base + rooms": 0.75}))
    assert "themselves (1 seed): mixup and rooms. Of 4 intervals, 1 excludes 0: rooms +25.0 points (" in alone
    assert "mixup +" not in alone


def test_how_much_the_seeds_of_the_base_differ_is_said(tmp_path: Path):
    *_, of_seeds, spread = augmenting(results(tmp_path, {"base": 0.5, "base + rooms": 0.75}, SEEDS))
    assert SAME_BASE not in of_seeds
    assert spread.startswith("The base alone, with 3 seeds, has 50.0\u00a0% to 50.0\u00a0% on validation clips, 50.0")
    assert spread.endswith(" to 50.0\u00a0% on RAVDESS.")


def test_what_is_of_several_seeds_says_so(tmp_path: Path):
    shares = {"base": 0.5, "base + GELU": 0.6, "base + ELU": 0.6}
    (sentence,) = activating(results(tmp_path, shares, SEEDS))
    assert sentence == "Instead of ReLU in the base (3 seeds), on validation clips: GELU +10.0 points (+10.0 to +10.0)."
    (sentence,) = activating(results(tmp_path, {"base + Mish": 0.4}))
    assert "base, on validation clips: GELU +10.0 points (+10.0 to +10.0; 3 seeds); Mish -10.0 (1 seed)." in sentence
    (sentence,) = activating(results(tmp_path / "other", {"whole": 0.5, "whole - SiLU + Swish": 0.6}))
    assert sentence == "Instead of SiLU in the whole (1 seed), on validation clips: Swish +10.0 points."
