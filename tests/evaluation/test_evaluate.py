"""A checkpoint on a corpus: which clips, what of them, and a record that says so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_core.audio import SAMPLE_RATE
from ser_core.checksums import remove_sums
from ser_core.corpus.clips import Clip
from ser_core.corpus.copies import CONTRADICTED, COPY
from ser_core.corpus.folder import Corpus
from ser_core.corpus.identity import CONTENTS, DIGITS
from ser_core.corpus.registry import open_recordings
from ser_core.corpus.splits import REPORT_SPLIT_ID, load_split
from ser_core.errors import CorpusError, RunError
from ser_core.evaluation.command import main
from ser_core.evaluation.evaluate import HEARD, NO_SPEECH, UNREADABLE, evaluate_checkpoint
from ser_core.evaluation.summary import summary
from ser_core.evaluation.unheard import was_trained_on
from ser_core.records.checkpoints import load_config
from ser_core.records.evaluations import (
    Evaluation,
    folder_of,
    load_evaluation,
    load_evaluations,
    load_predictions,
    save_evaluation,
)
from tests.helpers import ROOT, save_opinionated, skip_or_fail
from tests.made_records import MINE
from tests.sounds import says_of_itself, write_sounds

RAVDESS = ROOT.parent / "shared" / "ravdess" / "clips"
SPOKEN = ("03a01Wa.wav", "03a01Na.wav", "08a01Wa.wav", "08a01Ta.wav", "08a01La.wav")
REPORT = {"train": {"split": "report"}, "environment": {"split_id": REPORT_SPLIT_ID}}


@pytest.fixture(scope="module")
def emodb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sounds(tmp_path_factory.mktemp("emodb"), *SPOKEN)


@pytest.fixture
def angry(tmp_path: Path) -> Path:
    return save_opinionated(tmp_path / "checkpoints", "angry", "ANG")


def of(corpus: Path, checkpoint: Path) -> Evaluation:
    return evaluate_checkpoint(open_recordings(corpus), checkpoint)[0]


def test_the_figures_follow_from_what_it_says(emodb: Path, angry: Path):
    says_of_itself(angry, **REPORT)
    evaluation, predictions = evaluate_checkpoint(open_recordings(emodb), angry)
    assert evaluation.metrics.confusion[0][0] == 2
    assert evaluation.uar == pytest.approx(1 / 3)
    assert evaluation.metrics.accuracy == pytest.approx(0.5)
    assert evaluation.metrics.intervals_over == "speakers and clips"
    assert evaluation.calibration_error == pytest.approx(predictions.probabilities[0].max() - 0.5, abs=1e-4)
    assert {name: (f.clips, f.accuracy) for name, f in evaluation.speakers.items()} == {"03": (2, 0.5), "08": (2, 0.5)}
    assert evaluation.sexes.keys() == {"female", "male"}
    assert evaluation.corpus.left_out == {"label 'boredom', none of the six": 1}
    assert (evaluation.corpus.speakers, evaluation.corpus.clips) == (2, 4)
    assert evaluation.checkpoint.heard == "nothing"
    assert evaluation.checkpoint.trained_on == ("crema-d",)
    assert evaluation.checkpoint.weights == hashlib.sha256((angry / "model.safetensors").read_bytes()).hexdigest()


def test_clips_without_an_answer_are_counted(tmp_path: Path, angry: Path):
    folder = write_sounds(tmp_path / "tree", "sad/1.wav", "angry/2.wav")
    soundfile.write(folder / "sad" / "silent.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    (folder / "sad" / "broken.wav").write_bytes(b"RIFF")
    evaluation = of(folder, angry)
    assert evaluation.unanswered == {NO_SPEECH: 1, UNREADABLE: 1}
    assert (evaluation.corpus.clips, evaluation.metrics.clips) == (4, 2)
    for path in (folder / "sad" / "1.wav", folder / "angry" / "2.wav"):
        path.unlink()
    with pytest.raises(CorpusError, match=r"answers no clip of tree. Of the first: .*broken.wav"):
        of(folder, angry)


def test_what_is_said_of_a_corpus_counts_as_people_do(tmp_path: Path, angry: Path):
    folder = write_sounds(tmp_path / "emodb", "03a01Wa.wav", "03a01La.wav")
    lines = "\n".join(summary(of(folder, angry)))
    assert "angry on EMO-DB: 1 clip of 1 speaker, all clips" in lines
    assert "left out: 1 clip, label 'boredom'" in lines
    assert "chance 16.7%" in lines
    assert "not in the table" not in lines
    (folder / "08a01Wa.wav").write_bytes(b"RIFF")
    lines = "\n".join(summary(of(folder, angry)))
    assert "2 clips of 2 speakers" in lines
    assert "not in the table: 1 speaker, of whom no clip has an answer" in lines


def test_of_unknown_speakers_intervals_are_over_clips(tmp_path: Path, angry: Path):
    evaluation = of(write_sounds(tmp_path / "tree", "sad/1.wav", "angry/2.wav"), angry)
    assert evaluation.metrics.intervals_over == "clips"
    assert evaluation.corpus.speakers is None
    assert evaluation.speakers == evaluation.sexes == {}
    assert evaluation.checkpoint.heard == "unknown"
    assert any("of unknown speakers" in line for line in summary(evaluation))


@pytest.mark.parametrize(("split", "heard"), [("report", "same speakers"), ("fold1", "other speakers")])
def test_of_its_own_corpus_it_gets_the_test_clips(split: str, heard: str, tmp_path: Path, angry: Path):
    parts = load_split(split)
    folder = write_sounds(
        tmp_path / "clips", *(f"{name}.wav" for name in (*parts.test[:2], parts.train[0], parts.val[0]))
    )
    says_of_itself(angry, train={"split": split}, environment={"split_id": parts.id})
    evaluation = of(folder, angry)
    assert (evaluation.corpus.clips, evaluation.checkpoint.heard) == (2, heard)
    assert evaluation.corpus.part == f"test clips of split {split}"
    assert evaluation.corpus.left_out == {HEARD: 2}
    for name in parts.test[:2]:
        (folder / f"{name}.wav").unlink()
    with pytest.raises(CorpusError, match="no clip to test angry with"):
        of(folder, angry)
    says_of_itself(angry, environment={"split_id": "another"})
    with pytest.raises(CorpusError, match="can't be told any more"):
        of(folder, angry)


@pytest.mark.parametrize(
    ("split", "said", "heard"),
    [
        ("report", "all clips but 2 of 4 clips that it was trained or validated on", "same speakers"),
        ("fold1", "all clips but 2 of 4 clips that it was trained or validated on", "other speakers"),
        ("gone.json", "all clips but 3 of 4 clips that it was trained or validated on", "same speakers"),
    ],
)
def test_copies_of_crema_ds_clips_are_found_in_any_corpus(
    split: str, said: str, heard: str, corpus: Corpus, clips: list[Clip], tmp_path: Path, angry: Path
):
    """One that was trained on by its content, one by its name, one that was tested on, and one that is no copy."""
    parts = load_split("report" if split == "gone.json" else split)
    trained, tested = (next(clip for clip in clips if clip.name in part) for part in (parts.train, parts.test))
    folder = write_sounds(tmp_path / "tree", "sad/1.wav", f"sad/{parts.val[0]}.wav")
    (folder / "sad" / "2.wav").write_bytes(corpus.path(trained).read_bytes())
    (folder / "sad" / "3.wav").write_bytes(corpus.path(tested).read_bytes())
    says_of_itself(angry, train={"split": split}, environment={"split_id": parts.id})
    evaluation = of(folder, angry)
    assert (evaluation.corpus.part, evaluation.checkpoint.heard) == (said, heard)
    assert evaluation.corpus.left_out == {HEARD: 4 - evaluation.corpus.clips}
    for name in ("1.wav", "3.wav"):
        (folder / "sad" / name).unlink()
    with pytest.raises(CorpusError, match=r"no clip to test angry with: .* nothing is left of all clips but 2 of 2"):
        of(folder, angry)


@pytest.mark.parametrize(
    ("provenance", "clips", "heard"),
    [({CONTENTS: "{0} 123456789abc"}, 3, "same speakers"), ({CONTENTS: ""}, 4, "nothing"), ({}, 4, "unknown")],
)
def test_copies_of_another_corpus_are_found_by_what_the_checkpoint_says(
    provenance: dict[str, str], clips: int, heard: str, emodb: Path, angry: Path
):
    content = hashlib.sha256((emodb / SPOKEN[0]).read_bytes()).hexdigest()[:DIGITS]
    said = {key: value.format(content) for key, value in provenance.items()}
    says_of_itself(angry, train={"split": "report"}, environment={"corpora": [asdict(MINE)]}, **said)
    evaluation = of(emodb, angry)
    assert (evaluation.corpus.clips, evaluation.checkpoint.heard) == (clips, heard)


def test_it_knows_what_it_was_trained_on(angry: Path):
    parts = load_split("fold1")
    assert was_trained_on(load_config(angry), parts.train[0]) is None
    says_of_itself(angry, train={"split": "fold1"}, environment={"split_id": parts.id})
    assert was_trained_on(load_config(angry), parts.train[0]) is True
    assert was_trained_on(load_config(angry), parts.test[0]) is False
    says_of_itself(angry, environment={"split_id": "another"})
    assert was_trained_on(load_config(angry), parts.train[0]) is None


def test_a_record_comes_back_as_it_was_written(emodb: Path, angry: Path, tmp_path: Path):
    evaluation, predictions = evaluate_checkpoint(open_recordings(emodb), angry)
    folder = folder_of(tmp_path / "evaluations", "my corpus/../x", "angry")
    assert folder == tmp_path / "evaluations" / "my-corpus-..-x" / "angry"
    save_evaluation(folder, evaluation, predictions)
    save_evaluation(folder, evaluation, predictions)  # in place of the first
    assert load_evaluation(folder) == evaluation
    assert load_evaluations(tmp_path / "evaluations") == ([evaluation], {})
    read = load_predictions(folder)
    assert (read.names, read.said_speakers) == (predictions.names, ("03", "03", "08", "08"))
    assert read.speakers.tolist() == predictions.speakers.tolist()
    assert [path.name for path in folder.parent.iterdir()] == ["angry"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 4}, "its version is 4"),
        ({"calibration_error": 2.0}, "calibration_error should be from 0 to 1"),
        ({"unanswered": {"asleep": 1}}, "metrics are of 4 clips, and 3 were answered"),
        ({"metrics": None}, "metrics should be an object"),
    ],
)
def test_a_damaged_record_is_a_sentence(change: dict, says: str, emodb: Path, angry: Path, tmp_path: Path):
    folder = tmp_path / "corpus" / "angry"
    save_evaluation(folder, *evaluate_checkpoint(open_recordings(emodb), angry))
    path = folder / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunError, match=says):
        load_evaluation(folder)
    assert list(load_evaluations(tmp_path)[1]) == ["corpus/angry"]
    (folder / "predictions.csv").write_text("clip\n1\n")
    with pytest.raises(RunError, match=r"predictions.csv can't be read"):
        load_predictions(folder)


def test_the_command_records_each_checkpoint(
    emodb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    for emotion in ("ANG", "SAD"):
        save_opinionated(tmp_path / "checkpoints", emotion.lower(), emotion)
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("SER_EVALUATIONS_DIR", str(tmp_path / "evaluations"))
    main(["--corpus", str(emodb), "--every-checkpoint", "--labels", "boredom=SAD"])
    output = capsys.readouterr().out
    assert "ang on EMO-DB: 5 clips of 2 speakers, all clips" in output
    found = {e.checkpoint.name: e for e in load_evaluations(tmp_path / "evaluations")[0]}
    assert {name: round(e.metrics.accuracy, 3) for name, e in found.items()} == {"ang": 0.4, "sad": 0.4}
    for arguments in (["--corpus", "nowhere"], ["--corpus", str(emodb), "--checkpoint", "a", "--every-checkpoint"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        assert capsys.readouterr().err.startswith("error: ")


def test_copies_are_left_out_and_counted(
    angry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(angry.parent))
    monkeypatch.setenv("SER_EVALUATIONS_DIR", str(tmp_path / "evaluations"))
    folder = write_sounds(tmp_path / "tree", "sad/1.wav", "sad/2.wav", "sad/3.wav", "angry/1.wav")
    (folder / "sad" / "2.wav").write_bytes((folder / "sad" / "1.wav").read_bytes())
    (folder / "angry" / "3.wav").write_bytes((folder / "sad" / "3.wav").read_bytes())
    main(["--corpus", str(folder)])
    said = capsys.readouterr()
    assert "tree: left out: 1 clip, the same recording as another clip (sad/2.wav like sad/1.wav)" in said.err
    assert "2 clips, the same recording as a clip of another label (angry/3.wav like sad/3.wav)" in said.err
    assert "left out: 1 clip, the same recording as another clip" in said.out
    (found,) = load_evaluations(tmp_path / "evaluations")[0]
    assert (found.corpus.clips, found.corpus.left_out) == (2, {COPY: 1, CONTRADICTED: 2})


def test_another_corpus_of_the_same_name_keeps_its_record(
    angry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """Clips of the same names and labels, and what is in them is another."""
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(angry.parent))
    monkeypatch.setenv("SER_EVALUATIONS_DIR", str(tmp_path / "evaluations"))
    names = ("sad/1.wav", "angry/2.wav")
    one = write_sounds(tmp_path / "one" / "audio", *names)
    other = write_sounds(tmp_path / "other" / "audio", "x.wav", *names)
    (other / "x.wav").unlink()
    path = folder_of(tmp_path / "evaluations", "audio", "angry") / "evaluation.json"
    main(["--corpus", str(one)])
    first = path.read_bytes()
    main(["--corpus", str(one)])
    with pytest.raises(SystemExit, match="2"):
        main(["--corpus", str(other)])
    said = capsys.readouterr().err
    assert f"is the record of other clips, or other labels, than {other} has now: of 2 clips." in said
    assert path.read_bytes() == first
    main(["--corpus", str(other), "--name", "other audio"])
    titles = {evaluation.corpus.title for evaluation in load_evaluations(tmp_path / "evaluations")[0]}
    assert titles == {"audio", "other audio"}
    main(["--corpus", str(other), "--name", "other audio", "--change", "quieter-20"])  # has a record of its own
    titles = {evaluation.corpus.title for evaluation in load_evaluations(tmp_path / "evaluations")[0]}
    assert titles == {"audio", "other audio", "other audio, 20 dB quieter"}
    main(["--corpus", str(other), "--replace"])
    assert load_evaluation(path.parent).corpus.contents == open_recordings(other).contents

    values = json.loads(path.read_text())
    del values["corpus"]["contents"]
    path.write_text(json.dumps(values | {"version": 1}))
    remove_sums(path.parent)
    main(["--corpus", str(one)])  # all that an older record says is the same
    path.write_text(json.dumps(values | {"version": 1}))
    remove_sums(path.parent)
    (one / "sad" / "1.wav").rename(one / "sad" / "3.wav")
    with pytest.raises(SystemExit, match="2"):
        main(["--corpus", str(one)])
    assert "has now: of 2 clips." in capsys.readouterr().err


def test_real_clips_of_another_corpus(tmp_path: Path, angry: Path):
    """Two of each of two actors: no more than it takes to see that all of it works together."""
    if not RAVDESS.is_dir():
        skip_or_fail("needs ../shared/ravdess, real clips of another corpus")
    for actor in ("01", "02"):
        for emotion in ("05", "04"):
            name = f"03-01-{emotion}-01-01-01-{actor}.flac"
            (tmp_path / name).symlink_to(RAVDESS / name)
    evaluation = of(tmp_path, angry)
    assert (evaluation.corpus.title, evaluation.corpus.speakers, evaluation.unanswered) == ("RAVDESS", 2, {})
    assert evaluation.uar == 0.5
    assert evaluation.sexes.keys() == {"female", "male"}


def test_shipped_evaluations_are_of_the_shipped_weights():
    evaluations, unreadable = load_evaluations(ROOT / "evaluations")
    assert unreadable == {}
    for evaluation in evaluations:
        weights = ROOT / "checkpoints" / evaluation.checkpoint.name / "model.safetensors"
        if weights.is_file():
            again = f"run python -m ser_core.evaluate for {evaluation.checkpoint.name} again"
            assert hashlib.sha256(weights.read_bytes()).hexdigest() == evaluation.checkpoint.weights, again


def test_a_figure_out_of_its_range_is_refused(emodb: Path, angry: Path):
    evaluation = of(emodb, angry)
    with pytest.raises(ValueError, match="uar should be"):
        replace(evaluation.speakers["03"], uar=1.5)
