"""A Ray cluster of two nodes, one of whose workers is killed midway: a grid, a search, and many recordings."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ser_core.records.runs import load_runs
from ser_core.records.searches import load_search
from ser_core.serving.predict_command import main as predict
from ser_core.training import grid_command as grid
from ser_core.training.survey import epochs_in_progress, survey
from tests.helpers import QUICK, RAY

pytest.importorskip("ray", reason="Ray is optional: pip install -r requirements-ray.txt")
pytestmark = RAY
PATIENCE_SECONDS = 300  # a crowded machine takes long to start a cluster

# In a process of its own: says where the cluster is once both nodes have done something, and ends it when its input is
# closed.
CLUSTER = """
import sys
import ray
from ray.cluster_utils import Cluster
cluster = Cluster()
for _ in range(2):
    cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20, include_dashboard=False)
ray.init(cluster.address, log_to_driver=False)
where = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(lambda: ray.get_runtime_context().get_node_id())
ray.get([where.remote() for _ in range(2)], timeout=120)
ray.shutdown()
print("address", cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two nodes with one CPU each. One in which nothing runs, on a crowded machine, is started anew."""
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "-c", CLUSTER]
    said = []
    for _ in range(2):
        with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-2, text=True, env=environment) as cluster:
            for line in cluster.stdout:
                said.append(line)
                if match := re.match(r"address (\S+)", line):
                    yield match[1]
                    cluster.communicate(timeout=60)
                    return
    pytest.fail("".join(said))


def workers(function: str) -> list[int]:
    """Process ids of Ray workers that are calling it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(f"ray::{function}".encode()):
            found.append(int(folder.name))
    return found


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_every_run_is_recorded_once_though_a_worker_was_killed(options: list[str], tmp_path: Path, address: str):
    arguments = [*options, "--epochs", "40", "--ray", address]
    runs_dir = tmp_path / "runs"
    entries = survey(grid.configurations(grid.parse_arguments(arguments)), runs_dir)
    with subprocess.Popen([sys.executable, "grid.py", *arguments], stdout=-1, stderr=-2, text=True) as process:
        killed, deadline = 0, time.monotonic() + PATIENCE_SECONDS
        at_once = 0
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
                pytest.fail(process.stdout.read())
            training = workers("train_one")
            at_once = max(at_once, len(training))
            if not killed and training and any(epochs_in_progress(runs_dir, name) >= 3 for name in QUICK):
                killed = min(training)
                os.kill(killed, signal.SIGKILL)
            time.sleep(0.05)
        output = process.stdout.read()
    assert process.returncode == 0, output
    assert killed
    assert at_once == 2
    runs, unreadable = load_runs(runs_dir)
    assert sorted(run.name for run in runs) == sorted(QUICK)
    assert not unreadable
    assert [run.test.epochs for run in runs] == [40, 40]
    assert {entry.state for entry in survey([entry.config for entry in entries], runs_dir)} == {"recorded"}
    for name in QUICK:
        assert output.count(f"{name}: test accuracy") == 1
        assert json.loads((runs_dir / name / "config.json").read_text())["environment"]["git_commit"]
        assert (tmp_path / "checkpoints" / name / "model.safetensors").is_file()


def test_a_run_that_asks_for_more_than_the_cluster_has_is_refused(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    cluster = SimpleNamespace(cluster_resources=lambda: {"CPU": 2.0})
    monkeypatch.setattr("ser_core.training.ray_pool.connect", lambda address, variables: cluster)
    with pytest.raises(SystemExit, match="2"):
        grid.main([*options, "--epochs", "2", "--ray", "auto", "--gpus", "1"])
    assert "A run asks for 1 CPU and 1 GPU, and the cluster has 2 and 0." in capsys.readouterr().err


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_a_search_has_as_many_trials_as_asked_for_though_a_worker_was_killed(
    corpus, tiny: Path, feature_cache: Path, tmp_path: Path, address: str
):
    pytest.importorskip("optuna", reason="Optuna is optional: pip install -r requirements-search.txt")
    parts = {part: names[:6] for part, names in json.loads(tiny.read_text()).items()}
    (tmp_path / "small.json").write_text(json.dumps(parts))
    options = ["--epochs", "1", "--copies", "0", "--split", str(tmp_path / "small.json"), "--device", "cpu"]
    options += ["--corpus", str(corpus.folder), "--cache", str(feature_cache), "--out", str(tmp_path), "--ray", address]
    command = [sys.executable, "grid.py", "search", "--trials", "3", *options]
    killed, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    with subprocess.Popen(command, stdout=-1, stderr=-2, text=True) as process:
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
                pytest.fail(process.stdout.read())
            if not killed and (training := workers("run_trial")):
                killed = training[0]
                os.kill(killed, signal.SIGKILL)
            time.sleep(0.05)
        output = process.stdout.read()
    assert process.returncode == 0, output
    assert killed
    assert sorted(re.findall(r"^trial (\d+):", output, re.MULTILINE)) == ["0", "1", "2"]
    assert "3 trials of 3, 0 of them given up." in output
    (record,) = (tmp_path / "runs").iterdir()  # nothing is tested
    assert load_search(record).device.endswith(", fp32")  # also where a machine is faster in another precision


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_every_file_is_once_in_the_table_though_a_worker_was_killed(
    corpus, checkpoints: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(checkpoints))
    files = [str(corpus.path(name)) for name in sorted(corpus.present)[:48]]
    arguments = [*files, str(tmp_path / "nowhere.wav"), "--checkpoint", "1d-fixed"]
    table, local = tmp_path / "cluster.jsonl", tmp_path / "local.jsonl"
    command = [sys.executable, "-m", "ser_core.predict", *arguments, "--out", str(table), "--ray", address]
    with subprocess.Popen(command, stdout=-1, stderr=-2, text=True) as process:
        killed, deadline = 0, time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
                pytest.fail(process.stdout.read())
            journal = Path(f"{table}.journal-wal")
            if not killed and journal.exists() and (classifying := workers("MapWorker(MapBatches(_Worker)).submit")):
                killed = classifying[0]
                os.kill(killed, signal.SIGKILL)
            time.sleep(0.05)
        output = process.stdout.read()
    with pytest.raises(SystemExit, match="2"):
        predict([*arguments, "--out", str(local), "--workers", "1"])
    assert process.returncode == 2, output
    assert killed
    rows = [[json.loads(line) for line in path.read_text().splitlines()] for path in (table, local)]
    assert sorted(row["file"] for row in rows[0]) == sorted([*files, str(tmp_path / "nowhere.wav")])
    assert rows[0] == rows[1]
