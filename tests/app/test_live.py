"""The Live page, with the connection replaced: its states, its downloads, and what it says when something is wrong."""

import csv
import io
import json
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
from ser_app import microphone
from ser_app.microphone import ICE_VARIABLE, PROBLEMS, ice_servers, samples_of
from ser_app.navigation import LISTENER
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.errors import ConfigError
from ser_core.serving import listener as module
from ser_core.serving.listener import Listener
from ser_core.serving.prediction import UNSURE
from ser_core.serving.rows import TIMELINE_COLUMNS
from tests.app.helpers import Connection, labelled, texts
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


def rerun(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def test_at_first_it_says_what_to_do(open_page: OpenPage, connection: Connection):
    app = open_page(LIVE)
    assert "Press **Start listening**" in texts(app)
    assert not app.metric


def test_while_it_listens_it_shows_the_emotion_and_then_silence(
    open_page: OpenPage, connection: Connection, speech: np.ndarray
):
    app = open_page(LIVE)
    connection.playing = True
    rerun(app)
    assert app.metric[0].value == "Listening…"
    assert "Say something." in texts(app)
    feed(listener_of(app), speech)
    rerun(app)
    assert app.metric[0].value == "Happiness"
    assert app.metric[0].delta == "model score 80%"
    assert ["Emotion over time" in drawing.proto.body for drawing in app.get("html")] == [False, False, True, False]
    assert "happiness 80%" in app.get("html")[0].proto.body
    feed(listener_of(app), np.zeros(2 * 16_000, np.float32))
    rerun(app)
    assert app.metric[0].value == "Listening…"
    assert "Last heard: happiness (model score 80%)" in texts(app)
    assert not app.warning


def test_where_no_emotion_is_likely_enough_it_is_unsure(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    offered: dict[str, Any] = {}
    monkeypatch.setattr(
        "streamlit.download_button", lambda label, data, name, *_, **__: offered.update({name: data}) or False
    )
    app = open_page(LIVE)
    app.toggle[0].set_value(True)
    labelled(app.slider, "Answer only from").set_value(85).run()
    connection.playing = True
    rerun(app)
    feed(listener_of(app), speech)
    rerun(app)
    assert (app.metric[0].value, app.metric[0].delta) == ("Unsure", "perhaps happiness, model score 80%")
    assert "Unsure: no emotion reaches 85%" in texts(app)
    feed(listener_of(app), np.zeros(2 * 16_000, np.float32))
    rerun(app)
    assert "Last heard: unsure (perhaps happiness, model score 80%)" in texts(app)
    connection.playing = False
    rerun(app)
    assert {row["answer"] for row in json.loads(offered["live-timeline.json"])} == {None, UNSURE}
    button(app, "Classify all of it again").click().run()
    assert "glad is **unsure** (perhaps happiness, model score 80%)" in texts(app)
    labelled(app.slider, "Answer only from").set_value(75).run()
    assert {row["answer"] for row in json.loads(offered["live-timeline.json"])} == {None, "HAP"}


def test_music_is_nobody(open_page: OpenPage, connection: Connection):
    app = open_page(LIVE)
    connection.playing = True
    rerun(app)
    music = next(sound for kind, _, sound in sounds() if kind == "music")
    feed(listener_of(app), music)
    rerun(app)
    assert (app.metric[0].value, app.metric[0].delta) == ("Listening…", "no voice")


def test_pause_and_clear(open_page: OpenPage, connection: Connection, speech: np.ndarray):
    app = open_page(LIVE)
    connection.playing = True
    rerun(app)
    feed(listener_of(app), speech)
    app.toggle(key="pause").set_value(True).run()
    assert app.metric[0].value == "Paused"
    assert listener_of(app).paused
    app.toggle(key="pause").set_value(False).run()
    assert not listener_of(app).paused
    button(app, "Clear").click().run()
    assert listener_of(app).look().rows == ()


def test_after_stopping_the_session_is_downloaded_and_classified_again(
    open_page: OpenPage, connection: Connection, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    offered: dict[str, Any] = {}
    monkeypatch.setattr(
        "streamlit.download_button", lambda label, data, name, *_, **__: offered.update({name: data}) or False
    )
    app = open_page(LIVE)
    app.toggle[0].set_value(True).run()
    connection.playing = True
    rerun(app)
    feed(listener_of(app), speech)
    connection.playing = False
    rerun(app)
    assert not app.metric
    assert "This session, 3 s" in texts(app)
    rows = list(csv.DictReader(io.StringIO(offered["live-timeline.csv"])))
    assert tuple(rows[0]) == TIMELINE_COLUMNS
    assert [row["emotion"] for row in json.loads(offered["live-timeline.json"])][-1] == rows[-1]["emotion"] == "HAP"
    audio, rate = soundfile.read(io.BytesIO(offered["live-session.wav"]), dtype="float32")
    assert rate == 16_000
    np.testing.assert_allclose(audio, speech, atol=1e-3)
    button(app, "Classify all of it again").click().run()
    assert "As one recording, glad hears **happiness** (model score 80%)" in texts(app)


def test_without_keeping_it_no_audio_is_offered(open_page: OpenPage, connection: Connection, speech: np.ndarray):
    app = open_page(LIVE)
    connection.playing = True
    rerun(app)
    feed(listener_of(app), speech)
    connection.playing = False
    rerun(app)
    assert "The audio was not kept" in texts(app)
    assert not app.get("audio")


def test_a_connection_without_sound_is_noticed_and_made_again(
    open_page: OpenPage, connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    app = open_page(LIVE)
    connection.playing = True
    rerun(app)
    assert not app.warning
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 10))
    rerun(app)
    assert "no sound comes through it" in texts(app)
    connection.wanted.clear()
    button(app, "Connect again").click().run()
    assert [wanted for wanted in connection.wanted if wanted is not None] == [False, True]
    assert connection.playing
    assert not app.warning
    rerun(app)
    assert connection.wanted[-1] is None


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


def test_another_page_forgets_what_was_heard(open_page: OpenPage, connection: Connection):
    app = open_page(LIVE)
    assert LISTENER in app.session_state
    app.switch_page("pages/classify.py").run()
    assert LISTENER not in app.session_state


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_keeps_a_browser_from_sending_sound_is_said(
    open_page: OpenPage, connection: Connection, problem: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(microphone, "_check", lambda **_: SimpleNamespace(problem=problem))
    app = open_page(LIVE)
    assert PROBLEMS[problem] in texts(app)
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
