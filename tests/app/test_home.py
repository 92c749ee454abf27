"""Home answers at once: to a clip, to a synthetic voice where there is no network, to one's own voice."""

import functools
import http.server
import re
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from ser_app import records
from ser_app.answers import worth, worth_briefly
from ser_app.try_view import CLIPS, MORE, RECORDED, TRIED
from ser_core.corpus.clips import find_clip
from ser_core.corpus.download import MIRRORS_VARIABLE
from ser_core.corpus.folder import Corpus
from ser_core.places import EVALUATIONS_VARIABLE
from ser_core.records.checkpoints import checkpoints_dir, default_checkpoint, load_config
from ser_core.words import percent
from tests.app.helpers import long_talk, overview_of, place_of, set_source, texts
from tests.made_records import evaluated

OpenPage = Callable[..., AppTest]
HOME = "streamlit_app.py"


def press(app: AppTest, name: str) -> AppTest:
    app.button(key=f"try-{name}").click().run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("name", CLIPS)
def test_every_rater_heard_what_was_meant_in_the_clips_that_are_offered(name: str):
    clip = find_clip(name)
    assert clip.voice.majority == (clip.emotion,)
    assert clip.voice.agreement == 1
    assert clip.report_split == "test"


def test_a_clip_is_answered_on_home(open_page: OpenPage, two_checkpoints: Path, corpus: Corpus):
    app = open_page(HOME, corpus=corpus.folder)
    assert not app.metric
    press(app, CLIPS[0])
    assert (app.metric[0].value, app.metric[0].delta) == ("Happiness", "model score 80\u00a0%")
    assert "The actor intended **anger**; 9 of 9 people who only heard it heard that, too." in texts(app)
    assert [audio.proto.autoplay for audio in app.get("audio")] == [True]
    assert "Open Database License)." in texts(app)  # all three are on this machine
    press(app, CLIPS[1])
    assert "The actor intended **happiness**" in texts(app)
    assert len(app.metric) == 1
    app.switch_page("pages/guess.py").run()
    app.switch_page(HOME).run()
    assert [audio.proto.autoplay for audio in app.get("audio")] == [False]  # nobody pressed anything


def test_the_answer_to_ones_own_voice_stands_above_the_clips_and_leads_on(
    open_page: OpenPage, two_checkpoints: Path, corpus: Corpus, clips, monkeypatch: pytest.MonkeyPatch
):
    said = [BytesIO(corpus.path(clips[0]).read_bytes())]
    recorder = DeltaGenerator.audio_input
    monkeypatch.setattr(
        DeltaGenerator,
        "audio_input",
        lambda self, label, **of: said[0] if of.get("key") == "home-recording" else recorder(self, label, **of),
    )
    app = open_page(HOME, corpus=corpus.folder)
    app.session_state[TRIED] = RECORDED
    app.run()
    assert not app.exception, app.exception
    assert (app.metric[0].label, app.metric[0].value) == ("In the recording, the model hears", "Happiness")
    assert place_of(app, app.metric[0]) < place_of(app, app.button(key=f"try-{CLIPS[0]}"))
    assert not [link for link in app.get("page_link") if link.proto.label == MORE]
    press(app, CLIPS[0])
    assert place_of(app, app.metric[0]) > place_of(app, app.button(key=f"try-{CLIPS[-1]}"))
    said[0] = BytesIO(long_talk(corpus, clips, 5))
    app.session_state[TRIED] = RECORDED
    app.run()
    (link,) = [link for link in app.get("page_link") if link.proto.label == MORE]
    assert link.proto.query_string == "source=record"
    app.switch_page("pages/classify.py").run()
    assert "Still here from before: recording." in texts(app)
    assert app.metric[0].value == "Happiness"


