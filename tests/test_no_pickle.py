"""Nothing that is stored can run code: weights are safetensors, arrays are numbers, records are text."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.helpers import ROOT

CODE = sorted(
    path for folder in ("ser_core", "ser_app", "pages", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")
) + sorted(ROOT.glob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle", "yaml"}
"""Modules that store objects, or call what a file names."""

NAMES = {"read_pickle", "to_pickle", "fromfile", "load_state_dict_from_url", "weights_only", "trust_remote_code"}
OF_MODULES = {("torch", "load"), ("torch", "save"), ("torch", "hub"), ("torch", "jit")}
CALLS = {"eval", "exec", "compile", "__import__"}

EXCEPTIONS = {"ser_core/serving/many/cluster.py": {"pickle"}}
"""Between the processes of a Ray cluster, which pickles all that it moves; nothing of that is stored."""


def found_in(path: Path) -> set[str]:
    """What a file uses of all these."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                found |= {alias.name.split(".")[0] for alias in names} & MODULES
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module.split(".")[0]} & MODULES | {alias.name for alias in names} & NAMES
                found |= {f"{module}.{alias.name}" for alias in names if (module, alias.name) in OF_MODULES}
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (module, name) in OF_MODULES:
                found.add(f"{module}.{name}")
            case ast.Attribute(attr=name) if name in NAMES:
                found.add(name)
            # Which NumPy refuses unless it is asked not to.
            case ast.keyword(arg="allow_pickle", value=value) if not (
                isinstance(value, ast.Constant) and value.value is False
            ):
                found.add("allow_pickle")
            case ast.keyword(arg=str(name)) if name in NAMES:
                found.add(name)
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                found.add(name)
    return found


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_code_stores_or_loads_objects(path: Path):
    assert not found_in(path) - EXCEPTIONS.get(path.relative_to(ROOT).as_posix(), set())


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import torch; torch.load('x')",
        "from torch import load",
        "np.loadtxt and np.load('x', allow_pickle=True)",
        "pd.read_pickle('x')",
        "eval('x')",
    ],
)
def test_it_would_be_found(code: str, tmp_path: Path):
    path = tmp_path / "x.py"
    path.write_text(code)
    assert found_in(path)


def test_exceptions_are_still_needed():
    for name, allowed in EXCEPTIONS.items():
        assert found_in(ROOT / name) & allowed, name


def test_what_is_shipped_is_text_or_safetensors():
    stored = [path for folder in ("runs", "checkpoints", "evaluations") for path in (ROOT / folder).rglob("*")]
    kinds = {path.suffix for path in stored if path.is_file() and ".partial" not in path.parts}
    assert kinds <= {".json", ".csv", ".md", ".txt", ".safetensors", ""}
