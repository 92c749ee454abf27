"""README and docs/ agree with the project: their figures, and every file, module, command and setting they name."""

import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ser_core.corpus.command import parse_arguments as cremad_arguments
from ser_core.evaluation.command import parse_arguments as evaluate_arguments
from ser_core.evaluation.map_command import parse_arguments as map_arguments
from ser_core.models.command import parse_arguments as encoder_arguments
from ser_core.records.evaluations import load_evaluation
from ser_core.records.runs import RUNS_DIR, load_runs
from ser_core.records.shipped import shipped
from ser_core.serving.predict_command import parse_arguments as predict_arguments
from ser_core.serving.stream_command import parse_arguments as stream_arguments
from ser_core.training.command import parse_arguments as train_arguments
from ser_core.training.config import TrainConfig, usual_config
from ser_core.training.future import SEEDS, future_steps
from ser_core.training.grid_command import parse_arguments as grid_arguments
from ser_core.training.search_command import parse_arguments as search_arguments
from ser_core.words import percent
from tests.helpers import ROOT
from tests.made_records import older, set_val_accuracy, write_run
from tools.aims import (
    Aim,
    Reached,
    is_pretrained,
    is_small,
    is_the_reports,
    of_unseen_actors,
    on_the_reports_split,
    on_unseen_actors,
)
from tools.readme import FILES, MARKED, PARTS, shipped_runs, tracked_runs, with_parts
from tools.results import best, missing, results, selections
from tools.studies import ingredients

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
PARSERS = {
    "python train.py ": train_arguments,
    "python grid.py search ": search_arguments,
    "python grid.py ": grid_arguments,
    "python -m ser_core.predict ": predict_arguments,
    "python -m ser_core.cremad ": cremad_arguments,
    "python -m ser_core.evaluate ": evaluate_arguments,
    "python -m ser_core.stream ": stream_arguments,
    "python -m ser_core encoder ": encoder_arguments,
    "python -m ser_core map ": map_arguments,
}
SUFFIXES = (".py", ".md", ".txt", ".toml", ".csv", ".png", ".json", ".safetensors")
PACKAGES = ("ser_core", "ser_app", "pages", "benchmarks", "tests", "tools")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def mentions(pattern: str) -> list[tuple[str, str]]:
    """What README and docs/ say that fits a pattern's one group, with the file that says it."""
    return sorted({(file, found) for file, text in TEXTS.items() for found in re.findall(pattern, text, re.MULTILINE)})


def quoted() -> list[tuple[str, str]]:
    """All that stands in backticks within a line."""
    return mentions(r"(?<!`)`([^`\n]+)`(?!`)")


def paths() -> list[tuple[str, str]]:
    """Paths in backticks: with a slash, or with the ending of a file. Placeholders in capitals stand for names."""
    names = [(file, text) for file, text in quoted() if re.fullmatch(r"[\w.-]+(/[\w.-]*)*", text)]
    names = [(file, text) for file, text in names if "/" in text or (text.endswith(SUFFIXES) and text not in SUFFIXES)]
    return [(file, text) for file, text in names if not re.search(r"\b(?:NAME|CORPUS)\b", text)]


def modules() -> list[tuple[str, str]]:
    """Dotted names of modules and what is in them, wherever they stand."""
    return mentions(rf"(?<![\w/])((?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+)(?!\w*[/(])")


def source(module: str) -> Path | None:
    """The file of a dotted module or package; None if there is none."""
    base = ROOT.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py", base / "__main__.py")
    return next((path for path in candidates if path.is_file()), None)


def defines(path: Path, name: str) -> bool:
    """Whether a file's text defines a function, a class or a variable, without running it."""
    return bool(re.search(rf"^\s*(?:def|class) {name}\b|^{name}\b.*=", path.read_text("utf-8"), re.MULTILINE))


def commands() -> list[tuple[str, str]]:
    """Lines of code blocks, and what stands in backticks, that begin as a command does; without their comments."""
    starts = r"(?:python|streamlit|make|pip) \S"
    found = mentions(rf"^({starts}.*)$") + [(file, text) for file, text in quoted() if re.match(starts, text)]
    return sorted({(file, text.split("#")[0].strip()) for file, text in found})


@pytest.mark.parametrize("file", FILES)
def test_the_figures_are_those_of_the_records(file: str):
    runs, (_, unreadable) = shipped_runs(), load_runs()
    assert runs
    assert not shipped(RUNS_DIR).intersection(unreadable)
    assert with_parts(TEXTS[file], runs) == TEXTS[file], "run python tools/readme.py"


