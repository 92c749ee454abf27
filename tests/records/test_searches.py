"""Records of searches for settings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ser_core.errors import RunError
from ser_core.records.searches import (
    Found,
    SearchRecord,
    Trial,
    load_search,
    load_searches,
    record_file,
    save_search,
)
from ser_core.records.shipped import write_shipped
from ser_core.training.config import usual_config
from ser_core.training.search_space import SPACE

BASE = usual_config("conformer", epochs=4, copies=0)
USUAL = {name: BASE.flat[name] for name in SPACE}
TRIALS = (Trial(3, 0.75, {**USUAL, "lr": 0.002}), Trial(0, 0.5, USUAL))
RECORD = SearchRecord(
    BASE,
    Found("some", TRIALS, 2, {"lr": 0.75, "width": 0.25}),
    "CPU, 1 thread, fp32",
    "3.11",
    {"torch": "2.13"},
    "abc",
    "0123",
)


def test_a_record_is_read_as_it_was_written(tmp_path: Path):
    assert save_search(tmp_path / "runs", RECORD)
    (found,), unreadable = load_searches(tmp_path / "runs")
    assert (found, unreadable) == (RECORD, {})
    assert found.config(found.found.trials[0]) == replace(BASE, lr=0.002)
    assert found.usual == TRIALS[1]


def test_values_are_shown_in_as_many_digits_as_people_read():
    trial = Trial(
        0, 0.5, {"lr": 0.0006788164297596594, "dropout": 0.30000000000000004, "blocks": 4, "head": "conformer"}
    )
    assert [trial.shown(name) for name in ("lr", "dropout", "blocks", "head", "width")] == [
        "0.000679",
        "0.3",
        "4",
        "conformer",
        "–",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.9995, "0.9995"),  # which was 1
        (0.998, "0.998"),
        (0.0, "0"),
        (1.0, "1"),
        (0.99996271828, "0.99996"),
        (0.15000000000000002, "0.15"),
        (0.012345678901234, "0.0123"),
        (1e-05, "1e-05"),
        (123456.789012345, "123456.8"),
    ],
)
def test_no_number_is_rounded_to_another_that_could_have_been_chosen(value: float, shown: str):
    assert Trial(0, 0.5, {"ema": value}).shown("ema") == shown


def test_every_choice_of_a_search_is_shown_as_it_is():
    for name, kind in SPACE.items():
        for value in kind if isinstance(kind, tuple) else ():
            assert Trial(0, 0.5, {name: value}).shown(name) == str(value).removesuffix(".0")


def test_a_record_of_more_trials_stays(tmp_path: Path):
    fewer = replace(RECORD, found=replace(RECORD.found, given_up=1))
    more = replace(RECORD, found=replace(RECORD.found, given_up=3))
    assert [save_search(tmp_path, record) for record in (RECORD, fewer, more)] == [True, False, True]
    assert load_search(record_file(tmp_path, "some")) == more


def test_a_damaged_record_is_named_and_written_anew(tmp_path: Path):
    save_search(tmp_path, RECORD)
    file = record_file(tmp_path, "some")
    file.write_text("{")
    assert load_searches(tmp_path)[1]["some"].startswith("some.search.json can't be read")
    assert save_search(tmp_path, RECORD)
    assert load_search(file) == RECORD


@pytest.mark.parametrize(
    ("trials", "why"),
    [
        (TRIALS[::-1], "the best should come first"),
        ((TRIALS[0], replace(TRIALS[1], number=TRIALS[0].number)), "two have the same number"),
    ],
)
def test_a_list_of_trials_is_ranked_and_numbered(trials: tuple[Trial, ...], why: str):
    with pytest.raises(ValueError, match=why):
        replace(RECORD.found, trials=trials)


def test_a_users_search_takes_no_place_of_one_that_comes_with_the_project(tmp_path: Path):
    save_search(tmp_path, RECORD)
    write_shipped(tmp_path, ["some"])
    more = replace(RECORD, found=replace(RECORD.found, given_up=3))
    assert save_search(tmp_path, more)
    assert [record.found.given_up for record in load_searches(tmp_path)[0]] == [3, 2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.pop("found"), "found is missing"),
        (lambda values: values.update(version=2), "version 1"),
        (lambda values: values["found"].update(trials=[]), "trials are missing"),
        (lambda values: values["found"].update(given_up=-1), "given_up"),
        (lambda values: values["found"]["importance"].update(lr=2), "importance.lr"),
        (lambda values: values["found"]["trials"][0].update(accuracy=1.5), "accuracy"),
        (lambda values: values["found"]["trials"][0]["settings"].update(colour=1), "no setting colour"),
        (lambda values: values["found"]["trials"][0]["settings"].update(dropout=7), "dropout"),
        (lambda values: values["found"]["trials"][0]["settings"].update(lr="fast"), "lr"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(tmp_path: Path, change, said: str):
    save_search(tmp_path, RECORD)
    file = record_file(tmp_path, "some")
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    with pytest.raises(RunError, match=said):
        load_search(file)
