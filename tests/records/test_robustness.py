"""What the robustness benchmark printed, read again."""

from pathlib import Path

import pytest

from ser_core.records import robustness
from ser_core.records.robustness import STEPS, kept_by_steps

PRINTED = """$ python -m benchmarks.robustness --clips 90
(a processor)
CREMA-D, 90 clips: same label / accuracy
                                     one        two
telephone band, 300–3,400 Hz    8% / 16%  57% / 43%
room, RT60 0.5 s               72% / 46%  89% / 47%

$ python -m benchmarks.robustness --clips 90
CREMA-D, 90 clips: same label / accuracy
                                   three       four
telephone band, 300–3,400 Hz    9% / 16%  11% / 17%
"""


def test_labels_that_stay_over_a_telephone_are_read_from_all_that_was_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(robustness, "checkout", lambda: tmp_path)
    assert kept_by_steps("telephone") == {}
    (tmp_path / STEPS).parent.mkdir(parents=True)
    (tmp_path / STEPS).write_text(PRINTED, encoding="utf-8")
    assert kept_by_steps("telephone") == pytest.approx({"one": 0.08, "two": 0.57, "three": 0.09, "four": 0.11})
    monkeypatch.setattr(robustness, "checkout", lambda: None)
    assert kept_by_steps("telephone") == {}
