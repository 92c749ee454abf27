"""The README and the project agree."""

import re
import shlex
from pathlib import Path

import pytest

from grid import parse_arguments as grid_arguments
from ser_core.corpus.__main__ import parse_arguments as cremad_arguments
from ser_core.records.runs import load_runs
from ser_core.serving.predict_command import parse_arguments as predict_arguments
from ser_core.serving.stream_command import parse_arguments as stream_arguments
from ser_core.training.config import TrainConfig
from tests.helpers import ROOT
from tests.made_records import older, write_run
from tools.readme import results, selections_table, with_results
from train import parse_arguments as train_arguments

README = (ROOT / "README.md").read_text(encoding="utf-8")
PARSERS = {
    "python train.py ": train_arguments,
    "python grid.py ": grid_arguments,
    "python -m ser_core.predict ": predict_arguments,
    "python -m ser_core.cremad ": cremad_arguments,
    "python -m ser_core.stream ": stream_arguments,
}


def test_the_results_are_those_of_the_records():
    runs, unreadable = load_runs()
    assert runs
    assert not unreadable
    assert with_results(README, runs) == README, "run python tools/readme.py"


def test_only_equally_long_runs_are_compared_by_how_their_epoch_was_picked(tmp_path: Path):
    by_loss, by_accuracy = TrainConfig(epochs=30), TrainConfig(epochs=30, select="accuracy")
    for config in (by_loss, by_accuracy):
        write_run(tmp_path / config.name, config)
    assert by_loss.name in selections_table(load_runs(tmp_path)[0])
    write_run(tmp_path / by_loss.name, TrainConfig())
    assert by_loss.name not in selections_table(load_runs(tmp_path)[0])
    write_run(tmp_path / by_loss.name, by_loss, status="diverged")
    assert by_loss.name not in selections_table(load_runs(tmp_path)[0])
    write_run(tmp_path / by_loss.name, by_loss, environment={"precision": "fp32"})
    assert by_loss.name not in selections_table(load_runs(tmp_path)[0])


def test_each_split_has_a_table_of_its_own_and_the_reports_is_first(tmp_path: Path):
    for split in ("fold1", "report"):
        for activation in ("elu", "silu"):
            config = TrainConfig(split=split, activation=activation, epochs=30)
            write_run(tmp_path / config.name, config)
    report, fold = results(load_runs(tmp_path)[0]).split("Split fold1 (id of fold1):")
    assert report.startswith("The report's split:\n\n| run |")
    assert report.count("| `lr0.001-") == fold.count("-fold1` |") == 2
    assert "-fold1" not in report
    assert "30 are not trained yet and 2 are not trained for 150 epochs" in fold
    write_run(tmp_path / "lr0.001-SiLU-2D", TrainConfig(seed=1))
    assert "31 are not trained yet" in results(load_runs(tmp_path)[0])


def test_intervals_say_what_they_are_over(tmp_path: Path):
    write_run(tmp_path / "run")
    assert "| 95 % interval over speakers and clips |" in results(load_runs(tmp_path)[0])
    older(tmp_path / "run" / "test.json", "metrics", "intervals_over")
    assert "| 95 % interval over clips |" in results(load_runs(tmp_path)[0])


@pytest.mark.parametrize("line", [line for line in README.splitlines() if line.startswith(tuple(PARSERS))])
def test_commands_are_accepted(line: str):
    command = line.split("#")[0].strip()
    prefix = next(prefix for prefix in PARSERS if command.startswith(prefix))
    PARSERS[prefix](shlex.split(command.removeprefix(prefix)))


def test_commands_are_there_to_be_tested():
    assert sum(line.startswith(tuple(PARSERS)) for line in README.splitlines()) >= 5


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links_lead_somewhere(link: str):
    assert (ROOT / link).exists()


def test_every_requirement_is_explained():
    names = [
        re.split(r"[=<>]", line)[0]
        for file in ("requirements.txt", "requirements-test.txt")
        for line in (ROOT / file).read_text().splitlines()
        if line and not line.startswith(("#", "-r")) and "stubs" not in line and "types" not in line
    ]
    table = README.split("## What is used, and why")[1]
    explained = {
        name for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for name in re.split(r", | and ", row)
    }
    assert len(names) > 20
    assert set(names) <= explained


def test_requirements_are_pinned_exactly():
    for file in Path(ROOT).glob("requirements*.txt"):
        for line in file.read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[\w-]+==[\w.]+", line), line
