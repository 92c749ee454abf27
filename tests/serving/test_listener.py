"""A listener: fed from anywhere, looked at any time, and gone by itself."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.emotions import EMOTIONS
from ser_core.errors import SERError
from ser_core.serving import listener as module
from ser_core.serving import stream as stream_module
from ser_core.serving.listener import SILENCE_DBFS, Listener
from ser_core.serving.prediction import Prediction
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import TIMELINE_COLUMNS, stream_row
from ser_core.serving.stream import SpeechStream, StreamConfig, blocks
from tests.listening import PATIENCE_SECONDS, feed, wait_for


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load("lr0.001-SiLU-2D")


@pytest.fixture(scope="module")
def speech(corpus) -> np.ndarray:
    clip = load_audio(corpus.folder / "1001_DFA_ANG_XX.wav")
    return np.concatenate((clip, np.zeros(2 * SAMPLE_RATE, np.float32)))


def test_it_hears_what_a_stream_hears(predictor: Predictor, speech: np.ndarray):
    heard = feed(Listener(predictor), speech)
    audio = (speech * 32767).astype(np.int16).astype(np.float32) / 32768
    expected = [stream_row(prediction) for prediction in SpeechStream(predictor).push(audio, SAMPLE_RATE)]
    assert len(heard.rows) == len(expected)
    for row, other in zip(heard.rows, expected, strict=True):
        assert (row["end"], row["emotion"]) == (other["end"], other["emotion"])
        for emotion in EMOTIONS:
            assert row[emotion] == pytest.approx(other[emotion], abs=1e-3)
    assert set(heard.rows[0]) == set(TIMELINE_COLUMNS)
    assert any(row["emotion"] for row in heard.rows)
    assert heard.rows[-1]["emotion"] is None
    assert heard.newest.end == heard.rows[-1]["end"]


def test_utterances_end_with_a_pause_and_with_a_part(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor)
    (utterance,) = feed(listener, speech).utterances
    assert utterance.ended
    assert 0 < utterance.start < utterance.end < len(speech) / SAMPLE_RATE - 1.5
    listener.pause(True)
    listener.pause(False)
    assert len(feed(listener, speech[: 2 * SAMPLE_RATE]).utterances) == 2
    listener.expect()  # while somebody speaks
    _, second, third = feed(listener, speech).utterances
    assert second.ended
    assert second.end < third.start
    listener.clear()
    assert listener.look().utterances == ()


def test_the_sound_of_a_moment_is_found_wherever_keeping_began(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor)
    feed(listener, speech[:SAMPLE_RATE])
    listener.keep_audio = True
    feed(listener, speech[SAMPLE_RATE : 3 * SAMPLE_RATE])
    heard = listener.audio(1.25, 2.5)
    np.testing.assert_allclose(heard, speech[SAMPLE_RATE * 5 // 4 : SAMPLE_RATE * 5 // 2], atol=1e-4)
    assert len(listener.audio(0.5, 1.5)) == SAMPLE_RATE // 2
    assert len(listener.audio(0.0, 1.0)) == len(listener.audio(4.0, 5.0)) == 0
    assert len(listener.audio(-1.0)) == 2 * SAMPLE_RATE


def test_stereo_integers_at_48_khz_are_heard_as_sound(predictor: Predictor):
    listener = Listener(predictor)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    for block in blocks(np.stack([tone * 32767] * 2).astype(np.int16), 960):
        listener.feed(block, 48_000)
    heard = wait_for(listener, lambda heard: heard.seconds > 0.95)
    assert heard.level_dbfs == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    assert heard.peak == pytest.approx(0.5, abs=0.01)


def test_an_unfed_listener_has_nothing_to_say(predictor: Predictor):
    heard = Listener(predictor).look()
    assert (heard.seconds, heard.level_dbfs, heard.peak, heard.newest, heard.rows) == (0, SILENCE_DBFS, 0, None, ())


def test_feeding_returns_at_once_and_loses_no_audio_when_classifying_is_slow(
    predictor: Predictor, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ser_core.serving.stream.classify_window", lambda *_: time.sleep(0.2))
    listener = Listener(predictor, keep_audio=True)
    audio = np.tile(speech, 3)
    started = time.monotonic()
    for block in blocks((audio * 32767).astype(np.int16)[None], 320):
        listener.feed(block, SAMPLE_RATE)
    assert time.monotonic() - started < 0.5
    heard = wait_for(listener, lambda heard: heard.backlog_seconds < 0.001)
    assert heard.seconds == pytest.approx(len(audio) / SAMPLE_RATE)
    assert 1 <= len(heard.rows) < heard.seconds / 0.5
    np.testing.assert_allclose(listener.audio(), audio, atol=1e-4)


def test_audio_is_kept_only_when_asked(predictor: Predictor, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    listener = Listener(predictor)
    feed(listener, speech[:SAMPLE_RATE])
    assert len(listener.audio()) == 0
    listener.keep_audio = True
    monkeypatch.setattr(module, "MAX_KEPT_SECONDS", 2)
    heard = feed(listener, speech[: 3 * SAMPLE_RATE], size=SAMPLE_RATE // 4)
    assert heard.kept_seconds == pytest.approx(1, abs=0.25)
    np.testing.assert_allclose(listener.audio(), speech[: len(listener.audio())], atol=1e-4)


def test_a_pause_hears_nothing_and_time_stands_still(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor)
    before = feed(listener, speech[: 2 * SAMPLE_RATE])
    listener.pause(True)
    for block in blocks(speech[: 2 * SAMPLE_RATE], 320):
        listener.feed(block, SAMPLE_RATE)
    time.sleep(0.2)
    assert listener.look().seconds == before.seconds
    assert listener.look().waited < 1
    assert listener.look().newest is None
    listener.pause(False)
    after = feed(listener, np.zeros(SAMPLE_RATE, np.float32))
    assert after.seconds == before.seconds + 1
    assert after.newest.prediction is None


def test_clear_begins_anew(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor, keep_audio=True)
    feed(listener, speech)
    listener.clear()
    heard = listener.look()
    assert (heard.seconds, heard.rows, heard.newest, heard.kept_seconds) == (0, (), None, 0)
    assert feed(listener, speech[:SAMPLE_RATE]).rows[0]["end"] == 0.5


def test_settings_change_while_it_listens(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor)
    feed(listener, speech[: 2 * SAMPLE_RATE])
    other = Predictor.load("lr0.01-ELU-1D")
    listener.configure(other, StreamConfig(window_seconds=1))
    heard = feed(listener, speech[SAMPLE_RATE : 2 * SAMPLE_RATE])
    assert heard.seconds == 3
    assert len(heard.window) == SAMPLE_RATE
    assert heard.newest.prediction.checkpoint == "lr0.01-ELU-1D"


def test_bad_blocks_are_a_sentence_and_listening_goes_on(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor)
    listener.feed(np.full((1, 320), np.nan, np.float32), SAMPLE_RATE)
    assert "not numbers" in wait_for(listener, lambda heard: heard.error is not None).error
    heard = feed(listener, speech)
    assert heard.rows[-1]["end"] > 3
    assert heard.error is None  # it goes away with the next block that is heard well


class Classifying:
    """Stands in for `classify_window`: waits until it may go on, and can fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.original = stream_module.classify_window
        monkeypatch.setattr(stream_module, "classify_window", self)

    def __call__(self, *arguments) -> Prediction | None:
        self.begun.set()
        assert self.may_end.wait(PATIENCE_SECONDS)
        if self.error:
            raise self.error
        return self.original(*arguments)


