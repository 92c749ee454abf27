import numpy as np
import pytest

from ser_core.analysis.channel_figures import channel_figure, fitting, network_figure
from ser_core.audio.vad import other_intervals
from ser_core.features.config import FeatureConfig


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        (201, "27 × 301, 3 s. This speech has 201 frames: 1.00 s of zeros follow it."),
        (351, "This speech has 351 frames: the last 0.50 s are cut off."),
        (301, "just as many"),
    ],
)
def test_the_network_gets_301_frames_whatever_there_is(frames: int, says: str):
    features = np.random.default_rng(0).normal(5, 1, (27, frames)).astype(np.float32)
    figure = network_figure(features)
    values = np.array(figure.data[0].customdata)
    assert values.shape == (27, 301)
    assert says in fitting(frames)
    padded = max(301 - frames, 0)
    assert not values[:, 301 - padded :].any()
    assert values[:, : 301 - padded].all()
    assert [note.text for note in figure.layout.annotations] == ["zeros"] * bool(padded)
    if padded:
        assert figure.layout.shapes[0].x0 == pytest.approx(2.0, abs=0.01)
        assert 2 < figure.layout.annotations[0].x < 3


def test_a_channel_is_drawn_in_its_own_unit():
    figure = channel_figure(np.arange(101.0), "dB", FeatureConfig(), (-100, 100))
    assert list(figure.data[0].y) == list(range(101))
    assert figure.data[0].x[-1] == pytest.approx(1.0)
    assert figure.layout.yaxis.title.text == "dB"
    assert figure.layout.yaxis.range == (-110, 110)


@pytest.mark.parametrize(
    ("intervals", "others"),
    [([], [[0, 9]]), ([[0, 9]], []), ([[0, 2], [5, 9]], [[2, 5]]), ([[1, 2], [2, 4]], [[0, 1], [4, 9]])],
)
def test_what_was_dropped_is_what_was_not_kept(intervals: list, others: list):
    assert other_intervals(np.array(intervals, dtype=np.int64).reshape(-1, 2), 9).tolist() == others