def test_the_list_of_shipped_runs_is_what_git_tracks():
    assert shipped(RUNS_DIR) == tracked_runs(), "run python tools/readme.py"


def test_every_part_stands_somewhere_and_every_mark_is_made():
    marks = [name for file in FILES for name in MARKED.findall(TEXTS[file])]
    assert set(marks) == set(PARTS)
    assert len(marks) == sum(text.count("made by tools/readme.py -->") for text in TEXTS.values())


def test_the_best_of_each_network_is_picked_in_validation_on_the_reports_split(tmp_path: Path):
    for config in (
        TrainConfig(model="1d", activation="relu"),
        TrainConfig(model="1d", activation="silu"),
        TrainConfig(model="2d", split="fold1"),
    ):
        write_run(tmp_path / config.name, config)
    set_val_accuracy(tmp_path / "lr0.001-ReLU-1D", 0.99)
    lines = best(load_runs(tmp_path)[0]).splitlines()[2:]
    assert len(lines) == 1
    assert lines[0].startswith("| 1D | `lr0.001-ReLU-1D` |")


def test_a_network_without_its_head_is_not_the_best_of_those_that_have_it(tmp_path: Path):
    for accuracy, head in ((0.5, "conformer"), (0.7, "none"), (0.6, "recurrent")):
        config = usual_config("conformer", head=head)
        write_run(tmp_path / config.name, config, val_accuracy=accuracy)
    rows = [line.split(" | ")[:2] for line in best(load_runs(tmp_path)[0]).splitlines()[2:]]
    assert rows == [
        ["| Conformer, no head", "`lr0.001-SiLU-Conformer-none-head`"],
        ["| Conformer, recurrent head", "`lr0.001-SiLU-Conformer-recurrent-head`"],
        ["| Conformer", "`lr0.001-SiLU-Conformer`"],
    ]


def test_only_equally_long_runs_are_compared_by_how_their_epoch_was_picked(tmp_path: Path):
    by_loss, by_accuracy = TrainConfig(epochs=30), TrainConfig(epochs=30, select="accuracy")
    for config in (by_loss, by_accuracy):
        write_run(tmp_path / config.name, config)
    assert by_loss.name in selections(load_runs(tmp_path)[0])
    write_run(tmp_path / by_loss.name, TrainConfig())
    assert by_loss.name not in selections(load_runs(tmp_path)[0])
    write_run(tmp_path / by_loss.name, by_loss, status="diverged")
    assert by_loss.name not in selections(load_runs(tmp_path)[0])
    write_run(tmp_path / by_loss.name, by_loss, environment={"precision": "fp32"})
    assert by_loss.name not in selections(load_runs(tmp_path)[0])


def test_each_split_has_a_table_of_its_own_and_the_reports_is_first(tmp_path: Path):
    for split in ("fold1", "report"):
        for activation in ("elu", "silu"):
            config = TrainConfig(split=split, activation=activation, epochs=30)
            write_run(tmp_path / config.name, config)
    report, fold = results(load_runs(tmp_path)[0]).split("**Split fold1 (id of fold1)**")
    assert report.startswith("**The report's split**\n\n| run |")
    assert report.count("| `lr0.001-") == fold.count("-fold1` |") == 2
    assert "-fold1" not in report


def test_what_is_missing_is_named_with_the_hours_it_would_take(tmp_path: Path):
    for activation in ("elu", "silu"):
        config = TrainConfig(activation=activation, epochs=30)
        write_run(tmp_path / config.name, config)
    runs = load_runs(tmp_path)[0]
    text = missing(runs)
    assert "30 are not trained yet and 2 are not trained for 150 epochs" in text
    hours = min(float(np.median(run.history["seconds"])) for run in runs) * 150 / 3600
    device = runs[0].environment.device
    assert f"| `lr0.001-SiLU-2D` | 30 | 150 | {hours:.1f} | {device} |" in text
    assert f"| `lr0.001-ReLU-2D` | 0 | 150 | {hours:.1f} | {device} |" in text
    assert "| `lr0.001-ReLU-ResNet38` | 0 | 150 | – | – |" in text
    write_run(tmp_path / "lr0.001-SiLU-2D", TrainConfig(seed=1))
    assert "31 are not trained yet" in missing(load_runs(tmp_path)[0])


