import json

import numpy as np
import plotly.graph_objects as go
import pytest

from ser_core.analysis.figures import (
    MAX_POINTS,
    envelope,
    log_mel_figure,
    mel_image_figure,
    probability_figure,
    spectral_figure,
    waveform_figure,
)
from ser_core.analysis.timeline_figure import answers, sure_answers, timeline_figure
from ser_core.emotions import EMOTIONS
from ser_core.features.config import FeatureConfig
from ser_core.features.mel import log_mel, mel_image
from ser_core.features.spectral import spectral_features
from tests.helpers import tone

AUDIO = tone(440, 2)
SHARES = dict.fromkeys(EMOTIONS, 1 / 6)


@pytest.mark.parametrize(
    "figure",
    [
        waveform_figure(AUDIO, np.array([[0, 8000], [9000, 32000]])),
        waveform_figure(AUDIO[:0]),
        log_mel_figure(log_mel(AUDIO)),
        log_mel_figure(log_mel(AUDIO, FeatureConfig(n_mels=16)), FeatureConfig(n_mels=16), height=120),
        mel_image_figure(mel_image(log_mel(AUDIO))[0]),
        probability_figure({"one": SHARES}),
        probability_figure({"one": SHARES, "two": SHARES}),
        spectral_figure(spectral_features(AUDIO)),
        timeline_figure([(0, 3, SHARES), (1, 4, None)]),
        timeline_figure([]),
        timeline_figure([(0, 3, SHARES), (3600, 3603, SHARES)], live=True, min_confidence=0.4),
        timeline_figure([], min_confidence=0.4),
    ],
)
def test_figures_are_figures_and_survive_json(figure: go.Figure):
    assert json.loads(figure.to_json())["data"]


def test_speech_is_shaded_where_it_is():
    figure = waveform_figure(AUDIO, np.array([[1600, 8000]]))
    (shape,) = figure.layout.shapes
    assert (shape.x0, shape.x1) == (0.1, 0.5)
    assert figure.layout.yaxis.exponentformat == "none"


def test_the_envelope_holds_every_peak():
    audio = np.zeros(100_000, np.float32)
    audio[77_777], audio[12_345] = 0.9, -0.8
    times, low, high = envelope(audio)
    assert len(times) <= MAX_POINTS
    assert (low.min(), high.max()) == (np.float32(-0.8), np.float32(0.9))
    assert times[high.argmax()] == pytest.approx(77_777 / 16_000, abs=0.01)


def test_mel_axes_are_seconds_and_hertz():
    figure = log_mel_figure(log_mel(AUDIO))
    assert figure.data[0].x[-1] == pytest.approx(2, abs=0.02)
    assert dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True)).keys() >= {"500", "4k"}


def test_long_recordings_are_thinned_and_keep_their_time_axis():
    decibels = np.full((64, 100_000), -80, np.float32)
    decibels[:, 50_000:50_500] = 0
    trace = log_mel_figure(decibels).data[0]
    assert trace.z.shape[1] <= MAX_POINTS
    assert trace.x[trace.z[0].argmax()] == pytest.approx(50_000 * 256 / 16_000, rel=0.01)


def test_channels_are_named():
    assert list(spectral_figure(spectral_features(AUDIO)).data[0].y)[:2] == ["ZCR", "chroma C"]


def test_no_colour_is_one_of_streamlits_placeholders():
    assert "#000004" not in str(log_mel_figure(log_mel(AUDIO)).data)


def sure_of(emotion: str, share: float = 0.9) -> dict[str, float]:
    return dict.fromkeys(EMOTIONS, (1 - share) / 5) | {emotion: share}


def test_the_ribbon_joins_what_is_answered_alike():
    rows = [
        (0, 3, sure_of("ANG")),
        (1, 4, sure_of("ANG")),
        (2, 5, sure_of("ANG", 0.3)),
        (3, 6, None),
        (4, 7, sure_of("SAD")),
    ]
    assert answers(rows, 0.4) == [(0, 3, "ANG", True), (3, 4, "ANG", False), (5, 7, "SAD", True)]
    assert answers(rows, 0.4, live=True) == [(0, 4, "ANG", True), (4, 5, "ANG", False), (6, 7, "SAD", True)]
    assert sure_answers(rows, 0.4) == ["ANG", "SAD"]
    assert sure_answers([*rows, (5, 8, sure_of("SAD")), (6, 9, sure_of("ANG"))], 0.4) == ["ANG", "SAD", "ANG"]
    figure = timeline_figure(rows, min_confidence=0.4)
    assert figure.layout.yaxis.title.text == "model score"
    assert all(line.cliponaxis is False for line in figure.data[:-1])
    ribbon = figure.data[-1]
    assert ribbon.text == ("anger", "", "sadness")
    assert ribbon.x[0] == "1970-01-01T00:00:01.500"
    assert ribbon.width[0] == 3000
    assert ribbon.marker.opacity[0] > ribbon.marker.opacity[1]


def test_a_timeline_counts_in_minutes_and_seconds_and_in_hours_from_one_on():
    shares = sure_of("HAP")
    for end, clock in ((63, "%M:%S"), (3603, "%H:%M:%S")):
        figure = timeline_figure([(0, 3, shares), (end - 3, end, shares)])
        assert figure.layout.xaxis.type == "date"
        assert figure.layout.xaxis.tickformatstops[-1].value == clock
    assert len(timeline_figure([(0, 3, shares)]).data) == len(EMOTIONS)  # no ribbon
