import sys
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from ser_core.errors import ConfigError, RunError
from ser_core.records.metrics import SUMMARY
from ser_core.training import command as train
from ser_core.training import experiment
from ser_core.training.config import TrainConfig
from ser_core.training.trainer import Epoch
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


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match="pip install wandb"):
        WandbLog("online")


def test_the_command_gives_it_the_name_of_the_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace())
    given = Mock(side_effect=RunError("that is enough"))
    monkeypatch.setattr(experiment, "run_experiment", given)
    with pytest.raises(SystemExit):
        train.main(["--wandb", "offline", "--name", "mine"])
    assert [log.name for log in given.call_args.kwargs["watchers"] if isinstance(log, WandbLog)] == ["mine"]
