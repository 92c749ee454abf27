"""The figure of contours: units that people know, and gaps where no pitch is heard."""

import json

import numpy as np
import pytest

from ser_core.analysis.contour_figure import contours_figure
from ser_core.analysis.figures import MAX_POINTS
from ser_core.features.config import FeatureConfig
from ser_core.features.contours import CONTOURS, contours
from tests.helpers import tone

HOP = 160
FEATURES = FeatureConfig(mel_hop_length=HOP)


def test_contours_are_in_seconds_decibels_and_semitones():
    low, high = tone(150, 1), tone(300, 2)
    figure = contours_figure(contours(np.concatenate((low / 10, high)), HOP), FEATURES)
    loudness, pitch, voicing = figure.data
    assert [trace.name for trace in figure.data] == list(CONTOURS)
    assert loudness.x[-1] == pytest.approx(3, abs=0.02)
    assert np.median(loudness.y[:90]) == pytest.approx(-20, abs=1)
    assert np.median(pitch.y[10:90]) == pytest.approx(-12, abs=0.5)
    assert np.median(voicing.y) > 0.9


def test_where_no_pitch_is_heard_there_is_a_gap():
    noise = np.random.default_rng(0).normal(size=16_000).astype(np.float32)
    figure = contours_figure(contours(noise, HOP), FEATURES)
    assert np.isnan(figure.data[1].y).all()
    assert json.loads(figure.to_json())["data"]


def test_only_those_that_a_network_is_given_are_drawn():
    figure = contours_figure(contours(tone(150, 1), HOP), FEATURES, ("pitch", "voicing"))
    assert [trace.name for trace in figure.data] == ["pitch", "voicing"]
    assert figure.layout.xaxis2.title.text == "time (s)"


def test_the_path_has_gaps_where_it_has_no_voice():
    noise = 0.01 * np.random.default_rng(0).normal(size=16_000).astype(np.float32)
    config = FeatureConfig(mel_hop_length=HOP, pitch_path=True)
    found = contours(np.concatenate((tone(150, 1), noise)), HOP, path=True)
    found[2, 20:30] = 0.3  # a voice, on a path, of which single frames would not be sure
    pitch = contours_figure(found, config).data[1].y
    assert not np.isnan(pitch[5:95]).any()
    assert np.isnan(pitch[110:]).all()


def test_long_speech_keeps_its_gaps_and_its_voice():
    voice, silence = tone(150, 0.05), np.zeros(800, np.float32)
    found = contours(np.concatenate([voice, silence] * 400), HOP, path=True)
    figure = contours_figure(found, FeatureConfig(mel_hop_length=HOP, pitch_path=True))
    pitch = figure.data[1]
    assert len(pitch.x) <= MAX_POINTS
    assert pitch.x[-1] == pytest.approx(40, abs=0.1)
    assert np.mean(~np.isnan(pitch.y)) == pytest.approx(np.mean(found[2] > 0), abs=0.1)
