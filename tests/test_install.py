"""The package as `pip install .` gives it: built, installed in an environment of its own, and used from any folder."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
import soundfile

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.synthetic import EXAMPLES, synthesize
from ser_core.records.checkpoints import list_checkpoints
from ser_core.records.runs import load_runs
from tests.helpers import LONG, ROOT
from tools.build_hook import SHIPPED, shipped_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
USE = """
import json, sys
import ser_core
from ser_core import Predictor, places
from ser_core.records.checkpoints import list_checkpoints
from ser_core.records.runs import load_runs
from ser_core.corpus.clips import load_index
prediction = Predictor.load()("x.wav")
runs, unreadable = load_runs()
print(json.dumps({
    "package": ser_core.__file__,
    "probabilities": prediction.probabilities,
    "checkpoints": list_checkpoints(),
    "runs": [run.name for run in runs],
    "unreadable": unreadable,
    "clips": len(load_index()),
    "written": str(places.written("runs")),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a file."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder)]
    _run([sys.executable, "-m", "pip", "wheel", str(ROOT), *options], folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment with the package, which finds what it depends on in this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    options = ["--python", str(folder / "bin" / "python"), "install", "--no-deps", "--no-index", "--quiet"]
    _run([sys.executable, "-m", "pip", *options, str(wheel)], folder)
    return folder / "bin"


def _run(command: list[str], folder: Path) -> str:
    """What a command prints that runs in a folder, where nothing says where the project is."""
    hidden = ("PYTHONPATH", "SER_RUNS_DIR", "SER_CHECKPOINTS_DIR")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@LONG
@pytest.mark.xdist_group("install")  # both use the wheel
@pytest.mark.install
def test_a_wheel_holds_the_library_what_it_ships_and_nothing_else(wheel: Path):
    names = set(ZipFile(wheel).namelist())
    package = {
        f"ser_core/{path.relative_to(ROOT / 'ser_core').as_posix()}" for path in (ROOT / "ser_core").rglob("*.py")
    }
    data = {f"ser_core/corpus/data/{name}" for name in ("actors.csv", "clips.csv", "SHA256SUMS")}
    shipped = {f"ser_core/shipped/{path}" for path in shipped_files(ROOT)}
    assert len(shipped) > 100
    metadata = {name for name in names if ".dist-info/" in name}
    assert names - metadata == package | data | shipped | {"ser_core/py.typed"}
    assert any(name.endswith("licenses/LICENSE") for name in metadata)


@LONG
@pytest.mark.xdist_group("install")  # both use the wheel
@pytest.mark.install
def test_an_installed_package_predicts_from_any_folder(commands: Path, tmp_path: Path):
    soundfile.write(tmp_path / "x.wav", synthesize(EXAMPLES["Even and calm"]), SAMPLE_RATE)
    found = json.loads(_run([str(commands / "python"), "-c", USE], tmp_path))
    assert Path(found["package"]).is_relative_to(commands.parent)
    assert found["checkpoints"] == [
        n for n in list_checkpoints() if f"checkpoints/{n}/config.json" in shipped_files(ROOT)
    ]
    assert sorted(found["runs"]) == sorted(
        run.name for run in load_runs()[0] if f"runs/{run.name}/test.json" in shipped_files(ROOT)
    )
    assert not found["unreadable"]
    assert found["clips"] == 7442
    assert found["written"] == str(tmp_path / "runs")
    listed = _run([str(commands / "ser"), "grid", "report", "--list", "--device", "cpu"], tmp_path).splitlines()
    states = dict(line.split(maxsplit=2)[:2] for line in listed if line.startswith("lr"))
    assert {name for name, state in states.items() if state in ("recorded", "fewer")} == states.keys() & set(
        found["runs"]
    )
    assert "recorded" in states.values()
    assert not (tmp_path / "runs").exists()
    (row,) = json.loads(_run([str(commands / "ser"), "predict", "x.wav", "--format", "json"], tmp_path))
    assert "`ser corpus download`" in _run([str(commands / "ser"), "train", "--help"], tmp_path)
    assert {key: round(value, 4) for key, value in found["probabilities"].items()} == {
        key: round(row[key], 4) for key in found["probabilities"]
    }


def test_what_is_shipped_is_what_git_tracks(tmp_path: Path):
    for path in ("checkpoints/kept/config.json", "checkpoints/mine/config.json", "runs/kept/test.json"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    (tmp_path / "runs" / ".partial" / "new").mkdir(parents=True)
    (tmp_path / "runs" / ".partial" / "lock").touch()
    (tmp_path / ".gitignore").write_text("checkpoints/*\n")
    everything = ["checkpoints/kept/config.json", "checkpoints/mine/config.json", "runs/kept/test.json"]
    assert shipped_files(tmp_path) == everything  # as in a source distribution
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--force", "checkpoints/kept", "runs/kept"], check=True)
    assert shipped_files(tmp_path) == ["checkpoints/kept/config.json", "runs/kept/test.json"]
    (tmp_path / "runs" / "kept" / "test.json").unlink()
    assert shipped_files(tmp_path) == ["checkpoints/kept/config.json"]


def test_the_best_checkpoint_of_each_kind_is_shipped():
    assert {"checkpoints", "runs"} <= {path.split("/")[0] for path in shipped_files(ROOT)} <= set(SHIPPED)
    names = sorted({path.split("/")[1] for path in shipped_files(ROOT) if path.startswith("checkpoints/")})
    runs = {run.name: run for run in load_runs(ROOT / "runs")[0]}
    assert set(names) <= set(runs)  # each with the record of how it was trained
    kinds = [(runs[name].train.model, runs[name].taught) for name in names]
    assert len(set(kinds)) == len(kinds), "two checkpoints of one kind"
    assert {"1d", "2d", "combined", "conformer", "whisper-base"} <= {model for model, _ in kinds}


def requirements(*names: str) -> dict[str, str]:
    """Pinned versions by package."""
    lines = [line for name in names for line in (ROOT / name).read_text().splitlines()]
    return dict(line.split("==") for line in lines if "==" in line)


def test_what_is_pinned_is_in_the_ranges_and_nothing_is_forgotten():
    from packaging.requirements import Requirement

    extras = PROJECT["optional-dependencies"]
    app = [*PROJECT["dependencies"], *extras["app"]]
    pinned = requirements("requirements.txt")
    ranges = {requirement.name: requirement for requirement in map(Requirement, app)}
    assert ranges.keys() == pinned.keys()
    pinned |= requirements(*(f"requirements-{extra}.txt" for extra in ("test", "ray", "wandb", "search")))
    for requirement in map(Requirement, [*app, *extras["test"], *extras["ray"], *extras["wandb"], *extras["search"]]):
        assert pinned[requirement.name] in requirement.specifier, requirement
