"""The same actor and sentence in all six emotions, on Samples."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_core.analysis.six import versions_of
from ser_core.corpus.clips import find_clip
from tests.app.helpers import CLIP, labelled, texts
from tests.sounds import write_sounds

SAMPLES = "pages/samples.py"
VERSIONS = versions_of(find_clip(CLIP))


@pytest.fixture
def six(tmp_path: Path) -> Path:
    """A corpus of a clip's six versions, in which nobody speaks."""
    return write_sounds(tmp_path / "clips", *(f"{one.name}.wav" for one in VERSIONS.values()))


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the visitor had scrolled down, which AppTest can't."""
    monkeypatch.setattr("ser_app.six_view.is_near", lambda key: True)


def ranges(app: AppTest) -> set[str]:
    """The axes of time of the six waveforms."""
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart") if ", peak" in chart.proto.alt]
    assert len(charts) == 6
    return {str(chart["layout"]["xaxis"].get("range")) for chart in charts}


@pytest.mark.usefixtures("reached", "two_checkpoints")
def test_six_are_compared_on_the_same_scales_and_answered_by_a_model(open_page: Callable[..., AppTest], six: Path):
    app = open_page(SAMPLES, corpus=six, clip=CLIP)
    assert texts(app).count("The model: **happiness** (model score 80\u00a0%)") == 6
    assert len(ranges(app)) == 1
    assert "None" not in ranges(app)
    assert len(app.get("audio")) == 7
    labelled(app.selectbox, "Answers from").set_value("sad").run()
    labelled(app.toggle, "Same scales for all").set_value(False).run()
    assert not app.exception
    assert texts(app).count("The model: **sadness** (model score 80\u00a0%)") == 6
    assert ranges(app) == {"None"}


@pytest.mark.usefixtures("reached", "two_checkpoints")
def test_all_are_played_in_turn_with_their_times(open_page: Callable[..., AppTest], six: Path):
    app = open_page(SAMPLES, corpus=six, clip=CLIP)
    app.button(key="six-in-turn").click().run()
    assert not app.exception
    (player,) = (one for one in app.get("audio") if one.proto.autoplay)
    assert player.proto.alt == "Sound of all versions in turn"
    assert "Anger from 0.0 s, disgust from 1.5 s, fear from 3.0 s" in texts(app)


def test_nothing_is_made_before_the_visitor_gets_there(open_page: Callable[..., AppTest], six: Path):
    app = open_page(SAMPLES, corpus=six, clip=CLIP)
    assert "The same actor and sentence" in texts(app)
    assert len(app.get("audio")) == 1
