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
    file = save_search(tmp_path / "runs", RECORD)
    assert file == tmp_path / "runs" / "some.search.json"
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


def of_trials(record: SearchRecord, **found) -> SearchRecord:
    return replace(record, found=replace(record.found, **found))


def test_a_record_of_more_trials_stays(tmp_path: Path):
    fewer, more = of_trials(RECORD, given_up=1), of_trials(RECORD, given_up=3)
    file = record_file(tmp_path, RECORD.found)
    assert [save_search(tmp_path, record) for record in (RECORD, fewer, more)] == [file, None, file]
    assert load_searches(tmp_path)[0] == [more]


def test_a_search_that_goes_on_replaces_its_record(tmp_path: Path):
    first = of_trials(RECORD, search="a")
    more = of_trials(first, trials=(Trial(5, 0.875, USUAL), *TRIALS))
    assert save_search(tmp_path, first) == save_search(tmp_path, more)
    assert load_searches(tmp_path)[0] == [more]


@pytest.mark.parametrize(
    "other",
    [
        {"search": "b", "given_up": 9},  # another file with trials, though these are alike
        {"search": "a", "trials": (Trial(3, 0.625, USUAL), Trial(0, 0.5, USUAL), Trial(4, 0.25, USUAL))},  # of a copy
        {"search": "", "trials": (Trial(3, 0.625, USUAL), Trial(0, 0.5, USUAL), Trial(4, 0.25, USUAL))},
    ],
)
def test_the_record_of_another_search_is_kept(tmp_path: Path, other: dict):
    first = of_trials(RECORD, search="a")
    second = of_trials(RECORD, **other)
    more = of_trials(second, given_up=20)
    files = [save_search(tmp_path, record) for record in (first, second, more, first)]
    assert [file.name for file in files if file] == [
        "some.search.json",
        "some-run2.search.json",
        "some-run2.search.json",
        "some.search.json",
    ]
    assert load_search(tmp_path / "some.search.json") == first
    assert load_search(tmp_path / "some-run2.search.json") == of_trials(more, name="some-run2")


def test_a_record_from_before_searches_were_told_apart_is_read_and_gone_on_with(tmp_path: Path):
    file = save_search(tmp_path, RECORD)
    assert file
    values = json.loads(file.read_text())
    for added in ("chance", "search"):
        del values["found"][added]
    file.write_text(json.dumps(values))
    assert load_search(file) == RECORD
    more = of_trials(RECORD, given_up=3, search="a")
    assert save_search(tmp_path, more) == file
    assert load_searches(tmp_path)[0] == [more]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"importance": {}}, ""),
        ({"chance": None}, "This record is an older one, and doesn't say which settings matter more than chance"),
        ({"chance": 0.8}, "With these 2 trials, no setting matters more than chance would show: chance alone gives a"),
        ({"chance": 0.5}, "What matters more than chance would show: `lr` (75\N{NO-BREAK SPACE}%); chance alone gives"),
        (
            {"chance": 0.2},
            "`lr` (75\N{NO-BREAK SPACE}%) and `width` (25\N{NO-BREAK SPACE}%); chance alone gives a setting up",
        ),
    ],
)
def test_a_share_that_chance_gives_is_not_said_to_matter(found: dict, said: str):
    sentences = replace(RECORD.found, **found).what_matters
    assert said in sentences
    assert bool(said) == bool(sentences)


@pytest.mark.parametrize("text", ["{", json.dumps({"version": 99})])
def test_a_record_that_cant_be_read_is_named_and_kept(tmp_path: Path, text: str):
    file = tmp_path / "some.search.json"
    file.write_text(text)
    assert load_searches(tmp_path)[1]["some"].startswith("some.search.json can't be read")
    second = save_search(tmp_path, RECORD)
    assert second == tmp_path / "some-run2.search.json"
    assert load_search(second).found.name == "some-run2"
    assert save_search(tmp_path, RECORD) == second
    assert file.read_text() == text


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
    assert [(one.found.name, one.found.given_up) for one in load_searches(tmp_path)[0]] == [
        ("some-run2", 3),
        ("some", 2),
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.pop("found"), "found is missing"),
        (lambda values: values.update(version=2), "version 1"),
        (lambda values: values["found"].update(trials=[]), "trials are missing"),
        (lambda values: values["found"].update(given_up=-1), "given_up"),
        (lambda values: values["found"]["importance"].update(lr=2), "importance.lr"),
        (lambda values: values["found"].update(chance=2), "chance"),
        (lambda values: values["found"]["trials"][0].update(accuracy=1.5), "accuracy"),
        (lambda values: values["found"]["trials"][0]["settings"].update(colour=1), "no setting colour"),
        (lambda values: values["found"]["trials"][0]["settings"].update(dropout=7), "dropout"),
        (lambda values: values["found"]["trials"][0]["settings"].update(lr="fast"), "lr"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(tmp_path: Path, change, said: str):
    save_search(tmp_path, RECORD)
    file = record_file(tmp_path, RECORD.found)
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    with pytest.raises(RunError, match=said):
        load_search(file)
