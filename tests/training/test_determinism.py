"""The same command gives the same record and weights, bit for bit, in any process, and however it was broken."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ser_core.corpus.folder import Corpus
from ser_core.records.runs import partial_folder
from ser_core.training.saved_state import STATE_FILE
from tests.helpers import ROOT

SETTINGS = ("--model=1d", "--act=elu", "--mixup=0.4", "--spec-augment=1", "--copies=1", "--warmup-epochs=1")
SECONDS = 120
BROKEN = """
import os, signal
from ser_core.training import experiment
from ser_core.training.command import main
experiment.SAVE_EVERY_SECONDS = 0
write = experiment.write_history
def killed(folder, history):
    write(folder, history)
    if len(history) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
experiment.write_history = killed
main()
"""


@pytest.fixture
def command(corpus: Corpus, clips, tmp_path: Path) -> list[str]:
    names = [clip.name for clip in clips if not clip.defect]
    parts = {"train": names[:12], "val": names[12:18], "test": names[18:24]}
    (tmp_path / "few.json").write_text(json.dumps(parts))
    return [*SETTINGS, "--epochs=3", f"--split={tmp_path / 'few.json'}", f"--corpus={corpus.folder}", "--device=cpu"]


def train(arguments: list[str], out: Path, seed: str, how: list[str]) -> int:
    """Run the command in a process of its own, whose hashes are its own, too; its features are computed anew."""
    places = [f"--out={out}", f"--cache={out / 'features'}", "--name=run"]
    surroundings = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *how, *arguments, *places], cwd=ROOT, env=surroundings, capture_output=True, timeout=SECONDS
    )
    return done.returncode


def result(out: Path) -> tuple[list[dict[str, str]], dict[str, bytes], str, str]:
    """All that a training makes, but for how long it took."""
    with (out / "runs" / "run" / "history.csv").open(newline="") as table:
        history = [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(table)]
    checkpoint = out / "checkpoints" / "run"
    files = {name: (checkpoint / name).read_bytes() for name in ("model.safetensors", "embedding.safetensors")}
    test = json.loads((out / "runs" / "run" / "test.json").read_text()) | {"training_seconds": 0}
    return history, files, json.dumps(test), (out / "runs" / "run" / "predictions.csv").read_text()


@pytest.mark.long
def test_the_same_command_gives_the_same_bits_also_when_it_is_killed_and_resumed(command: list[str], tmp_path: Path):
    """The broken one is the same command, too: features and two epochs in one process, the rest in another."""
    assert train(command, tmp_path / "whole", "1", ["train.py"]) == 0
    whole = result(tmp_path / "whole")
    assert len(whole[0]) == 3

    assert train(command, tmp_path / "broken", "2", ["-c", BROKEN]) == -signal.SIGKILL
    assert (partial_folder(tmp_path / "broken" / "runs", "run") / STATE_FILE).is_file()
    assert train([*command, "--resume"], tmp_path / "broken", "3", ["train.py"]) == 0
    assert result(tmp_path / "broken") == whole
