"""Where runs and checkpoints are found and written: by a setting, in a checkout, in an installed package."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from ser_core import places
from ser_core.commands import COMMANDS
from ser_core.corpus.clip_file import load_clip
from ser_core.errors import CheckpointError, CorpusError, DiskFullError
from ser_core.places import (
    CHECKOUT_COMMANDS,
    VARIABLES,
    Kind,
    checkout,
    found,
    how_to_run,
    own,
    require_writable,
    searched,
    written,
)
from ser_core.records.checkpoints import default_checkpoint
from ser_core.training.flags import folder_for
from tests.helpers import ROOT

KINDS = get_args(Kind)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the surroundings say."""
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package lies where packages are installed; the current folder is another one."""
    package = tmp_path / "site-packages" / "ser_core"
    (tmp_path / "site-packages" / "checkpoints").mkdir(parents=True)  # of some other package
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(places, "PACKAGE", package)
    return package


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkout_has_its_own(kind: Kind):
    assert checkout() == ROOT
    assert own(kind) == found(kind) == written(kind) == ROOT / kind
    assert searched(kind) == (ROOT / kind,)


@pytest.mark.parametrize("kind", KINDS)
def test_a_setting_comes_first(kind: Kind, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLES[kind], str(tmp_path / "mine"))
    assert found(kind) == written(kind) == tmp_path / "mine"
    assert own(kind) == installed / "shipped" / kind
    assert searched(kind) == (tmp_path / "mine",)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLES[kind], "~/mine")
    assert found(kind) == tmp_path / "mine"
    monkeypatch.setenv(VARIABLES[kind], "")
    assert found(kind) == installed / "shipped" / kind


@pytest.mark.parametrize("kind", KINDS)
def test_an_installed_package_reads_what_it_ships_and_writes_to_the_current_folder(kind: Kind, installed: Path):
    assert checkout() is None
    assert own(kind) == found(kind) == installed / "shipped" / kind
    assert written(kind) == Path.cwd() / kind
    assert searched(kind) == (Path.cwd() / kind, installed / "shipped" / kind)
    assert folder_for(kind, None) == Path.cwd() / kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_on_the_command_line_comes_before_all(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLES[kind], str(tmp_path / "mine"))
    assert folder_for(kind, tmp_path) == tmp_path / kind


@pytest.mark.parametrize("command", CHECKOUT_COMMANDS)
def test_advice_names_what_can_be_typed(command: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    said = how_to_run(command)
    assert said.startswith("python ")
    done = subprocess.run([sys.executable, *said.split()[1:], "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith(f"usage: {said} ")
    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/ser", "train"])
    assert how_to_run(command) == f"ser {command}"
    assert command in COMMANDS


def test_an_installed_package_advises_its_own_command(installed: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["notebook.py"])
    assert how_to_run("corpus") == "ser corpus"
    with pytest.raises(CheckpointError, match="Train one with `ser train`"):
        default_checkpoint(found("checkpoints"))
    with pytest.raises(CorpusError, match="with `ser corpus download --to "):
        load_clip(installed / "1001_DFA_ANG_XX.wav")


def test_a_full_disk_is_not_taken_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", no_room)
        with pytest.raises(DiskFullError, match=rf"The disk of {tmp_path} is full\."):
            require_writable(tmp_path / "runs")
