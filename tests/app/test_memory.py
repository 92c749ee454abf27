"""What the app remembers is bounded, and what is used stays."""

import subprocess
import sys

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


ROUNDS = """
import gc, weakref
from ser_core import memory

class Thing: pass

def thing():
    made = Thing()
    made.itself = made
    return weakref.ref(made), made

def cheap():
    return len(gc.get_objects()) < 200

now = 0.0
rounds = memory.ShortRounds(lambda: now)
gc.callbacks.append(rounds)
before, kept = thing()
gc.collect()
assert not cheap()  # it was quick
memory.LONG_SECONDS = -1.0
gc.collect()
assert cheap()
del kept
after, _ = thing()
del _
gc.collect()
assert after() is None  # what is new goes at once
assert before() is not None
now = memory.WHOLE_SECONDS + 1
gc.collect()
assert before() is None  # and the rest later
assert cheap()
before, kept = thing()
gc.collect()
del kept
memory.collect_everything()
assert before() is None  # or when somebody asks for it
assert cheap()
"""


def test_rounds_of_the_garbage_collector_leave_out_what_stays():
    subprocess.run([sys.executable, "-c", ROUNDS], check=True)  # of its own: other tests' objects would stay, too
