"""Long work stands back while somebody's short recording is classified."""

import threading
import time

import numpy as np
import pytest

from ser_app.classifying import LONG_SECONDS, classify
from ser_app.turns import Turns
from ser_app.uploads import Recording
from ser_core.audio import SAMPLE_RATE


def test_long_work_waits_for_short_work_but_not_for_ever():
    turns = Turns()
    assert turns.stand_back() < 0.1
    with turns.short():
        assert turns.stand_back(0.2) >= 0.2
        begun, waited = threading.Event(), []

        def work() -> None:
            begun.set()
            waited.append(turns.stand_back(30.0))

        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        time.sleep(0.1)
    thread.join(10.0)
    assert 0 < waited[0] < 10.0
    with pytest.raises(ValueError, match="wrong"), turns.short():
        raise ValueError("wrong")
    assert turns.stand_back() < 0.1


@pytest.mark.usefixtures("two_checkpoints")
@pytest.mark.parametrize(("seconds", "expected"), [(2.0, "short"), (LONG_SECONDS + 30, "long")])
def test_a_short_recording_goes_first_and_a_long_one_stands_back(
    seconds: float, expected: str, monkeypatch: pytest.MonkeyPatch
):
    kinds: list[str] = []

    class Noted(Turns):
        def short(self):
            kinds.append("short")
            return super().short()

        def stand_back(self, seconds: float = 0.0) -> float:
            kinds.append("long")
            return 0.0

    monkeypatch.setattr("ser_app.classifying.turns", Noted)
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    classify([Recording("noise", noise)], ["glad"], 0.4, True)
    assert set(kinds) == {expected}
