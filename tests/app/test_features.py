"""Features: what was dropped can be heard, padding is seen, and each channel is explained."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ser_app.clip_view import play
from ser_core.audio.preprocess import preprocess
from ser_core.audio.synthetic import EXAMPLES, PLAIN_SOUNDS, synthesize
from tests.app.helpers import labelled, texts

FEATURES = "pages/features.py"


def test_what_was_kept_and_dropped_is_played(open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch):
    played: dict[str, np.ndarray] = {}

    def noted(audio: np.ndarray, name: str = "the recording", **options: bool) -> None:
        played[name] = audio
        play(audio, name, **options)

    monkeypatch.setattr("ser_app.clip_view.play", noted)
    app = open_page(FEATURES)
    whole = synthesize(next(iter(EXAMPLES.values())))
    kept = preprocess(whole).seconds
    assert f"Kept: {kept:.2f} s" in texts(app)
    assert f"Dropped: {len(whole) / 16_000 - kept:.2f} s" in texts(app)
    assert {name: len(sound) for name, sound in played.items()} == {
        "Loud, fast and high": len(whole),
        "what was kept": round(16_000 * kept),
        "what was dropped": len(whole) - round(16_000 * kept),
    }
    labelled(app.selectbox, "Voice activity detection").set_value("none").run()
    assert "Dropped: 0.00 s" in texts(app)
    assert len(app.get("audio")) == 2


def test_padding_is_shown_unless_all_frames_are_asked_for(open_page: Callable[..., AppTest]):
    app = open_page(FEATURES)
    assert "of zeros follow it" in texts(app)
    frames = next(control for control in app.segmented_control if control.label == "Show")

    def chart() -> str:
        return next(one.proto.spec for one in app.get("plotly_chart") if "channels over time" in one.proto.alt)

    assert '"zeros"' in chart()
    frames.set_value(frames.options[1]).run()
    assert not app.exception
    assert '"zeros"' not in chart()


def test_a_channel_is_explained_beside_sounds_that_it_reacts_to(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ser_app.channel_view.is_near", lambda key: True)
    app = open_page(FEATURES)
    for chosen, unit in (("ZCR", "share of samples"), ("MFCC 1", "dB")):
        labelled(app.selectbox, "Channel").select(chosen).run()
        assert not app.exception
        assert f"**{chosen}** · " in texts(app)
        assert f"Unit: {unit}." in texts(app)
        drawn = [one.proto.alt for one in app.get("plotly_chart") if one.proto.alt.startswith(f"{chosen} of ")]
        assert [alt.split(" over time")[0] for alt in drawn] == [
            f"{chosen} of {name}" for name in ("this recording", *map(str.lower, PLAIN_SOUNDS))
        ]


def test_plain_sounds_are_examples_here(open_page: Callable[..., AppTest]):
    app = open_page(FEATURES)
    assert set(PLAIN_SOUNDS) < set(labelled(app.selectbox, "Synthetic example").options)
    labelled(app.selectbox, "Synthetic example").set_value("Hiss").run()
    assert not app.exception
    assert PLAIN_SOUNDS["Hiss"].says in texts(app)
    assert len(app.get("plotly_chart")) == 6
