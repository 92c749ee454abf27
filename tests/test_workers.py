import multiprocessing
import os
import signal

import pytest

from ser_core.errors import RunError
from ser_core.workers import cores, map_in_processes


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Here a process can't be kept to some cores.")
def test_only_cores_that_this_process_may_use_count():
    """As in a container or a job of a cluster, which has fewer than the machine."""
    allowed = os.sched_getaffinity(0)
    assert cores() == len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def kill_itself(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def how_it_began(number: int) -> str:
    return multiprocessing.current_process().__class__.__name__


def test_a_process_that_is_killed_is_said_in_a_sentence():
    with pytest.raises(RunError, match="One of several processes was killed"):
        list(map_in_processes(kill_itself, [1, 2], 2))


@pytest.mark.parametrize(("spawn", "kind"), [(False, "ForkProcess"), (True, "SpawnProcess")])
def test_processes_begin_from_nothing_where_that_is_asked_for(spawn: bool, kind: str):
    assert list(map_in_processes(how_it_began, [1, 2], 2, spawn=spawn)) == [kind, kind]