def test_a_clip_is_fetched_when_it_is_pressed(
    open_page: OpenPage, two_checkpoints: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(corpus.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as mirror:
        threading.Thread(target=mirror.serve_forever, daemon=True).start()
        monkeypatch.setenv(MIRRORS_VARIABLE, f"http://127.0.0.1:{mirror.server_port}/")
        app = open_page(HOME)
        assert not list(tmp_path.rglob("*.wav"))
        assert "Open Database License), each fetched from there when you press it." in texts(app)
        press(app, CLIPS[2])
        mirror.shutdown()
    assert [path.stem for path in tmp_path.rglob("*.wav")] == [CLIPS[2]]
    assert not app.warning
    assert "The actor intended **fear**" in texts(app)


def test_without_a_network_a_synthetic_voice_is_answered_in_place_of_a_clip(
    open_page: OpenPage, two_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(MIRRORS_VARIABLE, "http://127.0.0.1:9/")
    app = press(open_page(HOME), CLIPS[0])
    (warning,) = app.warning
    assert warning.value.startswith("The clip can't be had now: here is a synthetic voice instead")
    assert "127.0.0.1:9 could not be reached" in texts(app)
    assert app.metric[0].label == "In the synthetic voice, the model hears"
    assert "The actor intended" not in texts(app)


def test_home_says_what_is_missing_where_there_is_no_checkpoint(
    open_page: OpenPage, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(tmp_path))
    app = press(open_page(HOME, corpus=corpus.folder), CLIPS[0])
    assert "no checkpoint" in app.error[0].value


def test_the_picture_says_people_and_models(open_page: OpenPage):
    said = overview_of(open_page(HOME))
    assert re.match(r"People who only heard it, 68,568 ratings: 40\xa0% right", said)
    for part in ("speakers it learned from", "speakers it never heard", "of other origin, 624 clips of RAVDESS"):
        assert part in said


def test_home_says_what_the_report_is_and_pages_lead_there(open_page: OpenPage):
    app = open_page(HOME)
    assert "“Speech Emotion Recognition” is a course report" in texts(app)
    assert any(heading.proto.anchor == "the-report" for heading in app.header)
    assert "[report](./#the-report)" in texts(open_page("pages/features.py"))
    assert "[report](./#the-report)" in texts(open_page("pages/runs.py"))


def test_an_answer_says_what_it_is_worth(
    open_page: OpenPage, two_checkpoints: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(EVALUATIONS_VARIABLE, str(tmp_path / "evaluations"))
    assert worth("glad").startswith("How often this model is right isn't recorded")
    for page in ("pages/samples.py", "pages/live.py"):
        assert "isn't recorded" in texts(open_page(page, corpus=corpus.folder, clip=CLIPS[0]))
    assert "isn't recorded" in texts(set_source(open_page("pages/classify.py"), "example"))
    monkeypatch.delenv("SER_CHECKPOINTS_DIR")
    name = default_checkpoint()
    right = load_config(checkpoints_dir() / name).provenance["test"]["metrics"]["accuracy"]
    assert worth(name).endswith("On recordings from elsewhere, nobody has measured it.")
    brief = f"Right in {percent(right, 0)} on CREMA-D"
    assert worth_briefly(name) == f"{brief}."
    evaluated(tmp_path / "evaluations", name, clips=6, speakers=3)
    assert worth(name).endswith("nobody has measured it.")  # six clips are too few
    evaluated(tmp_path / "evaluations", name, right=0.4)
    assert worth(name) == (
        f"This model is right in {percent(right, 0)} of the test clips of CREMA-D, of speakers it learned from, and "
        "its scores are calibrated for such clips. On recordings from elsewhere (RAVDESS) it is right in 40\u00a0%; "
        "its scores are 10 points off there."
    )
    assert worth_briefly(name) == f"{brief}, in 40\u00a0% elsewhere."
    monkeypatch.setattr(records, "FEWEST_CLIPS", 6)
    evaluated(tmp_path / "evaluations", name, clips=6, speakers=3)  # right where anger, disgust and fear are meant
    assert worth(name).endswith("off there, and it seldom hears happiness, a neutral voice or sadness.")