def test_ingredients_stand_in_a_table_with_what_they_gained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SER_EVALUATIONS_DIR", str(tmp_path / "evaluations"))
    assert ingredients([]) == "None is recorded yet."
    whole, less = (step.config for step in future_steps()[1:3])
    for seed, *accuracies in zip(SEEDS, (0.5, 0.6, 0.7), (0.48, 0.58, 0.69), strict=True):
        for config, accuracy in zip((whole, less), accuracies, strict=True):
            of_seed = replace(config, seed=seed)
            write_run(tmp_path / "runs" / of_seed.name, of_seed, val_accuracy=accuracy)
    header, _, first, second = ingredients(load_runs(tmp_path / "runs")[0]).splitlines()
    assert header.startswith("| network | compared with | seeds | validation | gained |")
    assert first.startswith("| whole | – | 3 | 60.0 | – |")
    assert re.match(r"\| whole - SpecAugment \| whole \| 3 \| 58\.3 \| \*\*-1\.7\*\* \(-3\.1 to -0\.2\) \|", second)


@pytest.mark.parametrize(
    ("value", "at_least", "said"),
    [
        (0.8796, True, "**88.0%**"),  # as it is read
        (0.8794, True, "missed: 87.9%"),
        (0.8804, False, "**88.0%**"),
        (0.8806, False, "missed: 88.1%"),
    ],
)
def test_an_aim_that_was_missed_is_called_missed(value: float, at_least: bool, said: str):
    aim = Aim("a", (".1%", ""), at_least, (0.88, None), lambda runs, name: Reached(value, "why"))
    assert aim.cells([], "a", 0.88) == [f"{'≥' if at_least else '≤'} 88%", f"{said} (why)"]
    assert aim.cells([], "a", None) == ["–", "–"]
    unknown = Aim("a", (".1%", ""), at_least, (0.88, None), lambda runs, name: None)
    assert unknown.cells([], "a", 0.88)[1] == "not measured"
    assert aim.cells([], None, 0.88)[1] == "not measured"


@pytest.mark.parametrize(("model", "kind"), [("whisper-base", is_pretrained), ("2d", is_the_reports)])
def test_a_taught_network_is_not_judged_by_the_aims_of_untaught_ones(model: str, kind: Callable[[Any], bool]):
    kinds = (is_pretrained, is_the_reports, is_small)
    for taught in (False, True):
        run: Any = SimpleNamespace(train=SimpleNamespace(model=model), taught=taught)
        assert [one for one in kinds if one(run)] == ([] if taught else [kind])


def test_aims_are_of_all_seeds_and_folds_of_the_same_settings(tmp_path: Path):
    own = TrainConfig(epochs=30)
    others = [replace(own, seed=7), replace(own, split="fold1"), replace(own, split="fold3"), replace(own, lr=0.01)]
    for config in (own, *others):
        write_run(tmp_path / config.name, config)
    runs = load_runs(tmp_path)[0]
    assert on_the_reports_split(runs, own.name).of_what.startswith("2 seeds, ")
    assert [run.train.split for run in of_unseen_actors(runs, own.name)] == ["fold1", "fold3"]
    found = on_unseen_actors(runs, own.name)
    assert found
    assert found.of_what == "only folds 1 and 3 of 5"
    assert on_unseen_actors(runs, "lr0.01-SiLU-2D") is None
    assert on_the_reports_split(runs, "lr0.01-SiLU-2D").of_what == "one seed"


def test_intervals_say_what_they_are_over(tmp_path: Path):
    write_run(tmp_path / "run")
    assert "| 95 % interval over speakers and clips |" in results(load_runs(tmp_path)[0])
    older(tmp_path / "run" / "test.json", "metrics", "intervals_over")
    assert "| 95 % interval over clips |" in results(load_runs(tmp_path)[0])


@pytest.mark.parametrize(("file", "command"), commands())
def test_commands_are_accepted(file: str, command: str):
    words = shlex.split(command)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    elif words[:2] == ["python", "-m"]:
        assert source(words[2])
    else:
        for word in words[1:]:
            assert not word.endswith((".py", ".txt")) or (ROOT / word).is_file()
    prefix = next((prefix for prefix in PARSERS if command.startswith(prefix)), None)
    if prefix and "--help" not in words:
        PARSERS[prefix](shlex.split(command.removeprefix(prefix)))


def test_commands_are_there_to_be_tested():
    assert {prefix for prefix in PARSERS if any(text.startswith(prefix) for _, text in commands())} == set(PARSERS)


@pytest.mark.parametrize(("file", "link"), mentions(r"\]\((?!http)([^)#]+)\)"))
def test_links_lead_somewhere(file: str, link: str):
    assert ((ROOT / file).parent / link).exists()


