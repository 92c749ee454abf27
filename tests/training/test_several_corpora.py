"""A run on several corpora: its record says which, and nothing takes it for one on CREMA-D."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser_core.analysis.comparable import by_split, differences, split_title
from ser_core.analysis.comparison import compare
from ser_core.analysis.configurations import configuration_of
from ser_core.corpus.identity import CONTENTS
from ser_core.corpus.registry import open_recordings
from ser_core.errors import ConfigError
from ser_core.evaluation.evaluate import HEARD, evaluate_checkpoint
from ser_core.evaluation.summary import summary
from ser_core.records.checkpoints import load_config
from ser_core.records.runs import Run, load_run
from ser_core.training.command import main
from ser_core.training.grid_command import main as grid
from tests.sounds import write_sounds

LETTERS = "WEAFNT"
LETTER_NAMES = dict(zip(LETTERS, ("anger", "disgust", "fear", "happy", "neutral", "sad"), strict=True))
QUICK = ["--model=1d", "--form=mean", "--epochs=1", "--device=cpu", "--precision=fp32", "--vad=energy"]


@pytest.fixture(scope="module")
def emodb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = (f"{speaker}a01{letter}a.wav" for speaker in ("03", "08", "09", "10") for letter in LETTERS)
    return write_sounds(tmp_path_factory.mktemp("emodb"), *names)


@pytest.fixture(scope="module")
def trained(corpus, tiny: Path, emodb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on some clips of CREMA-D, and all of the other corpus."""
    out = tmp_path_factory.mktemp("out")
    folders = ["--out", str(out), "--cache", str(out / "cache")]
    main([*QUICK, "--split", str(tiny), "--corpus", str(corpus.folder), "--corpus", str(emodb), *folders])
    return out


@pytest.fixture
def run(trained: Path) -> Run:
    (folder,) = (trained / "runs").glob("[!.]*")
    return load_run(folder)


def test_the_record_says_which_corpora(run: Run, tiny: Path, emodb: Path):
    assert run.name.endswith("-crema-d+emo-db")
    crema_d, other = run.environment.corpora
    assert (crema_d.name, crema_d.speakers) == ("crema-d", {})
    assert (other.title, other.checksum) == ("EMO-DB", open_recordings(emodb).checksum)
    assert [len(other.speakers[part]) for part in ("train", "val", "test")] == [2, 1, 1]
    own = json.loads(tiny.read_text())
    clips = run.environment.clips
    assert (clips.train, clips.val, clips.test) == (len(own["train"]) + 12, len(own["val"]) + 6, len(own["test"]) + 6)
    assert split_title([run]) == f"CREMA-D, EMO-DB ({run.split_id})"


def test_raters_of_cremad_are_heard_beside_another_corpus(
    corpus, tiny: Path, emodb: Path, tmp_path: Path, trained: Path
):
    given = ["--split", str(tiny), "--corpus", str(corpus.folder), "--corpus", str(emodb)]
    learns = ["--epochs=2", "--warmup-epochs=0", "--lr=0.01"]
    losses = []
    for share in ("0", "0.9"):
        folders = ["--out", str(tmp_path / share), "--cache", str(trained / "cache")]
        main([*QUICK, *learns, *given, f"--soft-labels={share}", *folders])
        (folder,) = (tmp_path / share / "runs").glob("[!.]*")
        losses.append(load_run(folder).history["val_loss"])
    assert (abs(losses[0] - losses[1]) > 1e-3).all()  # more than another order of the same sums gives


