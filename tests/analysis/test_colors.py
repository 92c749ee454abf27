"""Colours that are told apart, by nearly everybody, on light and on dark."""

from itertools import combinations

import numpy as np
import pytest

from ser_core.analysis.colors import EMOTION_COLORS, PEOPLE_COLOR, SERIES_COLORS, patterns, series_colors
from ser_core.analysis.figures import WRITTEN, WRITTEN_IN_DARK
from ser_core.emotions import EMOTIONS

# Machado et al. 2009, severity 1.0, over linear RGB.
VISIONS = {
    "usual": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
BACKGROUNDS = ("#ffffff", "#171614")  # Streamlit's, light and dark


def linear(color: str) -> np.ndarray:
    value = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear sRGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / to_xyz.sum(axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(color: str, background: str) -> float:
    """As the Web Content Accessibility Guidelines define it."""
    dark, light = sorted(float(linear(one) @ [0.2126, 0.7152, 0.0722]) for one in (color, background))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("colors", "least"), [(tuple(EMOTION_COLORS.values()), 28), (SERIES_COLORS, 17)])
def test_no_two_colors_look_alike(colors: tuple[str, ...], least: float, vision: str):
    seen = [lab(np.array(VISIONS[vision]) @ linear(color)) for color in colors]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > least


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_colors_stand_out_on_light_and_dark(background: str):
    for color in (*EMOTION_COLORS.values(), *SERIES_COLORS):
        yellow = color == EMOTION_COLORS["HAP"]  # which is none if it is darker
        assert contrast(color, background) >= (2.1 if yellow else 2.99)


@pytest.mark.parametrize("look", [WRITTEN, WRITTEN_IN_DARK])
def test_what_is_written_in_a_cell_is_legible_in_every_cell(look: dict):
    (_, first), (_, last) = look["colorscale"]
    steps = np.linspace(0, 1, 11)[:, None]
    ends = [np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) for color in (first, last)]
    for cell in (ends[0] + steps * (ends[1] - ends[0])).round().astype(int):
        assert contrast("#" + "".join(f"{part:02x}" for part in cell), look["textfont"]["color"]) >= 4.5


def test_emotions_share_no_color_with_what_is_compared():
    assert list(EMOTION_COLORS) == list(EMOTIONS)
    assert not set(EMOTION_COLORS.values()) & set(SERIES_COLORS)


def test_eight_series_have_eight_colors_whichever_they_are():
    names = [f"lr0.001-SiLU-2D-seed{i}" for i in range(4)] + ["lr0.01-ELU-1D", "a", "b", "Whisper-base"]
    assert sorted(series_colors(names).values()) == sorted(SERIES_COLORS)
    assert list(series_colors(names)) == names


def test_a_thing_keeps_its_color_in_other_company():
    alone = series_colors(["lr6e-05-SiLU-Whisper-base"])["lr6e-05-SiLU-Whisper-base"]
    among = series_colors(["raters, voice (10)", "lr0.001-SiLU-2D", "lr6e-05-SiLU-Whisper-base"])
    assert among["lr6e-05-SiLU-Whisper-base"] == alone
    assert among["raters, voice (10)"] == PEOPLE_COLOR


def test_series_of_one_color_differ_by_pattern():
    colors = series_colors(["raters, voice (10)", "raters, face (9)", "model"])
    assert patterns(colors.values()) == ["", "/", ""]
