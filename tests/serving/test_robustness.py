"""How `python -m benchmarks robustness` counts."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.robustness import NO_SPEECH, labels, ravdess_clips, shared_clips, under_changes
from ser_core.audio.changes.registry import CHANGES, Change
from ser_core.corpus.clips import load_index
from ser_core.emotions import EMOTIONS
from ser_core.errors import NoSpeechError
from tests.helpers import skip_or_fail


class ByLevel:
    """Hears anger in what is loud, sadness in what is quiet, and nothing in silence."""

    def classify(self, audio: np.ndarray) -> SimpleNamespace:
        if not audio.any():
            raise NoSpeechError("silent")
        return SimpleNamespace(emotion="ANG" if np.abs(audio).max() > 0.5 else "SAD")


def test_labels_and_accuracy_are_counted_against_the_unchanged_clips(monkeypatch: pytest.MonkeyPatch):
    halved = Change("halved", lambda waveform, rng: waveform / 2)
    for name in list(CHANGES):
        monkeypatch.delitem(CHANGES, name)
    monkeypatch.setitem(CHANGES, "halved", halved)
    angry = next(clip for clip in load_index().values() if clip.emotion == "ANG")
    waveforms = [np.full(100, level, np.float32) for level in (0.9, 0.6, 0.4, 0.0)]
    table = dict(under_changes(cast(Any, {"by level": ByLevel()}), [angry] * 4, waveforms))
    assert table["unchanged"]["by level"] == (1.0, 0.5)
    # The first two turn from angry to sad; silence stays without speech, which is no label, and so not the same one.
    assert table["halved"]["by level"] == (0.25, 0.0)


def test_no_speech_is_no_label():
    heard = labels(cast(Any, ByLevel()), [np.zeros(10, np.float32), np.ones(10, np.float32)])
    assert heard.tolist() == [NO_SPEECH, EMOTIONS.index("ANG")]


def test_a_part_of_the_shared_clips_has_all_emotions_and_is_of_the_test_part(shared):
    clips, waveforms = shared_clips(12)
    assert len(clips) == len(waveforms) == 12
    assert sorted({clip.emotion for clip in clips}) == list(EMOTIONS)
    assert {clip.report_split for clip in clips} == {"test"}


def test_ravdess_is_read_by_its_names():
    clips = ravdess_clips()
    if not clips:
        skip_or_fail("needs ../shared/ravdess")
    counts = Counter(clip.path.stem.split("-")[2] for clip in clips)
    assert counts["01"] * 2 == counts["03"] == counts["02"] == counts["07"]