def test_of_clips_that_nobody_rated_soft_labels_are_the_labels(
    corpus, tiny: Path, emodb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    def enough(*_: object, **__: object) -> None:
        raise ConfigError("Enough.")

    monkeypatch.setattr("ser_core.training.experiment.run_experiment", enough)
    both = ["--corpus", str(corpus.folder), "--split", str(tiny)]
    says = "--soft-labels has no effect: no clip of emo-db was rated.\n"
    for arguments, said in ((["--soft-labels=0.5"], says), ([], ""), (["--soft-labels=0.5", *both], "")):
        with pytest.raises(SystemExit):
            main([*QUICK, *arguments, "--corpus", str(emodb), "--out", str(tmp_path)])
        assert capsys.readouterr().err == f"{said}error: Enough.\n"


def test_its_test_clips_are_of_both_and_intervals_draw_all_speakers(run: Run):
    predictions = run.predictions()
    assert sum(name.startswith("emo-db/") for name in predictions.names) == 6
    (tested,) = run.environment.corpora[1].speakers["test"]
    assert f"emo-db/{tested}" in predictions.speakers
    assert run.intervals_over == "speakers and clips"
    assert compare(predictions, predictions).by_speaker


def test_it_is_compared_with_its_like_only(run: Run, corpus, tiny: Path, tmp_path: Path, trained: Path):
    assert configuration_of(run) is None
    folders = ["--out", str(tmp_path), "--cache", str(trained / "cache")]
    main([*QUICK, "--split", str(tiny), "--corpus", str(corpus.folder), *folders])
    (folder,) = (tmp_path / "runs").glob("[!.]*")
    alone = load_run(folder)
    assert alone.environment.corpora == ()
    assert alone.name == run.name.removesuffix("-crema-d+emo-db")
    assert "speaker" not in (folder / "predictions.csv").read_text().splitlines()[0]
    assert len(by_split([run, alone])) == 2
    assert {"split", "data checksum"} <= differences([run, alone]).keys()


def test_its_card_and_its_evaluation_know_what_it_heard(run: Run, trained: Path, emodb: Path):
    checkpoint = trained / "checkpoints" / run.name
    card = (checkpoint / "README.md").read_text()
    assert "CREMA-D" in card
    assert "EMO-DB" in card
    assert "twelve English sentences" not in card
    evaluation, predictions = evaluate_checkpoint(open_recordings(emodb), checkpoint)
    assert evaluation.checkpoint.trained_on == ("crema-d", "emo-db")
    assert (evaluation.checkpoint.heard, evaluation.corpus.left_out) == ("other speakers", {HEARD: 18})
    assert set(predictions.said_speakers) == set(run.environment.corpora[1].speakers["test"])
    assert len(load_config(checkpoint).provenance[CONTENTS].split()) == 18


def test_a_copy_of_the_corpus_under_another_name_is_told(
    run: Run, trained: Path, emodb: Path, corpus, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    rows = ["file,emotion,speaker"]
    for i, path in enumerate(sorted(emodb.iterdir())):
        (tmp_path / f"{i}.wav").write_bytes(path.read_bytes())
        rows.append(f"{i}.wav,{LETTER_NAMES[path.stem[5]]},{path.stem[:2]}")
    (tmp_path / "copy.csv").write_text("\n".join(rows))
    evaluation, _ = evaluate_checkpoint(open_recordings(tmp_path / "copy.csv"), trained / "checkpoints" / run.name)
    assert (evaluation.checkpoint.heard, evaluation.corpus.left_out) == ("other speakers", {HEARD: 18})
    assert "all clips but 18 of 24 clips that it was trained or validated on" in summary(evaluation)[0]
    options = ["--split", str(tiny), "--corpus", str(corpus.folder), "--corpus", str(emodb), "--out", str(tmp_path)]
    with (emodb / "03a02Wa.wav").open("wb") as file:
        file.write((emodb / "03a01Wa.wav").read_bytes())
    try:
        main([*QUICK, *options, "--cache", str(trained / "cache")])
    finally:
        (emodb / "03a02Wa.wav").unlink()
    assert "EMO-DB: left out: 1 clip, the same recording as another clip (03a02Wa)" in capsys.readouterr().err


def test_features_are_kept(trained: Path, corpus, tiny: Path, emodb: Path, monkeypatch: pytest.MonkeyPatch):
    kept = sorted(path.name for path in (trained / "cache").iterdir())
    options = ["--split", str(tiny), "--corpus", str(corpus.folder), "--corpus", str(emodb), "--restart"]
    main([*QUICK, *options, "--out", str(trained), "--cache", str(trained / "cache")])
    assert sorted(path.name for path in (trained / "cache").iterdir()) == kept


def test_a_damaged_clip_of_another_corpus_is_named(tmp_path: Path, emodb: Path, capsys: pytest.CaptureFixture):
    folder = tmp_path / "clips"
    folder.mkdir()
    for path in emodb.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "03a01Wa.wav").write_bytes(b"not a sound, and no wav file")
    with pytest.raises(SystemExit, match="2"):
        main([*QUICK, "--corpus", str(folder), "--out", str(tmp_path), "--cache", str(tmp_path / "cache")])
    said = capsys.readouterr().err
    assert "03a01Wa.wav is not sound that can be read. Replace it, or take it out of the corpus." in said


def test_a_grid_trains_on_crema_d_alone(emodb: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match="2"):
        grid(["report", "--list", "--corpus", str(emodb)])
    assert "A grid trains on CREMA-D" in capsys.readouterr().err
