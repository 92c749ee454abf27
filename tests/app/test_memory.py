"""What the app remembers is bounded, and what is used stays."""

import pytest

from ser_app.work_view import roughly
from ser_core.memory import Memory


def test_the_least_used_is_forgotten_first():
    memory: Memory[str] = Memory(6, len)
    memory.put("a", "aa")
    memory.put("b", "bb")
    memory.put("c", "cc")
    assert memory.get("a") == "aa"
    memory.put("d", "d")
    assert memory.get("b") is None
    assert [memory.get(key) for key in "acd"] == ["aa", "cc", "d"]
    memory.put("d", "dd")
    assert len(memory) == 3
    memory.put("e", "much too long")
    assert memory.get("e")
    assert len(memory) == 1


@pytest.mark.parametrize(("seconds", "says"), [(0.2, "1 seconds"), (118.7, "119 seconds"), (293, "5 minutes")])
def test_what_is_left_is_rough(seconds: float, says: str):
    assert roughly(seconds) == says
