import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import torch

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.emotions import EMOTIONS
from ser_core.errors import AudioError, CheckpointError, ConfigError, NoSpeechError, SERError
from ser_core.models.network import Network
from ser_core.records.checkpoints import CHECKPOINTS_DIR, list_checkpoints
from ser_core.records.embedding import EMBEDDING_FILE, EmbeddingStatistics, load_statistics, save_statistics
from ser_core.serving.adaptation import DEVIATION_RELEVANCE, EMOTION_RELEVANCE, learn, mean_relevance
from ser_core.serving.predict_command import main
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import timeline_rows
from ser_core.training.batches import ClipTensors
from ser_core.training.embedding import embedding_statistics

WIDTH = 50
TRAINING = EmbeddingStatistics(np.linspace(-1, 1, WIDTH, dtype=np.float32), np.full(WIDTH, 2, np.float32))


@pytest.fixture(scope="module")
def predictor(checkpoints: Path) -> Predictor:
    return Predictor.load("2d-fixed", root=checkpoints)


@pytest.fixture(scope="module")
def voices(corpus, clips) -> list[Path]:
    return [corpus.path(clip) for clip in clips if not clip.defect][:6]


def values(prediction: Prediction | SERError) -> np.ndarray:
    assert isinstance(prediction, Prediction)
    return np.array(list(prediction.probabilities.values()))


def speaker(n: int, offset: float, factor: float) -> np.ndarray:
    """Embeddings of somebody whose clips lie elsewhere than those of training, and closer or farther apart."""
    normal = np.random.default_rng(0).standard_normal((n, WIDTH))
    return (TRAINING.mean + offset + factor * TRAINING.deviation * normal).astype(np.float32)


def test_of_many_clips_a_speakers_own_statistics_become_those_of_training():
    clips = speaker(5_000, offset=3, factor=0.5)
    adaptation = learn(list(clips[:, None]), TRAINING)
    brought = EmbeddingStatistics.of(clips * adaptation.scale + adaptation.shift)
    np.testing.assert_allclose(brought.mean, TRAINING.mean, atol=0.03)
    np.testing.assert_allclose(brought.deviation, TRAINING.deviation, rtol=0.02)
    assert adaptation.n_clips == 5_000


@pytest.mark.parametrize("n", [1, 3, 10])
def test_a_few_clips_move_the_mean_as_much_as_they_weigh(n: int):
    clips = speaker(n, offset=3, factor=1)
    adaptation = learn(list(clips[:, None]), TRAINING)
    heard = clips.mean(0) - TRAINING.mean
    left = (clips.mean(0) * adaptation.scale + adaptation.shift - TRAINING.mean) / adaptation.scale
    np.testing.assert_allclose(left, heard * mean_relevance(n) / (n + mean_relevance(n)), rtol=1e-3, atol=1e-4)


def test_one_clip_weighs_least_as_it_has_one_emotion():
    weights = [n / (n + mean_relevance(n)) for n in range(1, 50)]
    assert weights[0] == pytest.approx(1 / 16)
    assert weights == sorted(weights)
    assert weights[19] == pytest.approx(20 / 25.5)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_clips_in_one_known_emotion_leave_it_and_take_the_voice_away(n: int):
    offsets = np.random.default_rng(1).normal(0, 2, (len(EMOTIONS), WIDTH)).astype(np.float32)
    training = EmbeddingStatistics(TRAINING.mean, TRAINING.deviation, TRAINING.mean + offsets)
    voice = 3.0
    clips = np.tile(TRAINING.mean + offsets[EMOTIONS.index("NEU")] + voice, (n, 1))
    adaptation = learn(list(clips[:, None]), training, emotion="NEU")
    np.testing.assert_array_equal(adaptation.scale, 1)
    np.testing.assert_allclose(adaptation.shift, -voice * n / (n + EMOTION_RELEVANCE), rtol=1e-4)
    assert adaptation.n_clips == n
    as_in_training = learn(list(clips[:, None] - voice), training, emotion="NEU")
    np.testing.assert_allclose(as_in_training.shift, 0, atol=1e-5)


