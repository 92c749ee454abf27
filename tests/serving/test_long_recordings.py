"""Recordings of any length are classified in the memory of a short one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_app.uploads import max_seconds
from ser_core.audio.limit import MAX_SECONDS
from ser_core.audio.preprocess import Speech, load_audio
from ser_core.errors import AudioError, NoSpeechError
from ser_core.serving.predict_command import main
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor
from ser_core.serving.progress import CLEAR
from ser_core.serving.stream_command import main as follow
from tests.audio.encoded import encode
from tests.helpers import LONG, ROOT

MEASURE = """
import resource, sys
from ser_core import Predictor
predictor = Predictor.load("lr0.001-SiLU-2D")
predictor(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(predictor(sys.argv[2]).speech_seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
"""


@pytest.fixture(scope="module")
def predictor(checkpoints: Path) -> Predictor:
    return Predictor.load("1d-fixed", root=checkpoints)


@pytest.fixture(scope="module")
def talk(corpus, clips) -> np.ndarray:
    """A minute of speech at 16 kHz."""
    speech = np.concatenate([load_audio(corpus.path(clip)) for clip in clips[:40] if not clip.defect])
    return speech[: 60 * 16_000]


def test_a_long_recording_is_classified_part_by_part(predictor: Predictor, talk: np.ndarray, monkeypatch):
    whole = predictor((16_000, talk))
    monkeypatch.setattr("ser_core.audio.mono.mono_parts.__defaults__", (20,))
    parts = predictor((16_000, talk))
    assert parts.speech_seconds == pytest.approx(whole.speech_seconds, rel=0.05)
    assert len(parts.speech.audio) == 20 * 16_000
    np.testing.assert_allclose(list(parts.probabilities.values()), list(whole.probabilities.values()), atol=0.02)
    average = [warning for warning in parts.warnings if "average over" in warning]
    assert average[0].startswith(f"{parts.speech_seconds:.0f} s of speech")
    (same,) = predictor.classify_many([(16_000, talk)])
    assert isinstance(same, Prediction)
    assert same.probabilities == parts.probabilities
    with pytest.raises(NoSpeechError, match="silent"):
        predictor((16_000, 0 * talk))


def test_how_long_a_recording_may_be_is_chosen(checkpoints: Path, talk: np.ndarray):
    predictor = Predictor.load("1d-fixed", root=checkpoints, max_seconds=50)
    with pytest.raises(AudioError, match="lasts 60 seconds, and at most 50"):
        predictor((16_000, talk))
    (error,) = predictor.classify_many([(16_000, talk)])
    assert isinstance(error, AudioError)
    assert Predictor.load("1d-fixed", root=checkpoints).max_seconds == MAX_SECONDS == 3 * 3600
    assert max_seconds() == 15 * 60


def test_the_command_takes_the_limit(talk: np.ndarray, tmp_path: Path, capsys):
    soundfile.write(tmp_path / "talk.wav", talk, 16_000)
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "talk.wav"), "--max-minutes", "0.5", "--format", "json"])
    captured = capsys.readouterr()
    assert "talk.wav lasts 60 seconds, and at most 30 seconds are read" in json.loads(captured.out)[0]["error"]
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "talk.wav"), "--max-minutes", "0"])
    assert "--max-minutes" in capsys.readouterr().err


@LONG
def test_twenty_minutes_take_the_memory_of_five(talk: np.ndarray, corpus, tmp_path: Path):
    """Less than 500 MB over what a clip takes; `python -m benchmarks long_recordings` measures three hours."""
    file, clip = tmp_path / "talk.m4a", corpus.folder / "1001_IEO_ANG_HI.wav"
    file.write_bytes(encode(np.tile(talk, (1, 20)), "ipod", "aac", 16_000))
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(clip), str(file)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds, megabytes = map(float, run.stdout.split())
    assert seconds > 300
    assert megabytes < 450


def test_how_far_a_long_recording_is_classified_is_told(predictor: Predictor, talk: np.ndarray, monkeypatch):
    heard: list[float] = []
    predictor.classify(np.tile(talk, 2), heard=heard.append)
    assert len(heard) > 1
    assert heard == sorted(heard)
    assert heard[-1] == 120
    heard.clear()
    predictor.timeline(talk, heard=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 60
    monkeypatch.setattr("ser_core.audio.mono.mono_parts.__defaults__", (20,))
    heard.clear()
    predictor((16_000, talk), heard=heard.append)
    assert heard == sorted(heard)
    assert {20, 40, 60} <= set(heard)


def test_samples_are_classified_part_by_part_as_a_file_of_them_is(predictor: Predictor, talk: np.ndarray, monkeypatch):
    monkeypatch.setattr("ser_core.audio.mono.mono_parts.__defaults__", (20,))
    monkeypatch.setattr("ser_core.serving.predictor.PART_SECONDS", 20)
    assert predictor.classify(talk).probabilities == predictor((16_000, talk)).probabilities
    silent = np.zeros_like(talk)
    with pytest.raises(NoSpeechError, match="silent"):
        predictor.classify(silent)


def test_a_terminal_shows_how_far_a_long_recording_is_classified(talk: np.ndarray, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr("ser_core.audio.mono.mono_parts.__defaults__", (20,))
    soundfile.write(tmp_path / "talk.wav", talk, 16_000)
    command = [str(tmp_path / "talk.wav"), "--checkpoint", "lr0.01-ELU-1D"]
    main(command)
    assert "heard" not in capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    main(command)
    assert f"{CLEAR}talk.wav: 40 seconds heard…" in capsys.readouterr().err


def test_a_long_recording_is_adapted_to_part_by_part(checkpoints: Path, talk: np.ndarray, monkeypatch):
    predictor = Predictor.load("2d-fixed", root=checkpoints)
    whole = predictor.adapt([talk], sample_rate=16_000).adaptation
    longest = []
    prepare = Predictor.prepare

    def watched(self: Predictor, audio: np.ndarray) -> Speech:
        longest.append(len(audio))
        return prepare(self, audio)

    monkeypatch.setattr("ser_core.audio.mono.mono_parts.__defaults__", (20,))
    monkeypatch.setattr(Predictor, "prepare", watched)
    ends_silent = np.concatenate((talk, np.zeros(20 * 16_000, np.float32)))  # which is no reason to leave it out
    parts = predictor.adapt([ends_silent], sample_rate=16_000).adaptation
    assert whole
    assert parts
    assert max(longest) == 20 * 16_000
    assert parts.left_out == ()
    assert abs(parts.n_clips - whole.n_clips) <= 3
    np.testing.assert_allclose(parts.shift, whole.shift, atol=0.2)


def test_a_file_is_followed_in_parts(talk: np.ndarray, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr("ser_core.serving.stream_command.PART_SECONDS", 1.0)
    whole = np.int16(32767 * talk[: 8 * 16_000])
    soundfile.write(tmp_path / "talk.wav", whole, 16_000)
    data = (tmp_path / "talk.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    arguments = ["--checkpoint", "lr0.01-ELU-1D", "--hop", "1", "--format", "json"]
    follow([str(tmp_path / "talk.wav"), *arguments])
    lines = capsys.readouterr().out.splitlines()
    follow([str(tmp_path / "cut.wav"), *arguments])
    cut = capsys.readouterr()
    assert [json.loads(line)["end"] for line in lines] == list(range(1, 9))
    assert cut.out.splitlines()[:3] == lines[:3]
    assert cut.err.startswith(f"warning: {tmp_path / 'cut.wav'}: The recording breaks off at 4.0 s")


def test_what_is_known_so_far_is_told_and_ends_as_the_answer(predictor: Predictor, talk: np.ndarray):
    following = predictor.follow(talk)
    with pytest.raises(NoSpeechError):
        following.answer()
    steps = iter(following)
    first = next(steps)
    assert 0 < first < 60
    assert following.n_pieces == len([window for window in following.timeline() if window.prediction]) == 8
    assert "average over 8 windows" in following.answer().warnings[-1]
    assert [first, *steps][-1] == following.seconds == 60
    assert following.answer() == predictor.classify(talk)
    pieces = [window.prediction.probabilities for window in following.timeline() if window.prediction]
    average = np.mean([list(one.values()) for one in pieces], axis=0)
    np.testing.assert_allclose(average, list(following.answer().probabilities.values()), atol=1e-6)


def test_the_timeline_of_the_pieces_says_where_nobody_speaks(predictor: Predictor, talk: np.ndarray):
    silent = np.zeros(4 * 16_000, np.float32)
    following = predictor.follow(np.concatenate([silent, talk[: 10 * 16_000], silent, talk[: 10 * 16_000], silent]))
    for _ in following:
        pass
    pauses = [one for one in following.timeline() if one.prediction is None and one.end - one.start > 3]
    assert len(pauses) == 3
    for pause, (start, end) in zip(pauses, ((0, 4), (14, 18), (28, 32)), strict=True):
        assert pause.start <= start + 0.1
        assert pause.end >= end - 0.1
    for window in following.timeline():
        assert 0 <= window.start < window.end <= 32
        assert not (window.prediction and window.start < 15.5 < window.end)
