"""Why this answer, on Samples and Classify."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_core.emotions import EMOTION_NAMES, EMOTIONS
from ser_core.explain import methods
from tests.app.helpers import CLIP, labelled, set_source, texts

OpenPage = Callable[..., AppTest]
CAVEAT = "It shows what this network used"


def test_a_clip_is_explained_when_somebody_asks_and_once(
    open_page: OpenPage, two_checkpoints: Path, one_clip: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[str, str]] = []
    explain = methods.explain

    def counted(predictor, speech, emotion, method):
        asked.append((emotion, method))
        return explain(predictor, speech, emotion, method)

    monkeypatch.setattr(methods, "explain", counted)
    app = open_page("pages/samples.py", corpus=one_clip, clip=CLIP)
    assert not asked
    assert CAVEAT not in texts(app)
    why = labelled(app.toggle, "Why this answer").set_value(True).run()
    assert not why.exception
    assert f"{CAVEAT}: not where happiness is" in texts(app)
    emotion, method = labelled(app.selectbox, "What speaks for"), labelled(app.selectbox, "Method")
    assert emotion.options[0] == "happiness (80\u00a0%)"
    assert len(emotion.options) == len(EMOTIONS)
    assert method.options == ["Hide moments", "Integrated gradients"]
    assert re.search(r"Computed in \d+\.\d s", texts(app))
    emotion.set_value("SAD").run()
    labelled(app.selectbox, "Method").set_value("integrated-gradients").run()
    assert not app.exception
    assert "against it" in texts(app)
    assert "in 16 steps" in texts(app)
    labelled(app.selectbox, "What speaks for").set_value("HAP").run()
    labelled(app.selectbox, "Method").set_value("occlusion").run()
    assert asked == [
        ("HAP", "occlusion"),
        ("SAD", "occlusion"),
        ("SAD", "integrated-gradients"),
        ("HAP", "integrated-gradients"),
    ]


def test_each_model_of_a_recording_has_its_own(open_page: OpenPage, two_checkpoints: Path):
    app = set_source(open_page("pages/classify.py"), "example")
    app.multiselect[0].set_value(["glad", "sad"]).run()
    assert {toggle.label for toggle in app.toggle} >= {"Why glad answers this", "Why sad answers this"}
    labelled(app.toggle, "Why sad answers this").set_value(True).run()
    assert not app.exception
    assert f"{CAVEAT}: not where {EMOTION_NAMES['SAD']} is" in texts(app)
