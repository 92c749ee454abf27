"""A small grid that is really trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import QUICK


@pytest.fixture(scope="module")
def tiny(clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split of the shared clips; those that are trained on are of the report's training part."""
    parts = {part: [clip.name for clip in clips if clip.report_split == part] for part in ("train", "val", "test")}
    path = tmp_path_factory.mktemp("split") / "tiny.json"
    path.write_text(json.dumps(parts | {"test": parts["test"][:20]}))
    return path


@pytest.fixture
def options(corpus, tiny: Path, feature_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line of a small grid of two runs."""
    monkeypatch.setenv("SER_CACHE_DIR", str(feature_cache))
    folders = ["--corpus", str(corpus.folder), "--out", str(tmp_path)]
    return ["report", "--split", str(tiny), "--only", *QUICK, "--device", "cpu", *folders]
