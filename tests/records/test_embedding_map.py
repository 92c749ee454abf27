from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ser_core.analysis.similarity import similar_to_clip
from ser_core.corpus.clips import by_name
from ser_core.corpus.splits import report_split
from ser_core.emotions import EMOTIONS
from ser_core.errors import CheckpointError
from ser_core.records.checkpoints import CHECKPOINTS_DIR, list_checkpoints
from ser_core.records.embedding import load_statistics
from ser_core.records.embedding_map import CLIPS, MAP_FILE, WEIGHTS, EmbeddingMap, load_map
from ser_core.records.runs import RUNS_DIR, load_run
from tests.made_map import MAPPED, give_map

MAX_BYTES = 150_000
Arrays = dict[str, np.ndarray]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint with a map."""
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    give_map(tmp_path)
    return tmp_path


def test_a_map_comes_back_as_it_was_but_for_what_rounding_does(folder: Path):
    made, read = give_map(folder), load_map(folder)
    assert read
    assert read.names == made.names == MAPPED
    np.testing.assert_array_equal(read.answers, made.answers)
    np.testing.assert_allclose(read.scores, made.scores, atol=0.002)
    np.testing.assert_allclose(read.places, made.places, atol=0.001)
    largest = np.abs(made.components).max(0)
    assert (np.abs(read.components - made.components) <= 0.004 * largest).all()
    for name in MAPPED[:5]:
        kept, exact = ([one.name for one in similar_to_clip(one, name, 5)] for one in (read, made))
        assert len(set(kept) & set(exact)) >= 4
    assert load_map(folder) == load_map(str(folder)) == read


def test_a_checkpoint_may_have_none(tmp_path: Path):
    assert load_map(tmp_path) is None


def test_the_map_of_other_weights_is_refused(folder: Path):
    (folder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(
        CheckpointError, match=rf"{folder.name} was made with other weights. Make it again with `python"
    ):
        load_map(folder)


def changed(**others: Callable[[Arrays], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays) for name, change in others.items()}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays: {}, "it holds nothing"),
        (lambda arrays: arrays | {"more": np.zeros(1)}, "more"),
        (changed(places=lambda arrays: arrays["places"].astype(np.float64)), "places is float64"),
        (changed(places=lambda arrays: arrays["places"][:, :1]), "places is 48 × 1"),
        (changed(answers=lambda arrays: arrays["answers"][1:]), "answers is 47"),
        (changed(mean=lambda arrays: arrays["mean"] * np.float32(np.nan)), "mean holds what is not a number"),
        (changed(answers=lambda arrays: arrays["answers"] + np.uint8(6)), "no emotion"),
        (changed(clips=lambda arrays: arrays["clips"] + np.uint16(7442)), "not those of CREMA-D"),
        (changed(clips=lambda arrays: arrays["clips"] * np.uint16(0)), "not those of CREMA-D"),
    ],
)
def test_a_damaged_map_says_what_is_wrong_and_what_to_do(folder: Path, change: Callable[[Arrays], Arrays], reason: str):
    from safetensors import safe_open

    path = folder / MAP_FILE
    with safe_open(path, framework="numpy") as file:
        said = file.metadata()
    save_file(change(load_file(path)), path, said)
    with pytest.raises(CheckpointError, match=rf"map of checkpoint .* is damaged: .*{reason}.*Make it again with"):
        load_map(folder)


def test_what_is_no_map_is_refused(folder: Path):
    path = folder / MAP_FILE
    whole = path.read_bytes()
    for content in (b"", b"nothing", whole[:-1], whole.replace(b"components", b"componentz")):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="is damaged"):
            load_map(folder)
    save_file(load_file_of(whole, path), path, {WEIGHTS: "0" * 64, CLIPS: ""})
    with pytest.raises(CheckpointError, match="other weights"):
        load_map(folder)


def load_file_of(content: bytes, path: Path) -> Arrays:
    path.write_bytes(content)
    return load_file(path)


@pytest.mark.parametrize("name", list_checkpoints(CHECKPOINTS_DIR))
def test_shipped_maps_belong_to_the_shipped_weights(name: str):
    """And are those of the test clips, of which they say what the record says."""
    folder = CHECKPOINTS_DIR / name
    shipped = load_map(folder)
    assert isinstance(shipped, EmbeddingMap)
    assert (folder / MAP_FILE).stat().st_size < MAX_BYTES
    assert set(shipped.names) == set(report_split().test)
    statistics = load_statistics(folder)
    assert statistics
    assert shipped.mean.shape == statistics.mean.shape
    assert (np.abs(shipped.mean - statistics.mean) < statistics.deviation + 1e-3).all()
    recorded = load_run(RUNS_DIR / name).predictions()
    said = dict(zip(recorded.names, recorded.predicted.tolist(), strict=True))
    assert np.mean([said[clip] == answer for clip, answer in zip(shipped.names, shipped.answers, strict=True)]) > 0.98
    meant = np.array([EMOTIONS.index(clip.emotion) for clip in by_name(shipped.names)])
    assert (shipped.answers == meant).mean() == pytest.approx(load_run(RUNS_DIR / name).accuracy, abs=0.01)