def test_one_clip_says_nothing_of_the_deviation_and_twenty_one_half():
    np.testing.assert_allclose(learn(list(speaker(1, 3, 1)[:, None]), TRAINING).scale, 1, rtol=1e-5)
    n = round(DEVIATION_RELEVANCE) + 1
    same = learn(list(np.repeat(speaker(1, 3, 1), n, axis=0)[:, None]), TRAINING)  # which do not differ at all
    np.testing.assert_allclose(same.scale, np.sqrt(2), rtol=1e-3)


def test_clips_as_in_training_change_next_to_nothing():
    clips = speaker(2_000, offset=0, factor=1)
    adaptation = learn(list(clips[:, None]), TRAINING)
    assert np.abs(clips * adaptation.scale + adaptation.shift - clips).mean() < 0.1


def test_a_predictor_is_adapted_and_the_original_stays(predictor: Predictor, voices: list[Path]):
    before = values(predictor(voices[0]))
    adapted = predictor.adapt(voices)
    assert adapted.adaptation
    assert adapted.adaptation.n_clips == len(voices)
    np.testing.assert_array_equal(values(predictor(voices[0])), before)
    assert predictor.adaptation is None
    after = values(adapted(voices[0]))
    assert np.abs(after - before).max() > 0.01

    model = predictor.model
    assert isinstance(model, Network)
    inputs = predictor.inputs(predictor.prepare(load_audio(voices[0])))
    embedding = model.embed(**{name: torch.from_numpy(value)[None] for name, value in inputs.items()}).numpy()
    moved = torch.from_numpy(embedding * adapted.adaptation.scale + adapted.adaptation.shift)
    np.testing.assert_allclose(after, model.classifier(moved).softmax(1)[0].numpy(), atol=1e-5)
    rows = timeline_rows(adapted.timeline(np.tile(load_audio(voices[0]), 2)))
    assert {row["adapted_to"] for row in rows} == {adapted(voices[0]).adapted_to} == {len(voices)}
    assert predictor(voices[0]).adapted_to == 0
    again = adapted.adapt(voices)  # of the voice as it is, not as it was brought to training
    assert again.adaptation == adapted.adaptation


def test_what_cannot_be_used_is_left_out_and_named(predictor: Predictor, voices: list[Path], tmp_path: Path):
    silence = np.zeros(SAMPLE_RATE, np.float32)
    soundfile.write(tmp_path / "silence.wav", silence, SAMPLE_RATE)
    (tmp_path / "text.wav").write_text("no sound")
    bad = [tmp_path / "silence.wav", tmp_path / "text.wav"]
    adaptation = predictor.adapt([*bad, *voices]).adaptation
    assert adaptation
    assert adaptation.n_clips == len(voices)
    assert len(adaptation.left_out) == 2
    assert "text.wav" in adaptation.left_out[1]
    assert adaptation.scale.tolist() == pytest.approx(predictor.adapt(voices).adaptation.scale.tolist())
    with pytest.raises(NoSpeechError, match=f"^{bad[0]}: No speech was found: .* {bad[1]} could not be decoded"):
        predictor.adapt(bad)
    with pytest.raises(NoSpeechError, match=r"up\. And 5 more\.$"):
        predictor.adapt([bad[0]] * 8)
    with pytest.raises(AudioError, match="no recording"):
        predictor.adapt([])


