"""Several checkpoints as one, clips at several speeds, changed clips and validation clips, and their records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ser_core.audio.changes.registry import CHANGES
from ser_core.audio.preprocess import Speech, preprocess, read_audio
from ser_core.corpus.registry import open_recordings
from ser_core.corpus.splits import REPORT_SPLIT_ID, load_split
from ser_core.emotions import EMOTIONS
from ser_core.errors import ConfigError, CorpusError
from ser_core.evaluation.command import main, parse_arguments
from ser_core.evaluation.evaluate import evaluate_together
from ser_core.evaluation.hearing import LONGEST_NAME, SPEEDS, Hearing, Way
from ser_core.records.evaluations import load_evaluations
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor
from tests.helpers import save_opinionated
from tests.sounds import says_of_itself, write_sounds

REPORT = {"train": {"split": "report"}, "environment": {"split_id": REPORT_SPLIT_ID}}


@pytest.fixture
def both(tmp_path: Path) -> list[Path]:
    """Two checkpoints, one surer than the other."""
    root = tmp_path / "checkpoints"
    folders = [save_opinionated(root, "angry", "ANG"), save_opinionated(root, "sad", "SAD", strength=1)]
    for folder in folders:
        says_of_itself(folder, **REPORT)
    return folders


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    return write_sounds(tmp_path / "tree", "sad/1.wav", "angry/2.wav")


def test_several_checkpoints_say_the_mean_of_their_probabilities(sounds: Path, both: list[Path]):
    recordings = open_recordings(sounds)
    evaluation, together = evaluate_together(recordings, both, Way())
    alone = [evaluate_together(recordings, [folder], Way()) for folder in both]
    mean = np.mean([predictions.probabilities for _, predictions in alone], axis=0)
    assert together.probabilities == pytest.approx(mean, abs=1e-6)
    assert np.ptp([predictions.probabilities[0] for _, predictions in alone], axis=0).max() > 0.1
    assert evaluation.checkpoint.name == "angry+sad"
    assert evaluation.checkpoint.members == ("angry", "sad")
    assert evaluation.checkpoint.weights not in [one.checkpoint.weights for one, _ in alone]
    assert alone[0][0].checkpoint.members == ()


def test_each_clip_is_heard_at_three_speeds(sounds: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch):
    clip = open_recordings(sounds).clips[0]
    predictor = Predictor.load("1d-variable", root=checkpoints)
    audio, _ = read_audio(clip.path)
    speech = preprocess(audio, predictor.config.audio)
    lengths: list[int] = []  # of the speech: one heard faster is shorter
    heard = predictor.classify_speeches

    def listening(speeches: Sequence[Speech]) -> list[Prediction]:
        lengths.extend(len(one.waveform) for one in speeches)
        return heard(speeches)

    monkeypatch.setattr(predictor, "classify_speeches", listening)
    found = Hearing([predictor], Way(speeds=SPEEDS)).probabilities(speech)
    assert lengths == pytest.approx([len(speech.waveform) / speed for speed in SPEEDS], abs=1)
    plain = Hearing([predictor], Way()).probabilities(speech)
    assert plain == pytest.approx([heard([speech])[0].probabilities[emotion] for emotion in EMOTIONS])
    assert abs(found - plain).max() > 1e-6
    assert found.sum() == pytest.approx(1)


def test_validation_clips_are_those_of_its_split_and_of_no_other_corpus(
    tmp_path: Path, sounds: Path, both: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    parts = load_split("report")
    folder = write_sounds(
        tmp_path / "clips", *(f"{name}.wav" for name in (*parts.val[:3], parts.test[0], parts.train[0]))
    )
    evaluation, predictions = evaluate_together(open_recordings(folder), both[:1], Way(validation=True))
    assert sorted(predictions.names) == sorted(parts.val[:3])
    assert evaluation.corpus.part == "validation clips of split report"
    assert (evaluation.corpus.title, evaluation.corpus.validation) == ("CREMA-D, validation clips", True)
    assert evaluation.corpus.left_out == {}
    with pytest.raises(CorpusError, match="Validation clips are those of CREMA-D"):
        evaluate_together(open_recordings(sounds), both[:1], Way(validation=True))
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(both[0].parent))
    monkeypatch.setenv("SER_EVALUATIONS_DIR", str(tmp_path / "evaluations"))
    monkeypatch.delattr("ser_core.evaluation.evaluate.evaluate_together")  # it is refused before anything is loaded
    says_of_itself(both[1], train=None)
    for corpus, says in ((sounds, "is tree. Leave --validation"), (folder, "was not trained on CREMA-D alone, or")):
        with pytest.raises(SystemExit, match="2"):
            main(["--corpus", str(corpus), "--checkpoint", both[1].name, "--validation"])
        assert says in capsys.readouterr().err


def test_a_change_is_made_to_each_clip(sounds: Path, both: list[Path], monkeypatch: pytest.MonkeyPatch):
    changed = []

    def silence(name: str, waveform: np.ndarray, clip: str) -> np.ndarray:
        changed.append((name, clip))
        return np.zeros_like(waveform)

    recordings = open_recordings(sounds)
    evaluation, _ = evaluate_together(recordings, both[:1], Way(change="pink-15"))
    assert (evaluation.corpus.name, evaluation.corpus.change) == ("tree-pink-15", "pink-15")
    assert evaluation.corpus.title == f"tree, {CHANGES['pink-15'].label}"
    monkeypatch.setattr("ser_core.evaluation.hearing.apply_change", silence)
    with pytest.raises(CorpusError, match="answers no clip"):
        evaluate_together(recordings, both[:1], Way(change="pink-15"))
    assert sorted(changed) == sorted(("pink-15", clip.name) for clip in recordings.clips)


def test_those_that_can_not_hear_as_one_are_refused(tmp_path: Path, sounds: Path, both: list[Path]):
    config = both[1] / "config.json"
    values = json.loads(config.read_text())
    config.write_text(json.dumps(values | {"audio": values["audio"] | {"pipeline": "voice"}}))
    with pytest.raises(ConfigError, match="look for speech in different ways"):
        evaluate_together(open_recordings(sounds), both, Way())
    config.write_text(json.dumps(values))
    fold = load_split("fold1")
    says_of_itself(both[1], train={"split": "fold1"}, environment={"split_id": fold.id})
    folder = write_sounds(tmp_path / "clips", f"{fold.val[0]}.wav", f"{load_split('report').val[0]}.wav")
    with pytest.raises(ConfigError, match="not trained on the same clips"):
        evaluate_together(open_recordings(folder), both, Way(validation=True))


def test_records_of_all_ways_stand_beside_each_other(
    tmp_path: Path, sounds: Path, both: list[Path], monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(both[0].parent))
    monkeypatch.setenv("SER_EVALUATIONS_DIR", str(tmp_path / "evaluations"))
    for ways in (["--checkpoint", "sad"], ["--checkpoint", "sad", "--tta"], ["--together", "angry", "sad"]):
        main(["--corpus", str(sounds), *ways])
    main(["--corpus", str(sounds), "--checkpoint", "sad", "--change", "pink-15"])
    found, unreadable = load_evaluations(tmp_path / "evaluations")
    names = {(one.corpus.name, one.checkpoint.name, one.checkpoint.members) for one in found}
    assert names == {
        ("tree", "sad", ()),
        ("tree", "sad+tta", ("sad",)),
        ("tree", "angry+sad", ("angry", "sad")),
        ("tree-pink-15", "sad", ()),
    }
    assert not unreadable
    assert "angry+sad" in capsys.readouterr().out


def test_a_name_of_several_that_is_too_long_for_a_folder_ends_in_a_checksum():
    long = [Path("a" * 100), Path("b" * 100)]
    names = {Way().name(long), Way().name(long[::-1]), Way().name([*long, Path("c")])}
    assert len(names) == 3
    assert all(len(name) <= LONGEST_NAME for name in names)
    assert Way(speeds=SPEEDS).name([Path("a" * 200)]) == "a" * 200 + "+tta"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--together"], "two checkpoints or more"),
        (["--together", "one"], "two checkpoints or more"),
        (["--together", "one", "one"], "each named once"),
        (["--together", "one", "two", "--checkpoint", "three"], "not both"),
    ],
)
def test_what_makes_no_ensemble_is_refused(arguments: list[str], sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        parse_arguments(["--corpus", "somewhere", *arguments])


def test_a_change_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"There is no change 'pink'\. Choose one of .*pink-15"):
        Way(change="pink")
