"""Who may import whom (README, "How it works"), and that what has to start fast does."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT

LIBRARY = sorted((ROOT / "ser_core").glob("*.py"))
MAX_LINES = 320


def imported(path: Path) -> set[str]:
    """Top-level names of all that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_library_knows_nothing_of_the_app(path: Path):
    assert not imported(path) & {"streamlit", "ser_app", "pages"}


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_library_computes_features_without_librosa(path: Path):
    """Librosa compiles itself for seconds on a cold machine: it is the reference in tests, and no page waits for it."""
    assert not imported(path) & {"librosa", "numba"}


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_a_module_is_one_concept(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "module",
    ["ser_core", "ser_core.features", "ser_core.cremad", "ser_core.runs", "ser_core.findings", "ser_app.sources"],
)
def test_torch_is_imported_by_those_who_need_it(module: str):
    check = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
