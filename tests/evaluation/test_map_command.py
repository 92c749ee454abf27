"""`ser map`, which draws where a checkpoint puts its test clips."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ser_core.analysis.similarity import similar
from ser_core.corpus.folder import Corpus
from ser_core.corpus.splits import load_split
from ser_core.evaluation.map_command import main
from ser_core.places import CHECKPOINTS_VARIABLE
from ser_core.records.embedding_map import MAP_FILE, load_map
from ser_core.serving.predictor import Predictor


@pytest.fixture
def trained(checkpoints: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's only checkpoint, which says that it was trained by the split `tiny`."""
    folder = Path(shutil.copytree(checkpoints / "1d-fixed", tmp_path / "trained"))
    values = json.loads((folder / "config.json").read_text())
    values["provenance"] |= {"train": {"split": str(tiny)}, "environment": {"split_id": load_split(str(tiny)).id}}
    (folder / "config.json").write_text(json.dumps(values))
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(tmp_path))
    return folder


def test_the_command_maps_the_test_clips_as_any_recording_is_heard(
    trained: Path, tiny: Path, corpus: Corpus, capsys: pytest.CaptureFixture[str]
):
    main(["--corpus", str(corpus.folder)])
    assert f"20 clips, kept in {trained / MAP_FILE}" in capsys.readouterr().out
    made = load_map(trained)
    assert made
    assert made.names == load_split(str(tiny)).test
    predictor = Predictor.load("trained")
    for name in made.names[:3]:
        prediction = predictor.classify(corpus.load(name), any_sound=True)
        assert prediction.embedding is not None
        assert similar(made, prediction.embedding)[0].name == name
        i = made.rows[name]
        probabilities = list(prediction.probabilities.values())
        assert made.answers[i] == np.argmax(probabilities)
        assert made.scores[i] == pytest.approx(max(probabilities), abs=0.003)


def test_the_command_says_what_is_missing(
    trained: Path, corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def says(*arguments: str) -> str:
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        return capsys.readouterr().err

    assert "20 of 20 clips are missing" in says("--corpus", str(tmp_path / "nowhere"))
    assert "not both" in says("--checkpoint", "trained", "--every-checkpoint")
    assert "no checkpoint 'nothing'" in says("--checkpoint", "nothing")
    values = json.loads((trained / "config.json").read_text())
    (trained / "config.json").write_text(json.dumps(values | {"provenance": {"test": {"val_accuracy": 0.5}}}))
    assert "not trained on CREMA-D by itself" in says("--corpus", str(corpus.folder))
    assert not (trained / MAP_FILE).exists()
