"""Records that come with the project keep their names; a user's run of the same settings is numbered."""

import json
from pathlib import Path

import pytest

from ser_core.corpus.clips import Clip
from ser_core.corpus.folder import Corpus
from ser_core.places import CHECKPOINTS_VARIABLE, RUNS_VARIABLE
from ser_core.records.runs import load_run
from ser_core.records.shipped import own_name, shipped, write_shipped
from ser_core.training import command as train
from ser_core.training import grid_command as grid
from ser_core.training.config import TrainConfig
from ser_core.training.survey import survey
from tests.made_records import write_run

SHIPPED = "lr0.001-ELU-1D-tiny"


def test_a_name_is_numbered_only_where_a_shipped_record_has_it(tmp_path: Path):
    assert shipped(tmp_path) == frozenset()
    assert own_name("a", tmp_path) == "a"
    write_shipped(tmp_path, ["b", "a", "a-run2"])
    assert shipped(tmp_path) == {"a", "a-run2", "b"}
    assert [own_name(name, tmp_path) for name in ("a", "b", "c")] == ["a-run3", "b-run2", "c"]


def test_the_first_command_of_a_fresh_checkout_trains(
    corpus: Corpus,
    clips: list[Clip],
    feature_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    names = [clip.name for clip in clips[:20]]
    path, runs_dir = tmp_path / "tiny.json", tmp_path / "runs"
    path.write_text(json.dumps({"train": names[:12], "val": names[12:16], "test": names[16:]}))
    monkeypatch.setenv(RUNS_VARIABLE, str(runs_dir))
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(tmp_path / "checkpoints"))
    config = TrainConfig(model="1d", activation="elu", split=str(path), epochs=1, warmup_epochs=1)
    assert config.name == SHIPPED
    write_run(runs_dir / SHIPPED, config)
    before = (runs_dir / SHIPPED / "test.json").read_text()
    write_shipped(runs_dir, [SHIPPED])
    options = ["--corpus", str(corpus.folder), "--cache", str(feature_cache), "--device", "cpu"]
    quick = ["--model", "1d", "--act", "elu", "--split", str(path), *options]

    def refused(*arguments: str) -> str:
        with pytest.raises(SystemExit, match="2"):
            train.main([*quick, *arguments])
        return capsys.readouterr().err

    train.main([*quick, "--epochs", "1"])
    assert f"{SHIPPED} comes with the project" in capsys.readouterr().err
    assert load_run(runs_dir / f"{SHIPPED}-run2").test.epochs == 1
    assert (runs_dir / SHIPPED / "test.json").read_text() == before
    assert f"{SHIPPED}-run2 already holds a finished run" in refused("--epochs", "1")
    assert "weight decay 0.0001 instead of 0.5" in refused("--epochs", "1", f"--name={SHIPPED}", "--weight-decay=0.5")
    assert "finished run of 1 epochs" in refused("--epochs", "2")
    train.main([*quick, "--epochs", "2", "--restart"])
    assert load_run(runs_dir / f"{SHIPPED}-run2").test.epochs == 2
    assert (runs_dir / SHIPPED / "test.json").read_text() == before


def test_a_run_goes_on_under_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    trained = []

    def stop(_config: TrainConfig, *, name: str | None, resume: bool, **_options: object) -> None:
        trained.append((name, resume))
        raise KeyboardInterrupt

    monkeypatch.setattr("ser_core.training.experiment.run_experiment", stop)
    write_shipped(tmp_path / "runs", ["lr0.001-SiLU-2D"])
    for arguments in (["--resume"], ["--resume", "--act", "relu"], ["--resume", "--name", "lr0.001-SiLU-2D"]):
        with pytest.raises(SystemExit, match="130"):
            train.main(["--model", "2d", "--out", str(tmp_path), *arguments])
    assert trained == [("lr0.001-SiLU-2D-run2", True), (None, True), ("lr0.001-SiLU-2D", True)]


def test_a_grid_replaces_a_shorter_shipped_record_under_its_name(tmp_path: Path):
    args = grid.parse_arguments(["report", "--only", "lr0.001-SiLU-2D", "--out", str(tmp_path)])
    (config,) = grid.configurations(args)
    write_run(tmp_path / "runs" / config.name, TrainConfig(epochs=30))
    write_shipped(tmp_path / "runs", [config.name])
    (entry,) = survey([config], tmp_path / "runs")
    assert entry.state == "shorter"
    assert train.parse_arguments(grid.train_command(entry, "restart", args)[4:]).name == config.name
