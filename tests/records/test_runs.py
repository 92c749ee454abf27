import json
from pathlib import Path

import numpy as np
import pytest

from ser_core.errors import RunError
from ser_core.files import replace_file
from ser_core.records.metrics import bootstrap_intervals
from ser_core.records.runs import load_run, load_runs
from ser_core.training.config import TrainConfig
from tests.made_records import CLIPS, older, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "runs" / "lr0.001-SiLU-2D")
    return tmp_path / "runs" / "lr0.001-SiLU-2D"


def test_a_record_is_read_as_it_was_written(folder: Path):
    run = load_run(folder)
    assert run.name == "lr0.001-SiLU-2D"
    assert run.status == "finished"
    assert run.train == TrainConfig()
    assert run.history["epoch"].tolist() == [1, 2, 3]
    predictions = run.predictions()
    assert predictions.names == CLIPS
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1, atol=1e-3)
    assert run.accuracy == pytest.approx((predictions.predicted == predictions.targets).mean())
    assert run.accuracy_interval[0] <= run.accuracy <= run.accuracy_interval[1]


@pytest.mark.parametrize("name", ["config.json", "history.csv", "test.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"null", b"\xff\xfe", b'{"status": 1}'])
def test_a_damaged_record_says_so_and_the_others_are_shown(folder: Path, name: str, content: bytes | None):
    write_run(folder.parent / "good")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    runs, unreadable = load_runs(folder.parent)
    assert [run.name for run in runs] == ["good"]
    assert list(unreadable) == [folder.name]
    assert unreadable[folder.name].startswith(folder.name)


@pytest.mark.parametrize("content", [None, b"clip,target,ANG\na,JOY,0.1\n", b"\xff\xfe\x00"])
def test_damaged_predictions_say_so(folder: Path, content: bytes | None):
    path = folder / "predictions.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"predictions.csv can't be read"):
        load_run(folder).predictions()


def test_records_are_json_without_surprises(folder: Path):
    for name in ("config.json", "test.json"):
        json.loads((folder / name).read_text())
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_file_that_could_not_be_written_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replace_file(path) as temporary:
            temporary.write_text("half of the n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "precision", "numerics"),
    [
        ({}, "bf16", "pytorch"),
        ({"precision": None, "numerics": None}, "fp32", "unknown"),
        ({"precision": None, "numerics": None, "device": "CPU"}, "unknown", "unknown"),
    ],
)
def test_what_a_record_does_not_say_is_unknown(folder: Path, change: dict, precision: str, numerics: str):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    environment = config["environment"] | {"device": "CPU, 2 threads, fp32"} | change
    config["environment"] = {name: value for name, value in environment.items() if value is not None}
    del config["version"]  # which the first version didn't say
    path.write_text(json.dumps(config))
    run = load_run(folder)
    assert (run.environment.precision, run.environment.numerics) == (precision, numerics)


def test_a_record_says_what_its_intervals_are_over(folder: Path):
    assert load_run(folder).intervals_over == "speakers and clips"
    older(folder / "test.json", "metrics", "intervals_over")
    assert load_run(folder).intervals_over == "clips"


def test_shipped_records_have_intervals_over_speakers_and_clips():
    runs, _ = load_runs()
    for run in runs:
        assert run.intervals_over == "speakers and clips", run.name
    run = min(runs, key=lambda run: run.name)
    said = run.predictions()
    assert bootstrap_intervals(said.targets.tolist(), said.predicted.tolist(), said.speakers) == {
        name: pytest.approx(interval, abs=1e-12) for name, interval in run.metrics.intervals.items()
    }


def test_predictions_of_other_clips_than_were_tested_are_refused(folder: Path):
    path = folder / "predictions.csv"
    whole = path.read_text()
    path.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    with pytest.raises(RunError, match="has 3 clips, and should have 4"):
        load_run(folder).predictions()
    path.write_text(whole.replace("1001_DFA_FEA_XX", "1001_DFA_FEA_ZZ"))
    with pytest.raises(RunError, match="'1001_DFA_FEA_ZZ', which is not a clip"):
        load_run(folder).predictions()
