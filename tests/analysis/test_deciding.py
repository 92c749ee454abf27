"""Which runs stand for the report's settings."""

from pathlib import Path

from ser_core.analysis.deciding import runs_of_the_grid
from ser_core.records.runs import load_runs
from tests.made_records import record


def test_of_several_runs_of_the_same_settings_a_grid_has_those_that_are_comparable(tmp_path: Path):
    record(tmp_path, "lr0.001-SiLU-2D", 100)
    record(tmp_path, "lr0.001-ReLU-2D", 100, environment={"numerics": "winograd"})
    record(tmp_path, "lr0.001-SiLU-1D", 100, epochs=30)
    grid = runs_of_the_grid(load_runs(tmp_path)[0])
    assert grid.keys() == {30, 150}
    assert {name: run.name for name, run in grid[150]["2d"].items()} == {
        "lr0.001-SiLU-2D": "lr0.001-SiLU-2D",
        "lr0.001-ReLU-2D": "lr0.001-ReLU-2D",
    }
    record(tmp_path, "lr0.001-SiLU-2D", 90, folder="again", environment={"numerics": "winograd"})
    grid = runs_of_the_grid(load_runs(tmp_path)[0])
    assert {run.name for run in grid[150]["2d"].values()} == {"again", "lr0.001-ReLU-2D"}
    assert list(grid[30]) == ["1d"]
