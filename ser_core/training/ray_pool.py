"""A grid over several machines, by Ray (`pip install -r requirements-ray.txt`).

Each run is a task. Ray takes the code to the machines, starts as many at once as fit, and tries again where a worker
or a machine is lost; a run goes on from what it had saved if the other machine sees the same folder, and from the
beginning if not. The record and the weights come back to the machine that asked. Each machine finds the corpus by its
own `CREMAD_DIR`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ser_core.corpus.splits import Split, load_split
from ser_core.errors import RunError, SERError
from ser_core.files import new_folder
from ser_core.ray_cluster import connect, require_share
from ser_core.records.runs import restore_runs
from ser_core.training.compute import Compute
from ser_core.training.config import TrainConfig
from ser_core.training.experiment import run_experiment
from ser_core.training.pool import MAX_ATTEMPTS
from ser_core.training.provenance import COMMIT_VARIABLE, git_commit
from ser_core.training.run_folders import keep_shorter
from ser_core.training.survey import Entry, how_to_start, survey_one

Files = dict[str, bytes]


class RayPool:
    """Machines of a Ray cluster.

    Args:
        address: of the cluster, as `ray start --head` prints it; `auto` for the one on this machine.
        runs_dir, checkpoints_dir: where records and weights go on this machine.
        corpus, cache_dir: on the machines that train; their own settings where None.
        cpus, gpus: share of a machine that a run gets.
        compute: where and how a run computes.

    Raises:
        ConfigError: Ray is not installed, or nothing answers at the address.
    """

    def __init__(
        self,
        address: str,
        *,
        runs_dir: Path,
        checkpoints_dir: Path,
        corpus: Path | None = None,
        cache_dir: Path | None = None,
        cpus: float = 1,
        gpus: float = 0,
        compute: Compute = Compute(),
    ):
        self.runs_dir, self.checkpoints_dir = runs_dir, checkpoints_dir
        self.options: dict[str, Any] = {
            "corpus": corpus,
            "cache_dir": cache_dir,
            "runs_dir": runs_dir.resolve(),
            "checkpoints_dir": checkpoints_dir.resolve(),
            "compute": compute,
            "threads": max(1, int(cpus)),
        }
        self.ray = ray = connect(address, {COMMIT_VARIABLE: git_commit() or ""})
        require_share(ray, "A run", cpus, gpus)
        self.slots = 1_000_000  # Ray itself keeps those waiting that don't fit
        share: dict[str, Any] = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": MAX_ATTEMPTS - 1}
        remote: Any = ray.remote(**share)
        self.task = remote(train_one)
        self.refs: dict[Any, str] = {}

    def start(self, entry: Entry) -> None:
        """See `Pool`."""
        split = load_split(entry.config.split)
        self.refs[self.task.remote(entry.config, split, **self.options)] = entry.name

    def ended(self) -> dict[str, str | None]:
        """See `Pool`."""
        outcomes: dict[str, str | None] = {}
        done, _ = self.ray.wait(list(self.refs), num_returns=len(self.refs), timeout=0) if self.refs else ([], [])
        for ref in done:
            outcomes[self.refs.pop(ref)] = self._collect(ref)
        return outcomes

    def stop(self) -> None:
        """See `Pool`."""
        for ref in self.refs:
            self.ray.cancel(ref, force=True)
        self.refs.clear()
        self.ray.shutdown()

    def _collect(self, ref: Any) -> str | None:
        try:
            record, checkpoint = self.ray.get(ref)
        except self.ray.exceptions.RayError as error:
            return str(error).strip().splitlines()[-1]
        for (name, files), root in ((checkpoint, self.checkpoints_dir), (record, self.runs_dir)):
            _store(files, root / name, is_record=root == self.runs_dir)
        return None


def _store(files: Files, folder: Path, is_record: bool) -> None:
    """Write a record or checkpoint that came back, unless the machine that trained it sees the same folder."""
    if folder.is_dir() and _files(folder) == files:
        return
    with new_folder(folder) as new:
        for name, content in files.items():
            (new / name).write_bytes(content)
        if is_record:
            keep_shorter(new, folder)


def train_one(
    config: TrainConfig,
    split: Split,
    *,
    corpus: Path | None,
    cache_dir: Path | None,
    runs_dir: Path,
    checkpoints_dir: Path,
    compute: Compute,
    threads: int,
) -> tuple[tuple[str, Files], tuple[str, Files]]:
    """Train one run on the machine where this is called, unless an attempt before this one was lost on its last step.

    Returns:
        of its record and of its checkpoint, the folder's name and the files.
    """
    import torch

    from ser_core.corpus.folder import Corpus
    from ser_core.training.device import Device

    torch.set_num_threads(threads)
    restore_runs(runs_dir)
    found = survey_one(config, runs_dir, split, compute)
    how = how_to_start(config, runs_dir, split, compute)
    try:
        if found.state == "other settings":
            raise RunError(found.reason)
        whole = found.state == "recorded" and (checkpoints_dir / config.name).is_dir()
        run = found.run if whole else None
        run = run or run_experiment(
            config,
            corpus=Corpus.open(corpus),
            device=Device.of(compute),
            resume=how == "resume",
            restart=how == "restart",
            runs_dir=runs_dir,
            checkpoints_dir=checkpoints_dir,
            cache_dir=cache_dir,
            split=split,
        )
    except SERError as error:
        raise RuntimeError(str(error)) from None  # Ray shows an error of its own that ends with this sentence
    return (run.name, _files(run.folder)), (run.name, _files(checkpoints_dir / run.name))


def _files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
