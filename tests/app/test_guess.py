"""Guess yourself: a round from its start to the scores, with nothing given away before."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_core.analysis.guessing import crowd_is_right, rater_is_right, round_clips
from tests.app.helpers import labelled, texts
from tests.sounds import write_sounds

GUESS, NUMBER = "pages/guess.py", 7
CLIPS = round_clips(NUMBER)


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A corpus of the round's clips, in which nobody speaks."""
    return write_sounds(tmp_path / "clips", *(f"{clip.name}.wav" for clip in CLIPS))


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


def test_a_round_is_played_and_everybody_is_scored(
    open_page: Callable[..., AppTest], two_checkpoints: Path, sounds: Path
):
    app = open_page(GUESS, corpus=sounds, round=str(NUMBER))
    assert not app.get("audio")  # before anything was pressed
    press(app, "start")
    for i, clip in enumerate(CLIPS):
        (player,) = app.get("audio")
        assert player.proto.autoplay
        assert clip.text in texts(app)
        assert clip.name not in texts(app) + player.proto.alt + player.proto.url
        press(app, f"guess-{clip.emotion if i < 6 else 'NEU'}")
    right = 6 + sum(clip.emotion == "NEU" for clip in CLIPS[6:])
    happy = sum(clip.emotion == "HAP" for clip in CLIPS)
    assert {metric.label: metric.value for metric in app.metric} == {
        "You": f"{right} of 10",
        "Most raters": f"{sum(map(crowd_is_right, CLIPS)):g} of 10",
        "One rater, on average": f"{sum(map(rater_is_right, CLIPS)):.1f} of 10",
        "Model": f"{happy} of 10",
    }
    players = app.get("audio")
    assert len(players) == 10
    assert not any(player.proto.autoplay for player in players)
    press(app, "same")
    assert "Clip 1 of 10" in texts(app)
    assert app.query_params["round"] == str(NUMBER)


def test_a_clip_that_cannot_be_fetched_is_left_out_and_not_named(
    open_page: Callable[..., AppTest], two_checkpoints: Path, sounds: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CREMAD_MIRRORS", "http://127.0.0.1:9/")
    (sounds / f"{CLIPS[0].name}.wav").unlink()
    app = press(open_page(GUESS, corpus=sounds, round=str(NUMBER)), "start")
    assert "can't be fetched now" in texts(app)
    assert CLIPS[0].name not in texts(app)
    press(press(app, "again"), "leave-out")
    for _ in CLIPS[1:]:
        press(app, "guess-ANG")
    assert labelled(app.metric, "You").value == f"{sum(clip.emotion == 'ANG' for clip in CLIPS[1:])} of 9"
    assert "You: left out" in texts(app)


def test_a_round_of_which_no_clip_could_be_fetched_has_no_score(
    open_page: Callable[..., AppTest], two_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CREMAD_MIRRORS", "http://127.0.0.1:9/")
    app = press(open_page(GUESS, round=str(NUMBER)), "start")
    for _ in CLIPS:
        press(app, "leave-out")
    assert "No clip could be fetched, so there is no score." in texts(app)
    assert not app.metric
    assert texts(app).count("You: left out") == len(CLIPS)


def test_a_press_that_comes_twice_answers_one_clip(
    open_page: Callable[..., AppTest], two_checkpoints: Path, sounds: Path
):
    app = press(open_page(GUESS, corpus=sounds, round=str(NUMBER)), "start")
    app.session_state["guess"] = (NUMBER, ("ANG",))  # as after the first press, of which the page knows nothing yet
    press(app, "guess-ANG")
    assert "Clip 2 of 10" in texts(app)


def test_a_round_begins_by_a_press_and_another_address_is_a_sentence(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CREMAD_MIRRORS", "http://127.0.0.1:9/")
    app = open_page(GUESS, round="ten")
    assert "There is no round ten" in app.error[0].value
    press(app, "start")
    assert 1 <= int(app.query_params["round"]) <= 9999
    assert "Clip 1 of 10" in texts(app)