def test_an_emotion_is_named_by_its_word(predictor: Predictor, voices: list[Path]):
    neutral = predictor.adapt(voices[:2], emotion="neutral").adaptation
    assert neutral == predictor.adapt(voices[:2], emotion="NEU").adaptation
    assert neutral != predictor.adapt(voices[:2]).adaptation
    assert neutral != predictor.adapt(voices[:2], emotion="angry").adaptation
    for word in ("surprise", "", 3):
        with pytest.raises(ConfigError, match="is one of anger, disgust, fear, happiness, neutral, sadness, not"):
            predictor.adapt(voices[:2], emotion=word)  # type: ignore[arg-type]
    assert predictor.statistics
    older = EmbeddingStatistics(predictor.statistics.mean, predictor.statistics.deviation)
    old = Predictor(predictor.config, predictor.model, older)
    assert old.adapt(voices[:2]).adaptation
    with pytest.raises(CheckpointError, match="2d-fixed can't be adapted to recordings in one emotion"):
        old.adapt(voices[:2], emotion="neutral")


def test_one_recording_in_place_of_several_is_refused(predictor: Predictor, voices: list[Path]):
    for one in (voices[0], str(voices[0]), voices[0].read_bytes(), load_audio(voices[0])):
        with pytest.raises(AudioError, match="give it a list"):
            predictor.adapt(one)  # type: ignore[arg-type]


def test_statistics_of_another_network_are_refused(predictor: Predictor, voices: list[Path]):
    other = Predictor(predictor.config, predictor.model, TRAINING)
    with pytest.raises(CheckpointError, match=f"{EMBEDDING_FILE} is not of its network"):
        other.adapt(voices[:1])


def test_a_long_recording_counts_once_and_so_does_one_that_is_given_again(predictor: Predictor, voices: list[Path]):
    """Its pieces are alike, often in their emotion: what they share must not be taken away as the speaker's."""
    audio = np.concatenate([load_audio(path) for path in voices])
    assert predictor.prepare(audio).seconds > 6
    one, many = (predictor.adapt([np.tile(audio, n)], sample_rate=SAMPLE_RATE).adaptation for n in (1, 8))
    assert one
    assert many
    assert one.n_clips == many.n_clips == 1
    np.testing.assert_allclose(many.shift, one.shift, atol=0.1)
    assert predictor.adapt([voices[0]] * 20).adaptation == predictor.adapt(voices[:1]).adaptation


def test_an_older_checkpoint_says_that_it_cannot(checkpoints: Path, voices: list[Path], tmp_path: Path):
    folder = Path(shutil.copytree(checkpoints / "1d-fixed", tmp_path / "old"))
    (folder / EMBEDDING_FILE).unlink()
    old = Predictor.load("old", root=tmp_path)
    assert values(old(voices[0])).sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(CheckpointError, match="old can't be adapted"):
        old.adapt(voices)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.write_bytes(b"nothing"), EMBEDDING_FILE),
        (lambda path: save(path, np.zeros(3), np.zeros(4)), r"\(3,\) means and \(4,\) deviations"),
        (lambda path: save(path, np.zeros(3), np.full(3, np.nan)), "no number"),
        (lambda path: save(path, np.zeros(3), -np.ones(3)), "no number"),
        (lambda path: save(path, np.zeros(3), np.ones(3), np.ones((6, 4))), r"\(3,\) means and \(6, 4\) of emotions"),
        (lambda path: save(path, np.zeros(3), np.ones(3), np.full((6, 3), np.inf)), "no number"),
    ],
)
def test_damaged_statistics_are_named(tmp_path: Path, change, reason: str):
    change(tmp_path / EMBEDDING_FILE)
    with pytest.raises(CheckpointError, match=reason):
        load_statistics(tmp_path)


def save(path: Path, *values: np.ndarray) -> None:
    save_statistics(path.parent, EmbeddingStatistics(*(value.astype(np.float32) for value in values)))


def test_statistics_come_back_as_they_were_kept(tmp_path: Path):
    clips, targets = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32), np.arange(60) % 6
    for of in ((clips,), (clips, targets)):
        statistics = EmbeddingStatistics.of(*of)
        save_statistics(tmp_path, statistics)
        assert load_statistics(tmp_path) == statistics
    np.testing.assert_allclose(statistics.emotion_means[1], clips[1::6].mean(0), atol=1e-6)
    assert EmbeddingStatistics.of(clips, targets.clip(max=4)).emotion_means is None  # nobody is sad


