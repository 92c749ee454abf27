"""Tune to my voice, on Classify and Live."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from ser_app.navigation import LISTENER
from ser_app.tuning import OWN, SENTENCES
from ser_core.audio import SAMPLE_RATE
from ser_core.audio.preprocess import load_audio
from ser_core.corpus.folder import Corpus
from ser_core.places import CHECKPOINTS_VARIABLE
from ser_core.serving.predictor import Predictor
from tests.app.helpers import Connection, labelled, set_source, texts
from tests.listening import feed

OpenPage = Callable[..., AppTest]
CLASSIFY, LIVE = "pages/classify.py", "pages/live.py"


@pytest.fixture
def adaptable(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(checkpoints))


def upload(app: AppTest, corpus: Corpus, names: list[str]) -> AppTest:
    app.file_uploader[0].set_value([(f"{n}.wav", corpus.path(n).read_bytes(), "audio/wav") for n in names]).run()
    assert not app.exception, app.exception
    return app


def test_answers_change_with_the_tuning_and_come_back(adaptable: None, open_page: OpenPage, corpus: Corpus, clips):
    names = [clip.name for clip in clips if not clip.defect][:4]
    app = upload(set_source(open_page(CLASSIFY), "upload"), corpus, names)
    before = app.dataframe[0].value["confidence"].tolist()
    labelled(app.button, "Tune to these 4 recordings").click().run()
    assert not app.exception
    assert "2d-fixed is tuned to 4 recordings." in texts(app)
    assert "Tuned to a voice (4 recordings)" in texts(app)
    assert set(app.dataframe[0].value["adapted_to"]) == {4}
    after = app.dataframe[0].value["confidence"].tolist()
    assert after != pytest.approx(before, abs=0.01)
    labelled(app.button, "Forget my voice").click().run()
    assert not app.exception
    assert "is tuned to" not in texts(app)
    assert "Tuned to" not in texts(app)
    assert app.dataframe[0].value["confidence"].tolist() == before


def test_what_was_read_and_what_was_chosen_take_each_others_place(
    adaptable: None, open_page: OpenPage, corpus: Corpus, clips, monkeypatch: pytest.MonkeyPatch
):
    names = [clip.name for clip in clips if not clip.defect][:3]
    app = upload(set_source(open_page(CLASSIFY), "upload"), corpus, names)
    app.session_state[OWN] = {text: load_audio(corpus.path(names[0])) for text in SENTENCES}
    app.run()
    assert "is tuned to 1 recording in a neutral voice." in texts(app)  # the same twice
    labelled(app.button, "Tune to these 3 recordings").click().run()
    assert "is tuned to 3 recordings." in texts(app)
    sound = BytesIO(corpus.path(names[1]).read_bytes())
    column = DeltaGenerator.audio_input
    monkeypatch.setattr(
        DeltaGenerator,
        "audio_input",
        lambda self, label, **of: sound if SENTENCES[1] in label else column(self, label, **of),
    )
    app.run()
    assert "is tuned to 1 recording in a neutral voice." in texts(app)
    assert list(app.session_state[OWN]) == [SENTENCES[1]]


def test_two_recordings_are_not_enough_to_offer(adaptable: None, open_page: OpenPage, corpus: Corpus, clips):
    app = upload(set_source(open_page(CLASSIFY), "upload"), corpus, [clip.name for clip in clips[:2]])
    assert not [button for button in app.button if button.label.startswith("Tune")]


def test_live_takes_the_voice_of_the_session(
    adaptable: None, open_page: OpenPage, connection: Connection, corpus: Corpus, clips
):
    app = open_page(LIVE)
    assert app.session_state[LISTENER]._stream.predictor.adaptation is None
    read = load_audio(corpus.path(clips[0]))
    app.session_state[OWN] = {SENTENCES[0]: read}
    app.run()
    assert not app.exception
    assert "2d-fixed is tuned to 1 recording in a neutral voice." in texts(app)
    neutral = Predictor.load("2d-fixed").adapt([read], sample_rate=SAMPLE_RATE, emotion="neutral")
    assert app.session_state[LISTENER]._stream.predictor.adaptation == neutral.adaptation
    assert app.session_state[LISTENER]._stream.predictor.adaptation.n_clips == 1
    feed(app.session_state[LISTENER], load_audio(corpus.path(clips[1])))
    connection.playing = True
    app.run()
    assert "Tuned to a voice (1 recording)" in texts(app)
    connection.playing = False
    app.run()
    assert "Tuned to a voice (1 recording)" in texts(app)
    assert {row["adapted_to"] for row in app.session_state[LISTENER].look().rows} == {1}
    first = app.session_state[LISTENER]._stream.predictor
    app.run()
    assert app.session_state[LISTENER]._stream.predictor is first  # or smoothing would begin anew


def test_a_checkpoint_that_cannot_be_tuned_says_so_and_answers(
    two_checkpoints: Path, open_page: OpenPage, corpus: Corpus, clips
):
    app = open_page(CLASSIFY)
    app.session_state[OWN] = {"read": load_audio(corpus.path(clips[0]))}
    upload(set_source(app, "upload"), corpus, [clips[1].name])
    assert "glad is not tuned. The checkpoint glad can't be adapted" in texts(app)
    assert app.metric[0].value == "Happiness"


def test_a_silent_reading_is_named(adaptable: None, open_page: OpenPage, corpus: Corpus, clips):
    app = open_page(CLASSIFY)
    audio = load_audio(corpus.path(clips[0]))
    app.session_state[OWN] = {"one": audio, "two": 0 * audio}
    app.run()
    assert "tuned to 1 recording." in texts(app)
    assert "No speech was found" in texts(app)
