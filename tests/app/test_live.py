"""The Live page, with the connection replaced: its states, its downloads, and what it says when something is wrong."""

import csv
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from streamlit.testing.v1 import AppTest

from benchmarks.non_speech import sounds
from ser_app import microphone, page_scripts, utterances_view
from ser_app.microphone import ICE_VARIABLE, PROBLEMS, ice_servers, samples_of
from ser_app.navigation import LISTENER
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.errors import ConfigError
from ser_core.serving import listener as module
from ser_core.serving.listener import Listener
from ser_core.serving.prediction import UNSURE
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import TIMELINE_COLUMNS, UTTERANCE_COLUMNS, utterance_row
from tests.app.helpers import Connection, answer_of, labelled, place_of, texts
from tests.listening import feed

LIVE = "pages/live.py"
OpenPage = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def known_answers(two_checkpoints: Path) -> None:
    """The default checkpoint hears happiness in all speech, and `sad` sadness."""


@pytest.fixture
def speech(corpus) -> np.ndarray:
    clip = load_audio(corpus.folder / "1001_DFA_ANG_XX.wav")
    return np.concatenate((np.zeros(8000, np.float32), clip))


def listener_of(app: AppTest) -> Listener:
    return app.session_state[LISTENER]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page offers to download, by name."""
    offers: dict[str, Any] = {}
    monkeypatch.setattr(
        "streamlit.download_button", lambda label, data, name, *_, **__: offers.update({name: data}) or False
    )
    return offers


def start(app: AppTest) -> None:
    """Press the button, and draw what is there once the connection stands."""
    button(app, "Start listening").click().run()
    rerun(app)


def rerun(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def test_at_first_it_says_what_to_do(open_page: OpenPage, connection: Connection):
    app = open_page(LIVE)
    assert "Press **Start listening**" in texts(app)
    assert answer_of(app) is None


def test_an_utterance_is_shown_and_stays_dimmed_until_the_next(
    open_page: OpenPage, connection: Connection, speech: np.ndarray
):
    app = open_page(LIVE)
    start(app)
    assert (answer_of(app).label, answer_of(app).detail) == ("Listening…", "Say something.")
    feed(listener_of(app), speech)
    rerun(app)
    answer = answer_of(app)
    assert (answer.label, answer.detail, answer.over) == ("Happiness", "model score 80\u00a0%", False)
    assert answer.when.startswith("Now, since 0.")
    is_worth, over_time = (
        next(caption for caption in app.caption if part in caption.value)
        for part in ("  \nHow often this model is right isn't recorded.", "Emotion over time")
    )
    assert place_of(app, is_worth) < place_of(app, over_time)  # in the card
    assert "happiness 80\u00a0%" in "".join(drawing.proto.body for drawing in app.get("html"))
    feed(listener_of(app), np.zeros(4 * SAMPLE_RATE, np.float32))
    rerun(app)
    over = answer_of(app)
    assert (over.label, over.detail, over.over) == ("Happiness", "model score 80\u00a0%", True)
    assert re.fullmatch(r"0\.\d to 2\.\d s \(\d\.\d s\), [45] s ago", over.when)
    assert "Listening: it is quiet." in texts(app)
    assert not app.warning
    feed(listener_of(app), speech)
    rerun(app)
    assert (answer_of(app).over, len(listener_of(app).look().utterances)) == (False, 2)
    assert "utterances" in "".join(drawing.proto.body for drawing in app.get("html"))


def test_label_and_timeline_come_first(open_page: OpenPage, connection: Connection, speech: np.ndarray):
    app = open_page(LIVE)
    start(app)
    drawings = [drawing.proto.body for drawing in app.get("html")]
    assert 'class="utterance"' in drawings[0]
    assert "Emotion over time" in drawings[1]


def test_loud_sound_is_never_said_to_be_no_voice(open_page: OpenPage, connection: Connection, speech: np.ndarray):
    """At its first sound, before enough of a voice was heard; and as long as it lasts."""
    app = open_page(LIVE)
    start(app)
    loud = speech * 10 ** (-16 / 20) / np.sqrt(np.mean(np.square(speech[np.abs(speech) > 0.01])))
    for end in range(SAMPLE_RATE // 5, 2 * SAMPLE_RATE, SAMPLE_RATE // 5):
        feed(listener_of(app), loud[end - SAMPLE_RATE // 5 : end].clip(-1, 1), size=SAMPLE_RATE // 5)
        rerun(app)
        said = f"{texts(app)} {answer_of(app)}".replace("in gaps no voice is recognised", "")
        assert "no voice" not in said
        assert listener_of(app).look().level_dbfs < -40 or "quiet" not in said


def test_where_no_emotion_is_likely_enough_it_is_unsure(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, offered: dict[str, Any]
):
    app = open_page(LIVE)
    app.toggle(key="keep").set_value(True)
    labelled(app.slider, "Answer only from").set_value(85).run()
    start(app)
    feed(listener_of(app), speech)
    rerun(app)
    assert answer_of(app)[:2] == ("Unsure", "perhaps happiness, model score 80\u00a0%")
    assert "Unsure: no emotion reaches 85\u00a0%" in texts(app)
    button(app, "Stop listening").click().run()
    assert {row["answer"] for row in json.loads(offered["live-timeline.json"])} == {None, UNSURE}
    assert [row["answer"] for row in json.loads(offered["live-utterances.json"])] == [UNSURE]
    button(app, "Classify all of it again").click().run()
    assert "glad is **unsure** (perhaps happiness, model score 80\u00a0%)" in texts(app)
    labelled(app.slider, "Answer only from").set_value(75).run()
    assert {row["answer"] for row in json.loads(offered["live-timeline.json"])} == {None, "HAP"}
    assert [row["answer"] for row in json.loads(offered["live-utterances.json"])] == ["HAP"]


def test_music_is_nobody(open_page: OpenPage, connection: Connection):
    app = open_page(LIVE)
    start(app)
    music = next(sound for kind, _, sound in sounds() if kind == "music")
    feed(listener_of(app), music)
    rerun(app)
    assert answer_of(app).label == "Listening…"
    assert "Listening: there is sound, and a voice is looked for in it." in texts(app)


def test_pause_and_clear(open_page: OpenPage, connection: Connection, speech: np.ndarray):
    app = open_page(LIVE)
    start(app)
    feed(listener_of(app), speech)
    app.toggle(key="pause").set_value(True).run()
    assert answer_of(app).over
    assert "Paused: nothing is heard until you go on." in texts(app)
    assert listener_of(app).paused
    app.toggle(key="pause").set_value(False).run()
    assert not listener_of(app).paused
    button(app, "Clear").click().run()
    assert listener_of(app).look().rows == ()


def test_after_stopping_the_session_is_downloaded_and_classified_again(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, offered: dict[str, Any]
):
    app = open_page(LIVE)
    app.toggle(key="keep").set_value(True).run()
    start(app)
    feed(listener_of(app), speech)
    button(app, "Stop listening").click().run()
    assert not connection.playing
    assert answer_of(app) is None
    assert "This session, 3 s" in texts(app)
    assert "the answer to each utterance as a whole stands in the table above" in texts(app)
    rows = list(csv.DictReader(io.StringIO(offered["live-timeline.csv"])))
    assert tuple(rows[0]) == TIMELINE_COLUMNS
    assert [row["emotion"] for row in json.loads(offered["live-timeline.json"])][-1] == rows[-1]["emotion"] == "HAP"
    table = list(csv.DictReader(io.StringIO(offered["live-utterances.csv"])))
    assert tuple(table[0]) == UTTERANCE_COLUMNS
    assert [row["answer"] for row in json.loads(offered["live-utterances.json"])] == [table[0]["answer"]] == ["HAP"]
    audio, rate = soundfile.read(io.BytesIO(offered["live-session.wav"]), dtype="float32")
    assert rate == 16_000
    np.testing.assert_allclose(audio, speech, atol=1e-3)
    button(app, "Classify all of it again").click().run()
    assert "As one recording, glad hears **happiness** (model score 80\u00a0%)" in texts(app)


def test_without_keeping_it_no_audio_is_offered(open_page: OpenPage, connection: Connection, speech: np.ndarray):
    app = open_page(LIVE)
    start(app)
    feed(listener_of(app), speech)
    button(app, "Stop listening").click().run()
    assert "The audio was not kept" in texts(app)
    assert not app.get("audio")


def test_a_connection_without_sound_is_noticed_and_made_again(
    open_page: OpenPage, connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    app = open_page(LIVE)
    start(app)
    assert not app.warning
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 10))
    rerun(app)
    assert "no sound comes through it" in texts(app)
    connection.wanted.clear()
    button(app, "Connect again").click().run()
    assert connection.wanted == [True, False, True]
    assert connection.playing
    rerun(app)
    assert not app.warning


def test_a_connection_that_fails_or_ends_is_not_tried_for_ever(
    open_page: OpenPage, connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    app = open_page(LIVE)
    connection.fails = True
    button(app, "Start listening").click().run()
    assert "Connecting…" in texts(app)
    connection.signalling = False
    rerun(app)
    assert "The connection to the microphone ended, or none was made" in texts(app)
    assert connection.wanted[-1] is False
    connection.fails = False
    start(app)
    assert connection.playing
    assert not app.warning
    connection.ends = True
    rerun(app)
    connection.ends = False
    assert "The connection to the microphone ended, or none was made" in texts(app)
    # Refused: streamlit-webrtc's state says nothing of it.
    connection.refused = True
    button(app, "Start listening").click().run()
    assert "Connecting…" in texts(app)
    monkeypatch.setattr("time.monotonic", lambda later=time.monotonic() + 60: later)
    rerun(app)
    assert "The connection to the microphone ended, or none was made" in texts(app)
    assert connection.wanted[-1] is False


def test_settings_reach_the_listener(open_page: OpenPage, connection: Connection, speech: np.ndarray):
    app = open_page(LIVE)
    app.slider[0].set_value(1.5).run()
    app.slider[1].set_value(0.0).run()
    heard = feed(listener_of(app), speech)
    assert len(heard.window) == 1.5 * SAMPLE_RATE
    assert heard.newest.smoothed["HAP"] == pytest.approx(0.8, abs=0.01)
    app.selectbox(key="model").set_value("sad").run()
    heard = feed(listener_of(app), speech[-SAMPLE_RATE:])
    assert heard.newest.prediction.checkpoint == "sad"
    assert heard.newest.smoothed == pytest.approx(heard.newest.prediction.probabilities)  # nothing of before


def test_another_page_leaves_the_session_as_it_is_and_closes_the_microphone(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, offered: dict[str, Any]
):
    app = open_page(LIVE)
    app.toggle(key="keep").set_value(True).run()
    start(app)
    feed(listener_of(app), speech)
    before = listener_of(app)
    app.switch_page("pages/classify.py").run()
    connection.playing = False  # the browser closes it with its page
    connection.wanted.clear()
    app.switch_page(LIVE).run()
    assert connection.wanted == [False]
    assert listener_of(app) is before
    assert app.toggle(key="keep").value
    assert "This session, 3 s" in texts(app)
    assert [row["answer"] for row in json.loads(offered["live-utterances.json"])] == ["HAP"]
    assert len(offered["live-session.wav"]) > 2 * len(speech)


def test_the_browser_asks_before_a_session_is_lost(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    asks: list[bool] = []
    monkeypatch.setattr(page_scripts, "_ask", lambda **arguments: asks.append(arguments["data"]["asks"]))
    app = open_page(LIVE)
    assert asks.pop() is False
    start(app)
    assert asks.pop() is True
    feed(listener_of(app), speech)
    button(app, "Stop listening").click().run()
    assert asks.pop() is True
    button(app, "Clear").click().run()
    assert asks.pop() is False


def test_a_settled_label_is_announced_once(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    announced: list[str] = []
    monkeypatch.setattr(page_scripts, "_say", lambda **arguments: announced.append(arguments["data"]["text"]))
    app = open_page(LIVE)
    start(app)
    assert set(announced) == {""}
    feed(listener_of(app), speech)
    rerun(app)
    feed(listener_of(app), np.zeros(2 * SAMPLE_RATE, np.float32))
    rerun(app)
    assert announced[-1] == announced[-2] == "Happiness, at 1 s"


def test_an_utterance_whose_sound_was_kept_can_be_played(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    played: list[int] = []
    monkeypatch.setattr(utterances_view, "play", lambda audio: played.append(len(audio)))
    listener = Listener(Predictor.load(), keep_audio=True)
    feed(listener, speech)
    (utterance,) = listener.look().utterances
    utterances_view.show_sound_of(listener, utterance_row(utterance, 0.4))
    assert played == [pytest.approx((utterance.seconds + 2 * utterances_view.LEAD_SECONDS) * SAMPLE_RATE, abs=3200)]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_keeps_a_browser_from_sending_sound_is_said(
    open_page: OpenPage, connection: Connection, problem: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(microphone, "_check", lambda **_: SimpleNamespace(problem=problem))
    app = open_page(LIVE)
    assert PROBLEMS[problem] in texts(app)
    connection.refused = True
    button(app, "Start listening").click().run()
    assert connection.wanted[-1] is False  # it isn't tried for ever
    assert "Classify a recording" in [link.proto.label for link in app.get("page_link")]


def test_plain_http_from_another_machine_is_noticed_by_its_address():
    assert microphone._is_plain_http("http://192.168.1.7:8501/live")
    for url in ("http://localhost:8501/live", "http://127.0.0.1/live", "https://ser.example.org/live", "", None):
        assert not microphone._is_plain_http(url)


def test_packed_stereo_is_taken_apart():
    left, right = np.arange(960, dtype=np.int16), -np.arange(960, dtype=np.int16)
    packed = np.stack((left, right), axis=1).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="stereo")
    assert frame.to_ndarray().shape == (1, 1920)
    np.testing.assert_array_equal(samples_of(frame), [left, right])
    planar = av.AudioFrame.from_ndarray(np.stack((left, right)), format="s16p", layout="stereo")
    np.testing.assert_array_equal(samples_of(planar), [left, right])
    mono = av.AudioFrame.from_ndarray(left[None], format="s16", layout="mono")
    np.testing.assert_array_equal(samples_of(mono), [left])


def test_stun_and_turn_come_from_a_setting(monkeypatch: pytest.MonkeyPatch):
    assert ice_servers() == []
    servers = [{"urls": "turn:turn.example.org", "username": "u", "credential": "c"}]
    monkeypatch.setenv(ICE_VARIABLE, json.dumps(servers))
    assert ice_servers() == servers
    for wrong in ("turn:turn.example.org", "{}", '[{"url": "x"}]'):
        monkeypatch.setenv(ICE_VARIABLE, wrong)
        with pytest.raises(ConfigError, match=ICE_VARIABLE):
            ice_servers()
