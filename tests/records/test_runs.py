import json
from collections.abc import Callable
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


def in_line(number: int, column: int, value: str) -> Callable[[str], str]:
    """A change of one cell of a table; lines count from 0, which is the header."""

    def change(table: str) -> str:
        rows = [line.split(",") for line in table.splitlines()]
        rows[number][column] = value
        return "\n".join(map(",".join, rows)) + "\n"

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda table: table[: table.rstrip().rindex("\n") + 1], "has 3 clips, and should have 4"),
        (in_line(3, 0, "1001_DFA_FEA_ZZ"), "names '1001_DFA_FEA_ZZ', which is not a clip of CREMA-D"),
        (in_line(3, 0, "1001_DFA_ANG_XX"), "names 1001_DFA_ANG_XX more than once"),
        (in_line(3, 1, "SAD"), "says that 1001_DFA_FEA_XX means SAD, and it means FEA"),
        (in_line(3, 2, "nan"), "has probabilities of 1001_DFA_FEA_XX that are not in 0..1 or don't sum to 1"),
        (in_line(3, 2, "-0.1"), "has probabilities of 1001_DFA_FEA_XX that are not"),
        (in_line(3, 2, "1.5"), "has probabilities of 1001_DFA_FEA_XX that are not"),
        (in_line(1, 2, "0.99"), "has probabilities of 1001_DFA_ANG_XX that are not"),
        (
            in_line(3, 1, "JOY"),
            "can't be read (line 4: target should be one of ANG, DIS, FEA, HAP, NEU, SAD",
        ),
        (in_line(3, 2, "much"), "can't be read (line 4: ANG should be a number, not 'much'"),
        (in_line(0, 2, "JOY"), "can't be read (line 2: ANG is missing"),
        (lambda table: table.splitlines()[0], "can't be read (it has no clips"),
        (lambda table: table + "x" * 200_000, "can't be read (line 6: field larger than field limit"),
    ],
)
def test_predictions_that_cannot_be_of_this_run_are_refused(folder: Path, change: Callable[[str], str], says: str):
    path = folder / "predictions.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(RunError) as error:
        load_run(folder).predictions()
    assert str(error.value).startswith(f"{folder.name}: predictions.csv {says}")


def test_predictions_are_as_often_right_as_the_record_says_but_for_ties(folder: Path):
    path, lines = folder / "predictions.csv", ["clip,target,ANG,DIS,FEA,HAP,NEU,SAD"]
    says = "predictions.csv is right for 75.00% of the clips, and by test.json it should be for 0.00%"
    assert load_run(folder).accuracy == 0
    for clip, row in zip(CLIPS, ("1,0,0,0,0,0", "0,1,0,0,0,0", "0,0,1,0,0,0", "0,0,0,0,1,0"), strict=True):
        lines.append(f"{clip},{clip.split('_')[2]},{row}")
    path.write_text("\n".join(lines))
    with pytest.raises(RunError, match=says):
        load_run(folder).predictions()
    # Rounded, two emotions may be equally likely of which one was the likelier.
    path.write_text("\n".join(lines).replace("1,0", ".5,.5").replace("0,1,0", "0,.5,.5"))
    assert load_run(folder).predictions().undecided.all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda table: table.splitlines()[0],
            "history.csv should have the epochs 1 to 3, one a line, as test.json says",
        ),
        (lambda table: table[: table.rstrip().rindex("\n") + 1], "history.csv should have the epochs 1 to 3"),
        (lambda table: table + table.splitlines()[-1], "history.csv should have the epochs 1 to 3"),
        (in_line(2, 0, "7"), "history.csv should have the epochs 1 to 3"),
        (in_line(2, 3, "nan"), "history.csv: train_accuracy should be from 0 to 1, not nan"),
        (in_line(2, 5, "1.5"), "history.csv: val_accuracy should be from 0 to 1, not 1.5"),
        (in_line(2, 5, "0.9"), "val_accuracy is 0.9 in history.csv, and test.json says 0.4 of epoch 2"),
        (in_line(2, 3, "good"), "history.csv can't be read (line 3: train_accuracy should be a number, not 'good')"),
        (in_line(2, 0, "1.5"), "history.csv can't be read (line 3: epoch should be a whole number, not '1.5')"),
        (lambda table: table + "4,0.1", "history.csv can't be read (line 5: train_loss should be a number, not None)"),
        (in_line(2, 4, "-1"), "history.csv: val_loss should be 0 or more"),
        (in_line(2, 4, "-inf"), "history.csv: val_loss should be 0 or more"),
        (in_line(2, 6, "-2"), "history.csv: seconds should be 0 or more, not -2.0"),
    ],
)
def test_a_history_that_is_not_of_this_run_is_refused(folder: Path, change: Callable[[str], str], says: str):
    path = folder / "history.csv"
    path.write_text(change(path.read_text()))
    write_run(folder.parent / "good")
    runs, unreadable = load_runs(folder.parent)
    assert [run.name for run in runs] == ["good"]
    assert unreadable[folder.name].startswith(f"{folder.name}: {says}")


def test_a_history_may_end_in_a_loss_that_is_not_a_number(folder: Path):
    path = folder / "history.csv"
    path.write_text(in_line(3, 2, "nan")(in_line(3, 4, "nan")(path.read_text())))
    assert np.isnan(load_run(folder).history["val_loss"][-1])


def test_figures_of_other_clips_than_were_to_be_tested_are_refused(folder: Path):
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"test": 4', '"test": 5'))
    with pytest.raises(RunError, match=r"test.json is of 4 clips, and config.json says 5\.$"):
        load_run(folder)


def test_shipped_records_hold_what_they_should():
    for run in load_runs()[0]:
        assert len(run.predictions().names) == run.environment.clips.test
