"""A predictor is used from threads, event loops and other processes, however they were started."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile

from ser_core.audio.decode import decode
from ser_core.forks import step
from ser_core.once import once
from ser_core.serving.predictor import Predictor
from tests.helpers import LONG, ROOT, case

SECONDS = 60  # in which everything ends, loading torch included
TWO_THREADS = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"}
"""For what is started: by itself it has one (`conftest.py`), and then no fork could go wrong. Where other tests take
the cores, threads that wait by turning around would take minutes."""


def needs_fork(test: Callable[..., None]) -> Callable[..., None]:
    warned = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
    return pytest.mark.skipif(not hasattr(os, "fork"), reason="the system knows no forks")(warned(test))


SCRIPT = """
import multiprocessing, sys
from pathlib import Path
import torch
from ser_core import Predictor

how, folder, *files = sys.argv[1:]
predictor = Predictor.load("2d-fixed", root=Path(folder))

def label(file):
    return predictor(file).emotion

class Labels(torch.utils.data.Dataset):
    def __len__(self):
        return len(files)

    def __getitem__(self, i):
        return label(files[i])

if __name__ == "__main__":
    torch.set_num_threads(2)
    here = [label(file) for file in files]  # now torch has threads
    if how in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(how).Pool(2) as pool:
            there = pool.map(label, files)
    else:
        loader = torch.utils.data.DataLoader(
            Labels(), batch_size=None, num_workers=2, multiprocessing_context=how.removeprefix("loader-")
        )
        there = list(loader)
    assert there == here == [label(file) for file in files], (here, there)
"""


@pytest.fixture(scope="module")
def files(corpus, clips) -> list[Path]:
    return [corpus.path(clip) for clip in clips if not clip.defect][:4]


@LONG
@pytest.mark.parametrize("how", ["fork", "spawn", "loader-fork", "loader-spawn"])
def test_other_processes_hear_the_same(how: str, checkpoints: Path, files: list[Path], tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | TWO_THREADS | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), how, str(checkpoints), *map(str, files)]
    run = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert run.returncode == 0, run.stderr


@LONG
def test_the_case_of_a_pool_gives_six_labels():
    environment = os.environ | TWO_THREADS
    run = subprocess.run(
        [sys.executable, case("fork-pool/fork.py")],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert run.stdout == "['ANG', 'ANG', 'FEA', 'FEA', 'NEU', 'HAP']\n"


def test_an_event_loop_goes_on_beside_it(checkpoints: Path, files: list[Path]):
    """As in a notebook, where one runs always: in a thread, and where a cell just calls it."""
    predictor = Predictor.load("1d-fixed", root=checkpoints)
    expected = [predictor(file).emotion for file in files]

    async def classify() -> tuple[list[str], list[str]]:
        beside = await asyncio.gather(*(asyncio.to_thread(predictor, file) for file in files))
        return [prediction.emotion for prediction in beside], [predictor(file).emotion for file in files]

    # In a thread of its own: Playwright's loop runs in this one once a browser was tested.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, classify()).result() == (expected, expected)


@needs_fork
def test_a_fork_waits_for_no_thread_that_loads_something():
    loading, go_on = threading.Event(), threading.Event()

    @once
    def load() -> int:
        loading.set()
        go_on.wait()
        return 3

    thread = threading.Thread(target=load)
    thread.start()
    loading.wait()
    if (child := os.fork()) == 0:
        go_on.set()
        os._exit(load())
    ended = _status(child)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(ended) == 3


@needs_fork
def test_a_fork_waits_for_no_thread_that_opens_a_file(files: list[Path]):
    with soundfile.SoundFile._sf_error_lock:  # as a thread has it that isn't in the child
        if (child := os.fork()) == 0:
            os._exit(decode(files[0]).rate // 1000)
        assert os.waitstatus_to_exitcode(_status(child)) == 16


@needs_fork
def test_a_fork_comes_between_the_steps_of_other_threads(files: list[Path]):
    """As in `step`, torch and onnxruntime hold locks of their own, which nobody else can make new."""
    inside, ended = threading.Event(), threading.Event()

    def compute() -> None:
        with step:
            inside.set()
            time.sleep(0.3)
            ended.set()

    thread = threading.Thread(target=compute)
    thread.start()
    inside.wait()
    if (child := os.fork()) == 0:
        with step, step:
            os._exit(3 if ended.is_set() else 4)
    assert os.waitstatus_to_exitcode(_status(child)) == 3
    with step:  # may be taken again, and a fork in it doesn't wait for itself
        if (child := os.fork()) == 0:
            with step:
                os._exit(5)
        assert os.waitstatus_to_exitcode(_status(child)) == 5
    thread.join()


@LONG
@needs_fork
def test_children_classify_that_are_forked_while_threads_do(checkpoints: Path, files: list[Path]):
    predictor = Predictor.load("1d-fixed", root=checkpoints)
    expected = predictor(files[0]).confidence
    stop = threading.Event()

    def classify() -> None:
        while not stop.is_set():
            predictor(files[0])

    threads = [threading.Thread(target=classify) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for pause in range(10):
            time.sleep(0.01 * pause)
            if (child := os.fork()) == 0:
                os._exit(abs(predictor(files[0]).confidence - expected) < 1e-5)
            assert os.waitstatus_to_exitcode(_status(child)) == 1
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _status(child: int) -> int:
    for _ in range(20 * SECONDS):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.05)
    os.kill(child, 9)
    return os.waitpid(child, 0)[1]
