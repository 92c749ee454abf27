import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from ser_core.errors import ConfigError, RunError
from ser_core.records.metrics import SUMMARY
from ser_core.records.runs import Epoch
from ser_core.training import command as train
from ser_core.training import experiment, wandb_log
from ser_core.training.config import TrainConfig
from ser_core.training.wandb_log import WandbLog


class FakeRun:
    def __init__(self) -> None:
        self.logged: list[tuple[int, dict]] = []
        self.summary: dict[str, float] = {}
        self.finished = False

    def log(self, values: dict, step: int) -> None:
        self.logged.append((step, values))

    def finish(self) -> None:
        self.finished = True


@pytest.mark.parametrize(("given", "name"), [(None, "lr0.001-SiLU-2D"), ("mine", "mine")])
def test_epochs_and_test_figures_are_logged(given: str | None, name: str, monkeypatch: pytest.MonkeyPatch):
    run = FakeRun()
    fake = SimpleNamespace(init=Mock(return_value=run))
    monkeypatch.setitem(sys.modules, "wandb", fake)
    log = WandbLog("offline", given)
    log.started(Mock(config=TrainConfig()))
    log.epoch(Epoch(1, 0.001, 1.5, 0.4, 1.4, 0.5, 3.0))
    log.finished(Mock(metrics=SimpleNamespace(summary=dict.fromkeys(SUMMARY, 0.6))))
    assert (fake.init.call_args.kwargs["mode"], fake.init.call_args.kwargs["name"]) == ("offline", name)
    assert run.logged[0][0] == 1
    assert run.logged[0][1]["val_accuracy"] == 0.5
    assert run.summary["test/accuracy"] == 0.6
    assert run.finished


class UsageError(Exception):
    """As wandb raises it where there is no key."""


class AuthenticationError(Exception):
    """As wandb raises it where the service doesn't know the key."""


def service(monkeypatch: pytest.MonkeyPatch, address: str, *, key: bool = True, known: bool = True) -> None:
    """Put a wandb in the place of the package that has or lacks a key, for a service at an address."""

    def login(*, verify: bool) -> None:
        if not key:
            raise UsageError("No API key configured.")
        if verify and not known:
            raise AuthenticationError("401")

    errors = SimpleNamespace(UsageError=UsageError, AuthenticationError=AuthenticationError)
    settings = SimpleNamespace(settings=SimpleNamespace(base_url=address))
    fake = SimpleNamespace(login=login, errors=errors, setup=lambda: settings, init=Mock(return_value=FakeRun()))
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.setattr(wandb_log, "getproxies", dict)


@pytest.fixture
def nothing_listens() -> str:
    """An address at which nothing answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_without_a_key_it_stops_before_any_work(monkeypatch: pytest.MonkeyPatch, nothing_listens: str):
    service(monkeypatch, nothing_listens, key=False)
    with pytest.raises(ConfigError, match="wandb login"):
        WandbLog("online")


def test_without_a_network_it_goes_on_offline(
    monkeypatch: pytest.MonkeyPatch, nothing_listens: str, capsys: pytest.CaptureFixture
):
    service(monkeypatch, nothing_listens)
    log = WandbLog("online")
    log.started(Mock(config=TrainConfig()))
    assert log.wandb.init.call_args.kwargs["mode"] == "offline"
    assert f"warning: {nothing_listens} can't be reached" in capsys.readouterr().err


def test_a_key_that_the_service_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        service(monkeypatch, address)
        assert WandbLog("online").mode == "online"
        service(monkeypatch, address, known=False)
        with pytest.raises(ConfigError, match="refuses the key"):
            WandbLog("online")


def test_where_nothing_can_be_written_it_stops_before_any_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace())
    (tmp_path / "file").touch()
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "file" / "folder"))
    with pytest.raises(ConfigError, match="Choose another folder"):
        WandbLog("offline")


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match=r"pip install -r requirements-wandb\.txt"):
        WandbLog("online")


def test_the_command_gives_it_the_name_of_the_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace())
    given = Mock(side_effect=RunError("that is enough"))
    monkeypatch.setattr(experiment, "run_experiment", given)
    with pytest.raises(SystemExit):
        train.main(["--wandb", "offline", "--name", "mine"])
    assert [log.name for log in given.call_args.kwargs["watchers"] if isinstance(log, WandbLog)] == ["mine"]
