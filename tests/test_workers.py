import os

import pytest

from ser_core.workers import cores


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
