"""The README and the project agree."""

import re
import shlex
from pathlib import Path

import pytest

from grid import parse_arguments as grid_arguments
from ser_core.cremad_cli import parse_arguments as cremad_arguments
from ser_core.predict_cli import parse_arguments as predict_arguments
from ser_core.runs import load_runs
from ser_core.stream_cli import parse_arguments as stream_arguments
from ser_core.train_config import TrainConfig
from tests.helpers import ROOT
from tests.test_runs import write_run
from tools.readme import selections_table, with_results
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
        if line and not line.startswith(("#", "-r"))
    ]
    table = README.split("## What is used, and why")[1]
    assert [name for name in names if name not in table and "stubs" not in name and "types" not in name] == []


def test_requirements_are_pinned_exactly():
    for file in Path(ROOT).glob("requirements*.txt"):
        for line in file.read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[\w-]+==[\w.]+", line), line
