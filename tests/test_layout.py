"""Who may import whom (README, "Layout"), and that what has to start fast does."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.helpers import ROOT

LIBRARY = sorted((ROOT / "ser_core").rglob("*.py"))
ALL = sorted(
    path
    for folder in ("ser_core", "ser_app", "pages", "tests", "tools", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
LAYERS = (
    "audio",
    "corpus",
    "features",
    "models",
    "records",
    "training",
    "analysis",
    "serving",
    "explain",
    "evaluation",
)
"""Packages of the library, each of which may import those before it; serving and analysis don't know each other."""

EXCEPTIONS = {("records", "ser_core.training.config")}
"""A record holds the settings of its run; the settings themselves know nothing of records."""

WAYS_IN = ("ser_core", "ser_core.predict", "ser_core.stream", "ser_core.cremad", "ser_core.evaluate")
"""Modules beside the packages that show what is in them; all others are the ground that the packages stand on."""

MAX_LINES = 320


@cache
def imports(path: Path) -> list[str]:
    """Modules that a file imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def top_level(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imports(path)}


def package(module: str) -> str | None:
    """Package of the library that a module belongs to, None for what is no part of one."""
    parts = module.split(".")
    return parts[1] if parts[0] == "ser_core" and len(parts) > 1 and parts[1] in LAYERS else None


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_every_package_of_the_library_has_its_layer():
    packages = {path.parent.name for path in (ROOT / "ser_core").glob("*/__init__.py")}
    assert packages == set(LAYERS)


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_arrows_inside_the_library_point_one_way(path: Path):
    """In the order of `LAYERS`; serving knows neither training nor analysis."""
    here = package(module_name(path))
    for module in imports(path):
        there = package(module)
        if here is None or there is None or here == there or (here, module) in EXCEPTIONS:
            continue
        if any((here, module.rpartition(".")[0]) == exception for exception in EXCEPTIONS):
            continue
        assert LAYERS.index(there) < LAYERS.index(here), f"{module_name(path)} imports {module}"
        assert (here, there) not in {("serving", "training"), ("serving", "analysis")}, module


@pytest.mark.parametrize("path", sorted((ROOT / "ser_core").glob("*.py")), ids=module_name)
def test_modules_beside_the_packages_know_none(path: Path):
    if module_name(path) not in WAYS_IN:
        assert not {package(module) for module in imports(path)} - {None}


def test_no_circle_of_modules():
    known = {module_name(path): path for path in LIBRARY}
    graph = {name: {m for m in imports(path) if m in known and m != name} for name, path in known.items()}
    for name in graph:  # a package's own modules import it for its constants
        graph[name] -= {"ser_core"}
    visiting: list[str] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        assert name not in visiting, " → ".join([*visiting[visiting.index(name) :], name])
        if name in done:
            return
        visiting.append(name)
        for other in sorted(graph[name]):
            visit(other)
        visiting.pop()
        done.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_the_library_knows_nothing_of_the_app(path: Path):
    assert not top_level(path) & {"streamlit", "ser_app", "pages"}


@pytest.mark.parametrize("path", sorted((ROOT / "ser_app").rglob("*.py")), ids=module_name)
def test_what_pages_share_knows_no_page(path: Path):
    assert not top_level(path) & {"pages", "streamlit_app"}


@pytest.mark.parametrize("path", sorted((ROOT / "ser_core" / "corpus").rglob("*.py")), ids=module_name)
def test_the_corpus_knows_nothing_of_torch(path: Path):
    assert "torch" not in top_level(path)


@pytest.mark.parametrize("path", sorted((ROOT / "ser_core" / "analysis").rglob("*.py")), ids=module_name)
def test_analysis_knows_nothing_of_torch(path: Path):
    assert "torch" not in top_level(path)


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_the_library_computes_features_without_librosa(path: Path):
    """Librosa compiles itself for seconds on a cold machine: it is the reference in tests, and no page waits for it."""
    assert not top_level(path) & {"librosa", "numba"}


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_a_module_is_one_concept(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=module_name)
def test_tests_import_no_tests(path: Path):
    """What tests share has a module of its own."""
    for module in imports(path):
        parts = module.split(".")
        assert not (parts[0] == "tests" and any(part.startswith("test_") or part == "conftest" for part in parts)), (
            module
        )


@pytest.mark.parametrize(
    "module",
    [
        "ser_core",
        "ser_core.features.spectral",
        "ser_core.corpus.folder",
        "ser_core.records.runs",
        "ser_core.analysis.findings",
        "ser_app.sources",
    ],
)
def test_torch_is_imported_by_those_who_need_it(module: str):
    check = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