@pytest.fixture
def classifying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Classifying]:
    classifying = Classifying(monkeypatch)
    yield classifying
    classifying.may_end.set()


def test_nobody_waits_for_the_classifying(predictor: Predictor, speech: np.ndarray, classifying: Classifying):
    """While one window is classified, everything else that a page does is done at once."""
    listener = Listener(predictor, keep_audio=True)
    listener.feed(speech[:SAMPLE_RATE], SAMPLE_RATE)
    assert classifying.begun.wait(PATIENCE_SECONDS)
    done = threading.Event()

    def use_it() -> None:
        assert listener.look().seconds == 1
        assert len(listener.audio()) == SAMPLE_RATE
        listener.feed(speech[:320], SAMPLE_RATE)
        listener.configure(predictor, StreamConfig(window_seconds=2))
        listener.pause(True)
        listener.pause(False)
        listener.expect()
        listener.clear()
        assert listener.look().seconds == 0
        done.set()

    threading.Thread(target=use_it, daemon=True).start()
    assert done.wait(5)


def test_what_is_in_flight_when_it_is_cleared_does_not_come_back(
    predictor: Predictor, speech: np.ndarray, classifying: Classifying
):
    listener = Listener(predictor, keep_audio=True)
    listener.feed(speech[:SAMPLE_RATE], SAMPLE_RATE)
    assert classifying.begun.wait(PATIENCE_SECONDS)
    listener.feed(speech[:SAMPLE_RATE], SAMPLE_RATE)  # waits in the queue
    listener.clear()
    classifying.may_end.set()
    listener.feed(np.zeros(320, np.float32), SAMPLE_RATE)
    heard = wait_for(listener, lambda heard: heard.seconds > 0 and heard.backlog_seconds == 0)
    assert (heard.seconds, heard.rows, heard.newest, heard.kept_seconds) == (0.02, (), None, 0.02)