@pytest.mark.parametrize("file", TEXTS)
def test_every_page_is_linked_from_the_readme(file: str):
    assert file == "README.md" or f"]({file})" in TEXTS["README.md"]


def test_there_are_paths_and_modules_to_be_tested():
    assert len(paths()) > 30
    assert len(modules()) > 25


@pytest.mark.parametrize(("file", "path"), paths())
def test_paths_exist(file: str, path: str):
    """From the top of the project, or, for a bare name, as a file of a run or a checkpoint."""
    recorded = [next((ROOT / kind).glob("[!.]*")) for kind in ("runs", "checkpoints")] if "/" not in path else []
    assert any((folder / path).exists() for folder in (ROOT, *recorded))


@pytest.mark.parametrize(("file", "name"), modules())
def test_modules_exist(file: str, name: str):
    module, _, last = name.rpartition(".")
    outer = source(module)
    assert source(name) or (outer and defines(outer, last))


@pytest.mark.parametrize(("module", "names"), re.findall(r'"([\w.]+)<br>([\w, ]+)"', TEXTS["README.md"]))
def test_the_diagrams_boxes_name_what_their_modules_define(module: str, names: str):
    path = source(module)
    assert path
    assert [name for name in names.split(", ") if not defines(path, name)] == []


@pytest.mark.parametrize("row", re.findall(r"^\| an? .*", TEXTS["README.md"].split("## Where to change what")[1], re.M))
def test_where_to_change_what_names_what_is_there(row: str):
    """Each name in capitals or of a function is defined in one of the files of its row."""
    words = re.findall(r"`([^`]+)`", row)
    files = [ROOT / word for word in words if word.endswith(".py")]
    names = [
        word.split("(")[0] for word in words if re.fullmatch(r"[A-Z_]{4,}|[a-z]+_[a-z_]+|[A-Z]\w+|build\(.*\)", word)
    ]
    assert files
    assert [name for name in names if not any(defines(file, name) for file in files)] == []


def test_environment_variables_are_those_of_the_code():
    tracked = subprocess.run(["git", "ls-files", "ser_core", "ser_app"], cwd=ROOT, capture_output=True, text=True)
    code = [(ROOT / file).read_text("utf-8") for file in tracked.stdout.split() if file.endswith(".py")]
    used = {name for text in code for name in re.findall(r'"((?:SER|CREMAD)_[A-Z_]+)"', text)}
    assert len(used) > 5
    assert used == set(re.findall(r"^\| `(\w+)`", TEXTS["docs/settings.md"], re.MULTILINE))


def test_every_flag_is_one_of_a_command(capsys: pytest.CaptureFixture[str]):
    helps = []
    for arguments in ([], ["download"], ["check"], ["describe"]):
        for parse in PARSERS.values() if not arguments else [cremad_arguments]:
            with pytest.raises(SystemExit):
                parse([*arguments, "--help"])
            helps.append(capsys.readouterr().out)
    known = {flag for text in helps for flag in FLAG.findall(text)}
    assert {flag for text in TEXTS.values() for flag in FLAG.findall(text)} - known == set()


def test_every_requirement_is_explained():
    names = [
        re.split(r"[=<>]", line)[0]
        for file in ("requirements.txt", "requirements-test.txt")
        for line in (ROOT / file).read_text().splitlines()
        if line and not line.startswith(("#", "-r")) and "stubs" not in line and "types" not in line
    ]
    table = TEXTS["docs/dependencies.md"]
    explained = {
        name for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for name in re.split(r", | and ", row)
    }
    assert len(names) > 20
    assert set(names) <= explained


def test_requirements_are_pinned_exactly():
    for file in Path(ROOT).glob("requirements*.txt"):
        for line in file.read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[\w-]+==[\w.]+", line), line


def test_figures_of_one_checkpoint_on_one_corpus_are_told_apart():
    """The first figure on RAVDESS in each table, and the one in the checkpoint's evaluation."""
    text = TEXTS["README.md"]
    row = r"<!-- {}: .*?-\|\n\| `(\S+)` \| \**([\d.]+\s%)"
    above, below = (re.search(row.format(part), text, re.DOTALL) for part in ("recordings", "adaptation"))
    assert above
    assert below
    assert above[1] == below[1]
    evaluated = load_evaluation(ROOT / "evaluations" / "ravdess" / above[1]).uar
    (said,) = re.findall(r"^.*no voice is recognised\. Without adaptation.*$", text, re.MULTILINE)
    assert re.findall(r"[\d.]+\s%", said) == [above[2], below[2], percent(evaluated)]
