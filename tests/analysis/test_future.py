"""What the report would try next, beside what was measured."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_core.analysis.future import hopes
from ser_core.analysis.ingredient_table import ingredient_rows
from ser_core.analysis.ingredient_words import STUDY
from ser_core.analysis.ingredients import ingredient_results
from ser_core.analysis.steps import step_results
from ser_core.corpus.clips import load_index
from ser_core.models.config import NetworkConfig
from ser_core.records.evaluations import evaluations_dir, load_evaluations
from ser_core.records.predictions import Predictions
from ser_core.records.runs import RUNS_DIR, Run, load_run, load_runs
from ser_core.records.searches import Found, SearchRecord, Trial
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.future import future_steps
from ser_core.training.search_space import SPACE
from ser_core.training.steps import TOGETHER
from ser_core.training.study import BEST_2D
from tests.made_records import MINE, NAMES, TARGETS, answering, set_val_accuracy, write_run

INDEX = list(load_index().values())


def answers_of(share: float) -> Predictions:
    """Right for the first share of the clips."""
    right = np.arange(len(NAMES)) < share * len(NAMES)
    return answering(np.where(right, TARGETS, (TARGETS + 1) % 6))


def measured(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    return {hope.title: hope.measured for hope in hopes(runs, [], INDEX)}


def recorded(folder: Path, config: TrainConfig, **options) -> Run:
    write_run(folder, config, **options)
    return load_run(folder)


def test_of_what_nobody_trained_nothing_is_said_but_what_people_said():
    said = measured([])
    assert list(said) == [
        "Attention",
        "Transformers",
        "Several modalities",
        "Data augmentation",
        "Activation functions of one's own",
        "Systematic search",
    ]
    assert [title for title, sentences in said.items() if sentences] == ["Several modalities"]
    assert "in 40\u00a0% of their ratings where they only hear the clip" in said["Several modalities"][0]


def test_what_ships_with_the_project_says_something():
    runs, evaluations = load_runs(RUNS_DIR)[0], load_evaluations(evaluations_dir())[0]
    steps = step_results(runs, evaluations)
    (together,) = (step for step in steps if step.step.label == TOGETHER)
    tried = ingredient_results(runs, evaluations, evaluations_dir())
    kept = {together.run.name: 0.5, together.before.name: 0.125} if together.before else {}
    said = {hope.title: hope.measured for hope in hopes(runs, steps, INDEX, [], tried, kept)}
    assert "`lr0.001-SiLU-2D, 150 epochs`, the report's best" in said["Transformers"][0]
    assert "together with SpecAugment" in " ".join(said["Data augmentation"])
    assert "RAVDESS" in " ".join(said["Data augmentation"])
    telephone = "50\u00a0% keep their label over a telephone with them, 12\u00a0% without."
    assert telephone in " ".join(said["Data augmentation"])
    gained = {row["network"]: row for row in ingredient_rows(tried)}
    for title, label, how in (
        ("Attention", "whole - conformer", "The whole without a conformer"),
        ("Attention", "base + conformer", "The base with a conformer"),
        ("Transformers", "base + transformer", "The base with a transformer"),
        ("Data augmentation", "base + all changes", "The base with all changes"),
    ):
        (sentence,) = (one for one in said[title] if one.startswith(how))
        for name, clips in (("validation", "validation clips"), ("UAR, RAVDESS", "RAVDESS")):
            gain, interval = (gained[label][f"{name}, gained{end}"] for end in ("", ", 95 % interval"))
            assert re.search(
                rf"{re.escape(f'{gain:+.1f}')}( points)? \({re.escape(interval)}(; \d seeds?)?\) on {clips}", sentence
            )
    activations = " ".join(said["Activation functions of one's own"])
    assert f"GELU {gained['base + GELU']['validation, gained']:+.1f}" in activations
    assert [title for title, sentences in said.items() if STUDY in sentences] == ["Attention"]


def test_nothing_is_said_of_the_studys_networks_by_their_test_clips(tmp_path: Path):
    base = next(step.config for step in future_steps() if step.label == "base")
    runs = [
        recorded(tmp_path / activation, replace(base, activation=activation, seed=seed), predictions=answers_of(0.5))
        for activation, seed in (("relu", 1), ("gelu", 1))
    ]
    assert measured(runs)["Activation functions of one's own"] == ()


def test_attention_is_a_network_of_ours_that_has_some(tmp_path: Path):
    best = recorded(tmp_path / BEST_2D.name, BEST_2D, predictions=answers_of(0.5))
    with_some = recorded(tmp_path / "with", usual_config("conformer"), predictions=answers_of(0.75))
    config = replace(usual_config("conformer"), network=NetworkConfig(head="recurrent"))
    without = recorded(tmp_path / "without", config, predictions=answers_of(0.75))
    assert measured([best, without])["Attention"] == ()
    assert measured([with_some])["Attention"] == ()  # there is nothing to compare it with
    (sentence,) = measured([best, with_some, without])["Attention"]
    assert f"`with, {usual_config('conformer').epochs} epochs` has attention" in sentence
    assert "on the test clips, +25.0 points" in sentence
    other = recorded(tmp_path / "few", usual_config("conformer"))
    assert measured([best, other])["Attention"] == ()  # it answered other clips


def test_a_search_says_what_it_found_and_what_that_is_worth_at_full_length(tmp_path: Path):
    base = usual_config("conformer", epochs=4)
    settings = {name: base.flat[name] for name in SPACE}
    trials = (Trial(1, 0.75, {**settings, "lr": 0.002}), Trial(0, 0.5, settings))
    found = Found("some", trials, 8, {"lr": 0.5, "ema": 0.25, "width": 0.125, "head": 0.125}, 0.2)
    search = SearchRecord(base, found, "CPU", "3.11", {}, None, "0123")
    first, second = hopes([], [], INDEX, [search])[-1].measured
    assert first.startswith("Of 10 settings of the Conformer network, each trained for 4 epochs on `report`")
    assert "names 75.0\u00a0% of" in first
    assert "by itself name 50.0\u00a0%" in first
    assert second == (
        "What matters more than chance would show: `lr` (50\u00a0%) and `ema` (25\u00a0%); chance alone gives a "
        "setting up to 20\u00a0%."
    )
    usual = usual_config("conformer")
    runs = [
        recorded(tmp_path / "usual", usual, predictions=answers_of(0.5)),
        recorded(tmp_path / "other", replace(usual, lr=0.003), predictions=answers_of(0.25)),
        recorded(tmp_path / "found", replace(usual, lr=0.002), predictions=answers_of(0.75)),
    ]
    last = hopes(runs, [], INDEX, [search])[-1].measured[-1]
    assert last.startswith(f"Trained for as many epochs as `usual, {usual.epochs} epochs`, the best has +25.0 points")
    again = recorded(tmp_path / "usual-run2", usual, predictions=answers_of(0.875))
    corpora = recorded(tmp_path / "a", usual, predictions=answers_of(0.875), environment={"corpora": (MINE,)})
    for order in ([*runs, again, corpora], [corpora, again, *runs]):
        assert hopes(order, [], INDEX, [search])[-1].measured[-1] == last
    shorter = recorded(tmp_path / "short", replace(usual, lr=0.002, epochs=4), predictions=answers_of(0.75))
    assert hopes([*runs[:2], shorter], [], INDEX, [search])[-1].measured == (
        first,
        second,
        f"Its best is recorded of 4 epochs in bf16, and the network by itself of {usual.epochs} epochs in bf16: only "
        "runs of as many epochs and one precision are compared.",
    )


def test_a_search_that_only_tries_the_command_or_finds_nothing_better_says_no_more_than_that():
    base = usual_config("conformer", epochs=1)
    settings = {name: base.flat[name] for name in SPACE}
    trials = (Trial(0, 0.5, settings), Trial(1, 0.5, {**settings, "lr": 0.002}))
    search = SearchRecord(base, Found("some", trials, 7, {}), "CPU", "3.11", {}, None, "0123")
    assert hopes([], [], INDEX, [search])[-1].measured == ()
    search = replace(search, found=replace(search.found, given_up=8))
    sentence, too_few = hopes([], [], INDEX, [search])[-1].measured
    assert too_few == "With 2 trials trained to the end, it can't be said which settings matter: that takes 20."
    assert "none names more of the validation clips than what the network has by itself, 50.0\u00a0%" in sentence


@pytest.mark.parametrize(("changed", "said"), [({}, True), ({"lr": 0.01}, False)])
def test_an_activation_is_compared_with_another_in_the_same_network(tmp_path: Path, changed: dict, said: bool):
    silu = recorded(tmp_path / "silu", BEST_2D, predictions=answers_of(0.5))
    gelu = recorded(tmp_path / "gelu", replace(BEST_2D, activation="gelu", **changed), predictions=answers_of(0.25))
    sentences = measured([silu, gelu])["Activation functions of one's own"]
    assert bool(sentences) == said
    if said:
        assert sentences[0].startswith("GELU instead of SiLU in the 2D network: -25.0 points")
        assert sentences[0].endswith("on the test clips.")


def test_an_activation_is_compared_with_the_best_of_the_reports_by_validation(tmp_path: Path):
    runs = []
    for activation, share, val_accuracy in (("silu", 0.5, 0.4), ("relu", 0.25, 0.6), ("elu", 0.75, 0.5)):
        write_run(tmp_path / activation, replace(BEST_2D, activation=activation), predictions=answers_of(share))
        set_val_accuracy(tmp_path / activation, val_accuracy)
        runs.append(load_run(tmp_path / activation))
    gelu = recorded(tmp_path / "gelu", replace(BEST_2D, activation="gelu"), predictions=answers_of(0.5))
    (sentence,) = measured([*runs, gelu])["Activation functions of one's own"]
    assert sentence.startswith("GELU instead of ReLU in the 2D network: +25.0 points")