def test_statistics_are_those_of_the_training_clips_in_evaluation_mode(predictor: Predictor, voices: list[Path]):
    speeches = [predictor.prepare(load_audio(path)) for path in voices]
    inputs = [predictor.inputs(speech)["mel"] for speech in speeches]
    from ser_core.features.feature_set import FeatureSet

    data = ClipTensors({"mel": FeatureSet.join(inputs)}, range(len(inputs)), "fixed", torch.device("cpu"))
    model = predictor.model
    assert isinstance(model, Network)
    expected = model.embed(torch.from_numpy(np.stack(inputs[:4]))).numpy()
    found = embedding_statistics(model.train(), data, torch.arange(4))
    assert found
    np.testing.assert_allclose(found.mean, expected.mean(0), atol=1e-5)
    np.testing.assert_allclose(found.deviation, expected.std(0), atol=1e-5)
    assert found.emotion_means is None
    found = embedding_statistics(model, data, torch.arange(6))
    assert found
    assert found.emotion_means is not None
    np.testing.assert_allclose(found.emotion_means[:4], expected, atol=1e-5)


def test_every_shipped_checkpoint_can_be_adapted():
    for name in list_checkpoints(CHECKPOINTS_DIR):
        statistics = load_statistics(CHECKPOINTS_DIR / name)
        assert statistics, name
        assert (statistics.deviation > 0).mean() > 0.9
        assert statistics.emotion_means is not None, name
        assert np.abs(statistics.emotion_means.mean(0) - statistics.mean).max() < 0.1 * statistics.deviation.max()


def test_the_command_adapts(
    checkpoints: Path,
    voices: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(checkpoints))
    for path in voices[1:4]:
        shutil.copy(path, tmp_path)
    arguments = [str(voices[0]), "--checkpoint", "2d-fixed", "--format", "csv"]
    main(arguments)
    plain = capsys.readouterr().out
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "silence.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    main([*arguments, "--adapt", str(tmp_path)])
    adapted = capsys.readouterr()
    assert plain.splitlines()[0] == adapted.out.splitlines()[0]
    assert plain != adapted.out
    assert [next(csv.DictReader(io.StringIO(text)))["adapted_to"] for text in (plain, adapted.out)] == ["0", "3"]
    main([str(voices[0]), "--checkpoint", "2d-fixed", "--adapt", str(voices[1]), "--out", str(tmp_path / "t.parquet")])
    assert pq.read_table(tmp_path / "t.parquet")["adapted_to"].to_pylist() == [1]
    capsys.readouterr()
    assert "text.wav" in adapted.err
    assert "silence.wav" in adapted.err
    assert "tuned without it" in adapted.err
    neutral = [*arguments, "--adapt", str(voices[1]), "--adapt-emotion", "neutral"]
    main(neutral)
    assert capsys.readouterr().out not in (plain, adapted.out)
    for refused, says in (
        ([*neutral[:-1], "bored"], "An emotion is one of"),
        (arguments + neutral[-2:], "--adapt: say"),
    ):
        with pytest.raises(SystemExit):
            main(refused)
        assert says in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as exit:
        main([*arguments, "--adapt", str(tmp_path / "empty")])
    assert exit.value.code == 2
    assert "folder without audio files" in capsys.readouterr().err
    (tmp_path / "bad").mkdir()
    for name in ("text.wav", "silence.wav"):
        shutil.copy(tmp_path / name, tmp_path / "bad")
    with pytest.raises(SystemExit):
        main([*arguments, "--adapt", str(tmp_path / "bad")])
    said = capsys.readouterr().err
    assert said.startswith("error: Nothing that --adapt names can be used. ")
    assert f"{tmp_path / 'bad' / 'text.wav'} could not be decoded" in said
    assert f"{tmp_path / 'bad' / 'silence.wav'}: No speech was found" in said
