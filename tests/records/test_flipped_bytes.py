"""A byte that changed on a disk or on the way is noticed and named; what has no sums is read as ever."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ser_core.checksums import SUMS_FILE, remove_sums, write_sums
from ser_core.corpus import clips
from ser_core.errors import CorpusError, SERError
from ser_core.records.checkpoints import CHECKPOINT_FILES, default_checkpoint, load_model, survey_checkpoints
from ser_core.records.embedding import EMBEDDING_FILE, load_statistics
from ser_core.records.embedding_map import MAP_FILE, load_map, save_map
from ser_core.records.evaluations import FILE, TABLE, evaluation_files, load_evaluation, load_evaluations
from ser_core.records.evaluations import load_predictions as load_evaluated
from ser_core.records.runs import RECORD_FILES, load_run, load_runs
from ser_core.records.weights import WEIGHTS_FILE
from ser_core.serving.predictor import Predictor
from tests.helpers import ROOT, save_opinionated
from tests.made_map import made_map
from tests.made_records import evaluated, write_run
from tools.checksums import shipped_folders

PLACES = (0.0, 0.4, 0.8, 0.999)


def flip(path: Path, place: float) -> None:
    """Change one bit of a file, where that share of it lies before."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)


@pytest.fixture
def checkpoint(checkpoints: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(checkpoints / "1d-fixed", tmp_path / "checkpoints" / "1d-fixed"))
    write_sums(folder, CHECKPOINT_FILES)
    save_map(folder, made_map(256))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_run(tmp_path / "runs" / "a")
    write_run(tmp_path / "runs" / "b")
    write_sums(tmp_path / "runs" / "a", RECORD_FILES)
    return tmp_path / "runs" / "a"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", [*RECORD_FILES, SUMS_FILE])
def test_in_a_record_of_a_run(run: Path, name: str, place: float):
    assert load_run(run).predictions()
    flip(run / name, place)
    runs, unreadable = load_runs(run.parent)
    if name == "predictions.csv" and not unreadable:  # which is read when it is needed
        with pytest.raises(SERError, match=r"a: predictions\.csv"):
            load_run(run).predictions()
        return
    assert [run.name for run in runs] == ["b"]
    assert unreadable["a"].startswith("a: ")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "load"), [(FILE, load_evaluation), (TABLE, load_evaluated)])
def test_in_an_evaluation(tmp_path: Path, name: str, load: Callable[[Path], object], place: float):
    evaluated(tmp_path, "x", "one")
    (path,) = evaluation_files(tmp_path)
    write_sums(path.parent, (FILE, TABLE))
    assert load(path.parent)
    flip(path.with_name(name), place)
    with pytest.raises(SERError, match=rf"one/x: {name}"):
        load(path.parent)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("config.json", load_model),
        (WEIGHTS_FILE, load_model),
        (EMBEDDING_FILE, load_statistics),
        (MAP_FILE, load_map),
        (SUMS_FILE, lambda folder: (Predictor.load(folder.name, root=folder.parent), load_map(folder))),
    ],
)
def test_in_a_checkpoint(checkpoint: Path, name: str, load: Callable[[Path], object], place: float):
    assert load(checkpoint)
    flip(checkpoint / name, place)
    with pytest.raises(SERError, match="checkpoint 1d-fixed"):
        load(checkpoint)


def test_other_weights_are_the_default_then(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    best, other = (save_opinionated(tmp_path, name, "HAP", val_accuracy=v) for name, v in (("best", 0.6), ("b", 0.5)))
    write_sums(best, CHECKPOINT_FILES)
    write_sums(other, CHECKPOINT_FILES)
    assert default_checkpoint(tmp_path) == "best"
    flip(best / WEIGHTS_FILE, 0.9)
    names, unusable = survey_checkpoints(tmp_path)
    assert names == ["b"]
    says = "The weights of checkpoint best can't be loaded (model.safetensors is not what was written"
    assert unusable["best"].startswith(says)
    assert Predictor.load(root=tmp_path).config.name == "b"
    assert says in caplog.text
    with pytest.raises(SERError, match="checkpoint best"):
        Predictor.load("best", root=tmp_path)
    flip(other / WEIGHTS_FILE, 0.9)
    with pytest.raises(SERError, match=r"No checkpoint .* can be used"):
        Predictor.load(root=tmp_path)


def test_older_ones_have_no_sums_and_are_read(checkpoint: Path, run: Path):
    for folder in (checkpoint, run):
        remove_sums(folder)
    assert load_run(run).predictions()
    assert load_map(checkpoint)
    flip(checkpoint / WEIGHTS_FILE, 0.9)  # of which nobody knows what it was
    assert load_model(checkpoint)


def test_a_file_that_the_sums_do_not_name_is_none_of_theirs(run: Path):
    write_sums(run, [name for name in RECORD_FILES if name != "history.csv"])
    with pytest.raises(SERError, match=r"a: SHA256SUMS says nothing of history\.csv"):
        load_run(run)


@pytest.mark.parametrize("name", ["clips.csv", "actors.csv"])
def test_in_the_index(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = shutil.copytree(clips.DATA_DIR, tmp_path / "data")
    monkeypatch.setattr(clips, "DATA_DIR", data)
    flip(data / name, 0.5)
    load = clips.load_actors if name == "actors.csv" else clips.load_index
    load.cache_clear()
    with pytest.raises(CorpusError, match=f"index of CREMA-D is damaged: {name} is not what was written"):
        load()


def test_all_that_is_shipped_has_its_sums():
    for folder, names in shipped_folders(ROOT).items():
        said = (folder / SUMS_FILE).read_text().split() if (folder / SUMS_FILE).is_file() else []
        assert sorted(said[1::2]) == sorted(names), f"{folder}: `python tools/checksums.py` writes them"
    _, unreadable = load_evaluations(ROOT / "evaluations")
    assert not unreadable
    for folder in (ROOT / "checkpoints").iterdir():
        assert load_model(folder)
        assert load_statistics(folder)
        assert load_map(folder)
        assert np.isfinite(load_map(folder).places).all()
