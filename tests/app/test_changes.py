"""What changes on disk while the app runs shows the next time a page is run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_app.navigation import LISTENER
from ser_core.audio.preprocess import load_audio
from ser_core.places import RUNS_VARIABLE
from ser_core.records.runs import load_run
from tests.app.helpers import CLIP, Connection, answer_of, overview_of, set_source, texts
from tests.helpers import save_opinionated
from tests.listening import feed
from tests.made_records import record

OpenPage = Callable[..., AppTest]
OTHER_CLIP = "1001_IEO_ANG_HI"


def rerun(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def test_a_checkpoint_that_was_trained_again_answers_anew_on_samples(
    open_page: OpenPage, two_checkpoints: Path, one_clip: Path
):
    app = open_page("pages/samples.py", corpus=one_clip, clip=CLIP)
    assert "The model predicts **happiness**" in texts(app)
    save_opinionated(two_checkpoints, "glad", "FEA", val_accuracy=0.6)
    assert "The model predicts **fear**" in texts(rerun(app))
    save_opinionated(two_checkpoints, "glad", "FEA", val_accuracy=0.4)  # now the other one is the better
    app = open_page("pages/samples.py", corpus=one_clip, clip=CLIP)
    assert "The model predicts **sadness**" in texts(app)


@pytest.mark.parametrize("source", ["clip", "example"])
def test_a_checkpoint_that_was_trained_again_answers_anew_on_classify(
    open_page: OpenPage, two_checkpoints: Path, one_clip: Path, source: str
):
    app = set_source(open_page("pages/classify.py", corpus=one_clip), source)
    assert app.metric[0].value == "Happiness"
    save_opinionated(two_checkpoints, "glad", "FEA", val_accuracy=0.6)
    assert rerun(app).metric[0].value == "Fear"
    (two_checkpoints / "glad" / "model.safetensors").write_bytes(b"")
    assert rerun(app).metric[0].value == "Sadness"


def test_a_checkpoint_that_was_trained_again_listens_anew(
    open_page: OpenPage, two_checkpoints: Path, connection: Connection, corpus
):
    speech = load_audio(corpus.path(CLIP))
    app = open_page("pages/live.py")
    connection.playing = True
    rerun(app)
    feed(app.session_state[LISTENER], speech)
    assert answer_of(rerun(app)).label == "Happiness"
    save_opinionated(two_checkpoints, "glad", "FEA", val_accuracy=0.6)
    rerun(app)
    app.session_state[LISTENER].clear()
    feed(app.session_state[LISTENER], speech)
    assert answer_of(rerun(app)).label == "Fear"


@pytest.mark.parametrize("page", ["pages/samples.py", "pages/features.py", "pages/classify.py"])
def test_another_sound_of_a_clip_is_shown(
    open_page: OpenPage, two_checkpoints: Path, one_clip: Path, corpus, page: str
):
    def shown(name: str) -> str:
        return {
            "pages/features.py": f"{len(load_audio(corpus.path(name))) / 16_000:.2f} s; detected speech",
            "pages/classify.py": f"{len(load_audio(corpus.path(name))) / 16_000:.2f} s, ",
        }[page]

    app = open_page(page, corpus=one_clip, **({"clip": CLIP} if page == "pages/samples.py" else {}))
    if page != "pages/samples.py":
        set_source(app, "clip")
        assert shown(CLIP) in texts(app)
    sound = app.get("audio")[0].proto.url
    (one_clip / f"{CLIP}.wav").write_bytes(corpus.path(OTHER_CLIP).read_bytes())
    rerun(app)
    assert app.get("audio")[0].proto.url != sound
    if page != "pages/samples.py":
        assert shown(OTHER_CLIP) in texts(app)
        assert shown(CLIP) not in texts(app)


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "runs"))
    record(tmp_path / "runs", "lr0.001-SiLU-2D", 100)
    return tmp_path / "runs"


def test_a_run_that_was_trained_again_has_new_figures_and_mistakes(open_page: OpenPage, runs_dir: Path):
    home, runs, mistakes = (open_page(f"{page}.py") for page in ("streamlit_app", "pages/runs", "pages/mistakes"))
    assert "400 clips of CREMA-D: 75\u00a0% right" in overview_of(home)
    assert runs.dataframe[0].value["accuracy"].tolist() == [75]
    before = set(mistakes.dataframe[0].value["clip"])
    assert len(before) == 100

    record(runs_dir, "lr0.001-SiLU-2D", 100, seed=1)  # as many mistakes, but others
    after = set(rerun(mistakes).dataframe[0].value["clip"])
    predictions = load_run(runs_dir / "lr0.001-SiLU-2D").predictions()
    wrong = predictions.predicted != predictions.targets
    assert after == {name for name, mistaken in zip(predictions.names, wrong, strict=True) if mistaken} != before

    record(runs_dir, "lr0.001-SiLU-2D", 200)
    assert "400 clips of CREMA-D: 50\u00a0% right" in overview_of(rerun(home))
    assert rerun(runs).dataframe[0].value["accuracy"].tolist() == [50]
    assert len(rerun(mistakes).dataframe[0].value) == 200
