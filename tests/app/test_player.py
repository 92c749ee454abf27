"""Players and what goes with them: names, pictures, the clips before and after."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from ser_app.player import start_of, tied
from ser_core.audio.mono import PART_SECONDS
from tests.app.helpers import CLIP, labelled, texts
from tests.helpers import tone

OpenPage = Callable[..., AppTest]


def names(app: AppTest) -> list[str]:
    """What players are called."""
    return [player.proto.alt for player in app.get("audio")]


def over_time(app: AppTest) -> list[list]:
    """What the pictures that go with a sound show of it."""
    layouts = [json.loads(chart.proto.spec)["layout"] for chart in app.get("plotly_chart")]
    return [layout["meta"]["kept"] for layout in layouts if "meta" in layout]


def test_players_are_named_and_their_pictures_go_with_them(open_page: OpenPage, one_clip: Path, two_checkpoints: Path):
    app = open_page("pages/samples.py", corpus=one_clip, clip=CLIP)
    assert names(app) == [f"Sound of {CLIP}"]
    assert over_time(app) == [[[0, pytest.approx(2.275, abs=0.01)]]] * 2

    labelled(app.toggle, "Why this answer").set_value(True).run()
    assert not app.exception, app.exception
    assert len(over_time(app)) == 3


def test_features_ties_the_speech_alone_by_what_was_kept(open_page: OpenPage):
    app = open_page("pages/features.py")
    """The last player before the pictures of the speech is that of the speech: they show all of its sound."""
    assert names(app)[:3] == [
        f"Sound of {name}" for name in ("Loud, fast and high", "what was dropped", "what was kept")
    ]
    assert over_time(app) == [[[0, 1e9]]] * 4  # waveforms, spectrogram, contours; not what is cut or resized


def test_buttons_select_the_clip_before_and_after(open_page: OpenPage):
    app = open_page("pages/samples.py", clip="1001_DFA_DIS_XX")
    for label, clip in (("Next", "1001_DFA_FEA_XX"), ("Previous", "1001_DFA_DIS_XX"), ("Previous", CLIP)):
        labelled(app.button, label).click().run()
        assert not app.exception, app.exception
        assert app.query_params["clip"] == clip
    assert labelled(app.button, "Previous").disabled
    assert labelled(app.button, "Next").proto.shortcut == "shift+right"


def test_a_clip_that_the_filters_leave_out_is_followed_by_the_first(open_page: OpenPage):
    app = open_page("pages/samples.py", clip=CLIP)
    labelled(app.multiselect, "Emotion").set_value(["fear"]).run()
    assert f"{CLIP} is not among these clips" in texts(app)
    assert labelled(app.button, "Previous").disabled
    labelled(app.button, "Next").click().run()
    assert app.query_params["clip"] == "1001_DFA_FEA_XX"


def test_a_part_is_found_where_it_begins_in_its_recording():
    audio = np.random.default_rng(0).normal(0, 0.1, (PART_SECONDS + 2) * 16_000).astype(np.float32)
    part = audio[PART_SECONDS * 16_000 :]
    assert start_of(part - np.float32(0.01), audio) == PART_SECONDS
    assert start_of(audio, audio) == start_of(audio[:0], audio) == start_of(tone(440, 1), audio) == 0


def test_a_figure_says_what_it_shows_of_the_sound():
    assert tied(go.Figure()).layout.meta == {"kept": ((0.0, 1e9),)}
    assert tied(go.Figure(), np.array([[0.25, 1.0], [2.0, 3.5]])).layout.meta == {"kept": [[0.25, 1.0], [2.0, 3.5]]}
