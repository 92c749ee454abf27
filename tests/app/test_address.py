"""What visitors chose is in the address."""

from collections.abc import Callable

import pytest
from streamlit.elements.widgets import multiselect, selectbox
from streamlit.runtime.state import get_session_state
from streamlit.testing.v1 import AppTest

from ser_core.places import RUNS_VARIABLE
from tests.app.helpers import labelled, set_source, texts
from tests.made_records import record, set_val_accuracy

SAMPLES = "pages/samples.py"
OpenPage = Callable[..., AppTest]


def test_an_address_opens_the_view_that_it_was_copied_from(open_page: OpenPage):
    app = open_page(SAMPLES)
    labelled(app.multiselect, "Emotion").set_value(["fear", "anger"])
    labelled(app.multiselect, "Sentence").set_value(["That is exactly what happened."])
    labelled(app.slider, "Age").set_value((30, 40))
    app.run()
    shown = app.dataframe[0].value["clip"].tolist()
    again = open_page(SAMPLES, emotion=["fear", "anger"], sentence="That is exactly what happened.", age=["30", "40"])
    assert again.dataframe[0].value["clip"].tolist() == shown
    assert again.expander[0].proto.expanded
    assert not again.warning


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"emotion": "joy"}, "emotion=joy, which this page doesn't have: Emotion is one of anger, disgust"),
        ({"race": "<img onerror=alert(1)>"}, "Race is one of"),
        ({"age": "old"}, "Age is a whole number from 20 to 74"),
        ({"agreed": "101"}, "is a whole number from 0 to 100"),
    ],
)
def test_what_an_address_asks_for_in_vain_is_said(open_page: OpenPage, query: dict[str, str], says: str):
    app = open_page(SAMPLES, **query)
    assert says in texts(app)
    assert "7,442 of 7,442 clips" in texts(app)
    assert "<img" not in texts(app).replace("\\<img", "")


def test_the_source_of_recordings_is_in_the_address(open_page: OpenPage):
    app = open_page("pages/features.py", source="clip")
    assert app.segmented_control[0].value == "clip"
    app.segmented_control[0].set_value("example").run()
    assert "source" not in app.query_params  # the first of the page
    app.segmented_control[0].set_value("record").run()
    assert app.query_params["source"] in ("record", ["record"])
    assert "source=cassette, which this page doesn't have" in texts(open_page("pages/features.py", source="cassette"))


def test_another_page_has_a_first_source_of_its_own(open_page: OpenPage, two_checkpoints):
    app = open_page("pages/classify.py")
    app.switch_page("pages/features.py").run()
    assert app.segmented_control[0].value == "example"
    assert not app.query_params


def test_a_run_that_nobody_knows_is_said(open_page: OpenPage):
    for page, key in (("pages/humans.py", "run"), ("pages/runs.py", "runs")):
        assert f"{key}=nobody, which this page doesn't have" in texts(open_page(page, **{key: "nobody"}))
    assert "clip=nobody, which this page doesn't have" in texts(open_page("pages/samples.py", clip="nobody"))
    assert "clip=nobody, which is not on this map" in texts(open_page("pages/map.py", clip="nobody"))
    asked = open_page("pages/humans.py", run="nobody")
    assert "run" not in asked.query_params
    assert "run=nobody" in texts(asked.run())  # it is said as long as the page is open
    assert "run=nobody" not in texts(asked.switch_page("pages/mistakes.py").run())
    known = open_page("pages/humans.py", run="lr0.001-SiLU-2D")
    assert not known.warning
    assert labelled(known.selectbox, "Run").value == "lr0.001-SiLU-2D"


def test_what_was_brought_is_there_when_its_page_is_opened_again(open_page: OpenPage, corpus, two_checkpoints):
    app = set_source(open_page("pages/classify.py"), "upload")
    data = corpus.path("1001_DFA_ANG_XX").read_bytes()
    app.file_uploader[0].set_value([("mine.wav", data, "audio/wav")]).run()
    assert app.metric
    app.switch_page("pages/humans.py").run()
    app.switch_page("pages/classify.py").run()
    assert "Still here from before: mine.wav." in texts(app)
    assert app.metric
    labelled(app.button, "Forget it").click().run()
    assert not app.exception
    assert "Still here" not in texts(app)
    assert not app.metric


@pytest.mark.parametrize(
    ("page", "key"), [("pages/mistakes.py", "run"), ("pages/humans.py", "run"), ("pages/runs.py", "runs")]
)
def test_the_name_of_a_record_opens_its_run_and_stays_an_address_of_it(open_page: OpenPage, page: str, key: str):
    asked = open_page(page, **{key: "lr0.001-SiLU-2D"}).query_params[key]
    assert asked in ("lr0.001-SiLU-2D, 150 epochs", ["lr0.001-SiLU-2D, 150 epochs"])


@pytest.mark.parametrize(
    ("page", "query"), [("pages/mistakes.py", {"run": "sad"}), ("pages/classify.py", {"models": "sad"})]
)
def test_a_box_that_follows_the_address_has_no_default_besides(
    open_page: OpenPage, two_checkpoints, page: str, query: dict[str, str], tmp_path, monkeypatch: pytest.MonkeyPatch
):
    """Streamlit writes a warning to the log of a widget that has both."""
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "runs"))
    record(tmp_path / "runs", "lr0.001-SiLU-2D", 100, folder="repeat", settings={"seed": 1})
    set_val_accuracy(tmp_path / "runs" / "repeat", 0.5)  # the best, and yet not what opens
    record(tmp_path / "runs", "lr0.001-SiLU-2D", 120)
    record(tmp_path / "runs", "lr0.001-ReLU-2D", 140, folder="sad")
    seen: list[str] = []
    both: list[str] = []

    def check(_dg: object, key: str, *_: object, default_value: object = None, **__: object) -> None:
        seen.append(key)
        if default_value is not None and get_session_state().is_new_state_value(key):
            both.append(key)

    for module in (selectbox, multiselect):
        monkeypatch.setattr(module, "check_widget_policies", check)
    open_page(page, **query)
    assert {*query} <= {*seen}
    assert both == []


def test_a_run_whose_name_is_the_label_of_another_is_opened_all_the_same():
    def page() -> None:
        import streamlit as st

        from ser_app.address import follow_names

        follow_names({"x": "x, 3 epochs", "x, 3 epochs": "x, 3 epochs, 3 epochs"}, "run", several=False)
        st.write(st.session_state["run"])

    app = AppTest.from_function(page)
    app.query_params["run"] = "x, 3 epochs"
    assert app.run().markdown[0].value == "x"


def test_a_run_that_began_with_the_old_address_keeps_the_box():
    """On Live, the microphone asks for a run before the browser has the address that the first run wrote."""

    def page() -> None:
        import streamlit as st

        from ser_app.address import choose_titled

        st.write(choose_titled(st.selectbox, "Model", {"a": "Small", "b": "Large"}, key="model"))

    app = AppTest.from_function(page)
    for _ in range(2):
        app.query_params["model"] = "b"
        app.run()
        assert not app.exception
        assert app.markdown[0].value == "b"
    app.selectbox[0].select("a").run()
    assert app.markdown[0].value == "a"