def test_a_block_that_was_taken_but_not_heard_is_cleared_too(predictor: Predictor, monkeypatch: pytest.MonkeyPatch):
    """The thread has it in hand, and clear comes before it is pushed into the stream."""
    listener = Listener(predictor)
    taken, may_go_on = threading.Event(), threading.Event()
    next_blocks = listener._next_blocks

    def slow() -> object:
        blocks = next_blocks()
        taken.set()
        assert may_go_on.wait(PATIENCE_SECONDS)
        return blocks

    monkeypatch.setattr(listener, "_next_blocks", slow)
    listener.feed(np.ones(SAMPLE_RATE, np.float32), SAMPLE_RATE)
    assert taken.wait(PATIENCE_SECONDS)
    listener.clear()
    may_go_on.set()
    listener.feed(np.zeros(320, np.float32), SAMPLE_RATE)
    heard = wait_for(listener, lambda heard: heard.seconds > 0 and heard.backlog_seconds == 0)
    assert (heard.seconds, heard.peak, heard.rows) == (0.02, 0, ())


def test_what_was_said_before_a_pause_is_in_the_timeline_but_not_now(
    predictor: Predictor, speech: np.ndarray, classifying: Classifying
):
    """A window that is classified as the pause begins; and what is fed afterwards begins a new one."""
    listener = Listener(predictor)
    listener.feed(speech[: 2 * SAMPLE_RATE], SAMPLE_RATE)
    assert classifying.begun.wait(PATIENCE_SECONDS)
    listener.pause(True)
    listener.pause(False)
    classifying.may_end.set()
    heard = wait_for(listener, lambda heard: heard.backlog_seconds == 0)
    assert [row["end"] for row in heard.rows] == [2]
    assert heard.rows[0]["emotion"]
    assert heard.newest is None
    listener.feed(speech[2 * SAMPLE_RATE :][: SAMPLE_RATE // 4], SAMPLE_RATE)
    assert len(wait_for(listener, lambda heard: heard.seconds > 2).window) == SAMPLE_RATE // 4


@pytest.mark.parametrize("error", [SERError("The model is gone."), RuntimeError("boom")], ids=repr)
def test_a_window_that_cannot_be_classified_is_an_error_until_one_can(
    error: Exception,
    predictor: Predictor,
    speech: np.ndarray,
    classifying: Classifying,
    caplog: pytest.LogCaptureFixture,
):
    listener = Listener(predictor)
    classifying.may_end.set()
    classifying.error = error
    heard = feed(listener, speech[: 2 * SAMPLE_RATE], size=SAMPLE_RATE // 4)
    assert str(error) in heard.error
    assert (heard.seconds, heard.rows, heard.newest) == (2, (), None)
    # Blocks between two windows are heard well: that doesn't hide it.
    assert str(error) in feed(listener, speech[2 * SAMPLE_RATE :][:320]).error
    logged = [record for record in caplog.records if record.exc_info]
    if isinstance(error, SERError):
        assert heard.error == str(error)
        assert not logged
    else:
        assert "RuntimeError" in heard.error
        assert [record.exc_info[1] for record in logged] == [error]  # once, though it happened four times
    classifying.error = None
    heard = feed(listener, speech[2 * SAMPLE_RATE :][: SAMPLE_RATE // 2])
    assert heard.error is None
    assert len(heard.rows) == 1


def test_a_block_of_a_strange_shape_is_an_error_that_goes_away(
    predictor: Predictor, speech: np.ndarray, caplog: pytest.LogCaptureFixture
):
    listener = Listener(predictor)
    listener.feed(np.array(["a", "b"]), SAMPLE_RATE)
    said = wait_for(listener, lambda heard: heard.error is not None).error
    assert said == "A block of a signal is [samples] or [channels, samples] of numbers, not (2,) of <U1."
    assert not caplog.records
    heard = feed(listener, speech[:SAMPLE_RATE])
    assert heard.error is None
    assert heard.seconds == 1


def test_a_thread_that_cannot_begin_says_so(predictor: Predictor, monkeypatch: pytest.MonkeyPatch):
    listener = Listener(predictor)
    monkeypatch.setattr("threadpoolctl.threadpool_limits", None)
    listener.feed(np.zeros(320, np.float32), SAMPLE_RATE)
    assert "TypeError" in wait_for(listener, lambda heard: heard.error is not None).error
    monkeypatch.undo()
    listener.feed(np.zeros(320, np.float32), SAMPLE_RATE)
    assert wait_for(listener, lambda heard: heard.seconds == pytest.approx(0.04)).error is None


def test_another_model_begins_its_own_smoothing(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor)
    feed(listener, speech[: 2 * SAMPLE_RATE])
    other, config = Predictor.load("lr0.01-ELU-1D"), StreamConfig(smoothing=0.9)
    for model, settings in ((other, StreamConfig()), (other, config)):
        listener.configure(model, settings)
        newest = feed(listener, speech[SAMPLE_RATE : 3 * SAMPLE_RATE // 2]).newest
        assert newest.smoothed == pytest.approx(newest.prediction.probabilities, abs=1e-6)
        listener.configure(model, settings)  # no other: a page says it at every run
        newest = feed(listener, speech[SAMPLE_RATE : 3 * SAMPLE_RATE // 2]).newest
        assert newest.smoothed != pytest.approx(newest.prediction.probabilities, abs=1e-6)


def test_the_thread_ends_when_nothing_comes_and_another_begins(
    predictor: Predictor, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.2)

    def threads() -> int:
        return sum(thread.name == "listener" for thread in threading.enumerate())

    others = threads()
    listener = Listener(predictor)
    assert threads() == others
    feed(listener, speech[:SAMPLE_RATE])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while threads() > others and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threads() <= others
    assert feed(listener, speech[:SAMPLE_RATE]).seconds == 2


def test_a_new_connection_is_waited_for_and_heard_apart(predictor: Predictor, speech: np.ndarray):
    listener = Listener(predictor)
    feed(listener, speech[: 2 * SAMPLE_RATE])
    time.sleep(0.3)
    assert listener.look().waited >= 0.3
    listener.expect()
    assert listener.look().waited < 0.3
    assert len(listener.look().window) == 0
    assert listener.look().rows
