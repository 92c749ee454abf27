"""The work on the machines of a Ray cluster: blocks stream through Ray Data to workers that load the model once.

Ray Data takes as many blocks as its workers keep up with, starts a worker for one that is lost, and does its block
again. The files lie under the same paths on all machines; the checkpoint is sent along.
"""

from __future__ import annotations

import itertools
import logging
import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ser_core.checksums import SUMS_FILE
from ser_core.errors import ConfigError
from ser_core.ray_cluster import connect
from ser_core.records.checkpoints import CHECKPOINT_FILES, checkpoints_dir
from ser_core.serving.many.blocks import Block, Done, Results
from ser_core.serving.many.classifier import Classification
from ser_core.serving.many.processes import Processes

BLOCKS_AT_ONCE = 20_000
"""That Ray Data knows of; its workers are started again for each such portion of a very large folder."""
IN_HAND = 2  # blocks of a worker: the one that it works on, and the next
COLUMN = "block"  # of the tables that Ray Data moves about, each with one block, pickled


def classify_on_cluster(blocks: Iterator[Block], address: str, work: Classification, workers: int | None) -> Results:
    """Results of blocks, in whatever order they end, from the machines of a cluster.

    Args:
        address: of the cluster, see `ser_core.ray_cluster.connect`.
        work: what a worker has to know.
        workers: of one core each, at most; None for as many as there are.

    Raises:
        ConfigError: there is no such cluster, or it gave up.
    """
    # Ray writes to this process's log what is no matter for who waits for a table.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    ray = connect(address)
    try:
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        folder = (work.root or checkpoints_dir()) / work.settings.checkpoint
        files = {
            name: (folder / name).read_bytes() for name in (*CHECKPOINT_FILES, SUMS_FILE) if (folder / name).is_file()
        }
        sent = ray.put(replace(work, root=None, files=files))
        most = min(workers or 1_000_000, max(1, int(ray.cluster_resources().get("CPU", 1))))
        while portion := list(itertools.islice(blocks, BLOCKS_AT_ONCE)):
            yield from _classify(ray, portion, sent, most)
    finally:
        ray.shutdown()


def _classify(ray: Any, blocks: list[Block], work: Any, workers: int) -> Results:
    workers = min(workers, len(blocks))
    results = ray.data.from_arrow([_packed(block) for block in blocks]).map_batches(
        _Worker,
        fn_constructor_args=(work,),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(
            min_size=1, max_size=workers, initial_size=workers, max_tasks_in_flight_per_actor=IN_HAND
        ),
    )
    try:
        for table in results.iter_batches(batch_size=None, batch_format="pyarrow"):
            for packed in table[COLUMN].to_pylist():
                yield _unpacked(packed)
    except ray.exceptions.RayError as error:
        raise ConfigError(
            f"The cluster gave up: {str(error).strip().splitlines()[-1]} What was classified is kept: the same command "
            "goes on, also without --ray."
        ) from None


class _Worker:
    """One of the cluster's actors. A process of its own classifies, as on this machine: a file can't end the actor.

    Args:
        work: reference to what it has to know.
    """

    def __init__(self, work: Any):
        import ray

        self.processes = Processes(ray.get(work), workers=1)

    def __call__(self, table: Any) -> Any:
        blocks = [pickle.loads(packed) for packed in table[COLUMN].to_pylist()]
        return _packed(*self.processes.map(blocks))


def _packed(*items: Any) -> Any:
    import pyarrow as pa

    return pa.table({COLUMN: [pickle.dumps(item) for item in items]})


def _unpacked(packed: bytes) -> list[Done]:
    return pickle.loads(packed)
