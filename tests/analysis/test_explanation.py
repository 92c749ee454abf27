import json

import numpy as np
import pytest

from ser_core.analysis.explanation import METHODS, Explanation, Method
from ser_core.analysis.explanation_figure import explanation_figure, moments
from ser_core.emotions import EMOTIONS
from ser_core.features.filterbanks import mel_frequencies
from tests.helpers import tone

AUDIO = tone(440, 4)
KEPT = np.array([[0.5, 1.5], [2.5, 3.5]])


def made(values: np.ndarray, times: np.ndarray | None = None, method: Method = METHODS[1], **bands) -> Explanation:
    """An explanation of two seconds of speech; its times are evenly spaced unless they are given."""
    if times is None:
        within = (np.arange(values.shape[-1]) + 0.5) / values.shape[-1]
        times = np.where(within < 0.5, 0.5 + 2 * within, 1.5 + 2 * within)
    named = {"hertz": None, "names": ()} | bands
    return Explanation(
        "net", EMOTIONS[0], method, values.astype(np.float32), times, KEPT, **named, probability=1, whole=True
    )


def test_the_most_important_share_is_what_is_highest():
    found = made(np.array([[3, -9, 1, 0, 2], [0, 0, 0, 0, 9]]))
    assert np.argwhere(found.most_important(0.2)).tolist() == [[0, 0], [1, 4]]
    assert found.over_time.tolist() == [3, -9, 1, 0, 11]


def test_at_other_times_it_is_that_of_the_nearest_frame_and_nothing_in_a_pause():
    found = made(np.arange(20))
    np.testing.assert_array_equal(
        found.on(np.array([0.2, 0.56, 1.49, 2.0, 2.51, 3.9])), [np.nan, 0, 9, np.nan, 10, np.nan]
    )


def test_a_figures_moments_add_up_to_the_explanation():
    values = np.random.default_rng(0).normal(size=(64, 187))
    times, sums = moments(made(values))
    assert sums.sum() == pytest.approx(values.sum(), abs=1e-3)
    assert len(times) == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    "found",
    [
        made(np.linspace(-1, 1, 20), method="occlusion"),
        made(np.zeros(20), method="occlusion"),
        made(np.random.default_rng(0).normal(size=(64, 64)), hertz=mel_frequencies(64, 8000.0)),
        made(np.zeros((64, 64)), method="grad-cam", hertz=mel_frequencies(64, 8000.0)),
        made(np.random.default_rng(0).normal(size=(3, 200)), names=("ZCR", "MFCC 1", "RMS")),
    ],
    ids=["times", "no time", "bands", "no band", "features"],
)
def test_it_is_drawn_over_the_whole_recording(found: Explanation):
    figure = explanation_figure(AUDIO, found)
    assert json.loads(figure.to_json())["data"]
    assert figure.layout.xaxis.range == (0, 4)
    overlay = figure.data[1]
    assert KEPT.min() <= min(overlay.x)
    assert max(overlay.x) <= KEPT.max()
    in_the_pause = (overlay.x > 1.5) & (overlay.x < 2.5)
    assert np.isnan(np.array(overlay.z, float)[:, in_the_pause]).all()
