"""What Live draws twice a second."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from ser_app.live_drawing import answer, bars, heard, listed, timeline
from ser_core.emotions import EMOTIONS
from tests.helpers import tone

SURE = dict.fromkeys(EMOTIONS, 0.0) | {"HAP": 0.75, "SAD": 0.25}


def images(html: str, kind: str) -> list[bytes]:
    """The images in a page."""
    return [base64.b64decode(text) for text in re.findall(rf"data:image/{re.escape(kind)};base64,([^\"]+)", html)]


def lines(html: str) -> list[list[tuple[float, float]]]:
    """Points of each line of the drawing."""
    (drawing,) = images(html, "svg+xml")
    paths = [path.attrib["d"] for path in ElementTree.fromstring(drawing)]
    return [[(float(x), float(y)) for x, y in re.findall(r"(\d\.\d+) (-?\d\.\d+)", path)] for path in paths]


def test_bars_are_as_wide_as_the_shares():
    html = bars(SURE)
    assert re.findall(r"[^-]width:([\d.]+)%", html) == ["0.0", "0.0", "0.0", "75.0", "0.0", "25.0"]
    said = "anger 0 %, disgust 0 %, fear 0 %, happiness 75 %, neutral 0 %, sadness 25 %".replace(" %", "\u00a0%")
    assert f'aria-label="{said}"' in html


def test_a_loud_tone_is_a_bright_line_and_silence_is_flat_and_dark():
    def drawn(audio: np.ndarray) -> tuple[np.ndarray, float]:
        html = heard(audio)
        (picture,) = images(html, "png")
        (outline,) = lines(html)
        heights = [y for _, y in outline]
        return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).sum(axis=2), max(heights) - min(heights)

    bright, high = drawn(tone(1000, 3))
    assert high > 0.99
    assert len(bright) / 2 < bright.mean(axis=1).argmax() < len(bright)  # 1 kHz lies low
    for silence in (np.zeros(48_000, np.float32), np.zeros(0, np.float32), 1e-5 * tone(1000, 3)):
        dark, flat = drawn(silence)
        assert flat < 0.01
        assert dark.max() < bright.max() / 4


def test_a_timeline_has_gaps_where_nobody_speaks():
    html = timeline([(0.0, 3.0, SURE), (0.5, 3.5, None), (1.0, 4.0, SURE), (2.0, 5.0, SURE)])
    _, *drawn = lines(html)
    assert drawn[EMOTIONS.index("HAP")] == [(0.6, 0.25), (0.8, 0.25), (1.0, 0.25)]
    (drawing,) = images(html, "svg+xml")
    assert all(path.attrib["d"].count("M") == 2 for path in ElementTree.fromstring(drawing).findall(".//*[@d]")[1:])
    assert re.findall(r"<span>(\d+ s)</span>", html) == ["0 s", "2 s", "5 s"]


def test_nothing_was_heard_yet():
    assert lines(timeline([])) == [[]] * 7


def test_what_is_over_is_dimmed_and_text_is_text():
    assert "opacity:1" in answer("Happiness", "80\u00a0%", "now")
    assert "opacity:0." in answer("Happiness", "80\u00a0%", "3 s ago", over=True)
    assert "&lt;b&gt;" in answer("<b>", "", "")
    assert "&lt;b&gt;" in listed([("#808080", "<b>", "", "")])
