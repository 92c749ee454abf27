import platform
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from ser_core.training import allocator
from ser_core.training import command as train

PAGES_CLEARED = """
import resource, torch
from ser_core.training.allocator import keep_freed_memory
from ser_core.models.registry import build_model
if {keep}:
    assert keep_freed_memory()
model = build_model("2d", "silu")
for step in range(8):
    if step == 4:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model.zero_grad()
    model(torch.ones(4, 1, 64, 64)).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_freed_memory_serves_the_next_training_step():
    def pages_cleared(keep: bool) -> int:
        command = [sys.executable, "-c", PAGES_CLEARED.format(keep=keep)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert pages_cleared(keep=True) < 0.1 * pages_cleared(keep=False)


def test_training_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    keep = Mock()
    monkeypatch.setattr(allocator, "keep_freed_memory", keep)
    with pytest.raises(SystemExit):
        train.main(["--corpus", str(tmp_path / "none"), "--cache", str(tmp_path), "--out", str(tmp_path)])
    keep.assert_called_once_with()
