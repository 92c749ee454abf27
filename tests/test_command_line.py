"""Command lines are made from dataclasses: every field is a flag with its help, and `--help` waits for nothing."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, get_args

import pytest
from tyro.conf import arg

from benchmarks.__main__ import NAMES
from benchmarks.__main__ import parse_arguments as benchmarks_arguments
from ser_core import commands
from ser_core.audio.preprocess import AudioConfig
from ser_core.command_line import flags_of, parse
from ser_core.corpus.command import Check, Describe, Download, Index
from ser_core.corpus.command import parse_arguments as corpus_arguments
from ser_core.errors import ConfigError
from ser_core.evaluation.command import parse_arguments as evaluate_arguments
from ser_core.features.config import FeatureConfig
from ser_core.models.winograd import NUMERICS
from ser_core.serving.predict_command import parse_arguments as predict_arguments
from ser_core.serving.stream import StreamConfig
from ser_core.serving.stream_command import parse_arguments as stream_arguments
from ser_core.training.command import parse_arguments as train_arguments
from ser_core.training.compute import Compute, NumericsName
from ser_core.training.config import PARTS, TrainConfig
from ser_core.training.flags import ACTIVATIONS, MODELS, VAD_METHODS, flag
from ser_core.training.grid_command import configurations
from ser_core.training.grid_command import parse_arguments as grid_arguments
from tests.helpers import ROOT

BENCHMARKS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if not path.stem.startswith("__"))
PARSERS: dict[str, tuple[Callable, list[str]]] = {
    "predict": (predict_arguments, []),
    "stream": (stream_arguments, []),
    "corpus": (corpus_arguments, []),
    "corpus download": (corpus_arguments, ["download"]),
    "corpus check": (corpus_arguments, ["check"]),
    "corpus describe": (corpus_arguments, ["describe"]),
    "corpus index": (corpus_arguments, ["index"]),
    "evaluate": (evaluate_arguments, []),
    "train": (train_arguments, []),
    "grid": (grid_arguments, []),
    "benchmarks": (benchmarks_arguments, []),
}
WRAPPERS = {
    "train.py": "train",
    "grid.py": "grid",
    "-m ser_core.predict": "predict",
    "-m ser_core.stream": "stream",
    "-m ser_core.cremad": "corpus",
    "-m ser_core.corpus": "corpus",
    "-m ser_core.evaluate": "evaluate",
}


def help_of(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> str:
    """What `--help` lists of flags, without frames, which are spaces where the output isn't UTF-8."""
    monkeypatch.setenv("COLUMNS", "120")
    parser, subcommand = PARSERS[command]
    with pytest.raises(SystemExit, match="0"):
        parser([*subcommand, "--help"])
    lines = capsys.readouterr().out.splitlines()
    return "\n".join(line[2:].rstrip(" │") for line in lines if line.startswith(("│ ", "  ")))


def explained(text: str) -> dict[str, str]:
    """Flags and positional arguments that `--help` lists, with what it says of each but for its default."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if re.match(r"--?[a-z]|[A-Z_]{2,}|[{\[]", line):
            name, *rest = re.split(r"\s{2,}", line, maxsplit=1)
            found[name] = rest
        elif line.startswith("   ") and found:
            found[list(found)[-1]].append(line.strip())
    return {name: re.sub(r"\((default|required|one or more).*", "", " ".join(said)) for name, said in found.items()}


@pytest.mark.parametrize("command", PARSERS)
def test_a_default_is_what_holds_where_nothing_is_said(command: str, monkeypatch, capsys: pytest.CaptureFixture):
    assert "if used" not in help_of(command, monkeypatch, capsys)


@pytest.mark.parametrize("command", PARSERS)
def test_every_flag_is_explained(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    said = explained(help_of(command, monkeypatch, capsys))
    assert any(name.startswith("-h") for name in said)
    for name, text in said.items():
        assert len(text.strip()) > 5, name


def test_every_setting_of_a_run_is_a_flag(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    text = help_of("train", monkeypatch, capsys)
    for kind in (TrainConfig, *PARTS.values(), Compute):
        for field in fields(kind):
            if field.name not in PARTS:
                assert re.search(rf"(^|, ){flag(field.name)}\b", text, re.MULTILINE), field.name


def test_choices_are_those_of_the_registries(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    text = help_of("train", monkeypatch, capsys)
    for name, choices in (("model", MODELS), ("activation", ACTIVATIONS), ("vad", VAD_METHODS)):
        assert f"--{name} {{{','.join(choices)}}}" in text
    assert get_args(NumericsName) == ("auto", *NUMERICS)


def test_settings_that_are_not_given_have_their_defaults():
    assert train_arguments([]).config == TrainConfig()
    assert train_arguments([]).compute == Compute()
    assert stream_arguments(["x.wav"]).config == StreamConfig()


def test_all_ways_to_write_a_setting():
    asked = train_arguments(shlex.split("--model 2d --act silu --lr 0.01 --vad energy --no-normalize --n-mfcc 20"))
    assert asked.config == TrainConfig(
        model="2d",
        activation="silu",
        lr=0.01,
        audio=AudioConfig(vad="energy", normalize=False),
        features=FeatureConfig(n_mfcc=20),
    )
    assert train_arguments(["--activation=elu", "--batch_size", "8", "--normalize"]).config == TrainConfig(
        activation="elu", batch_size=8
    )
    asked = train_arguments(
        shlex.split("--name n --resume --device cpu --precision fp32 --numerics pytorch --wandb offline")
    )
    assert (asked.name, asked.resume, asked.restart, asked.wandb) == ("n", True, False, "offline")
    assert asked.compute == Compute("cpu", "fp32", "pytorch")
    asked = train_arguments(["--corpus", "a", "--cache", "b", "--out", "c"])
    assert (asked.corpus, asked.cache, asked.out) == ((Path("a"),), Path("b"), Path("c"))
    assert train_arguments(["--corpus", "a", "--corpus=b"]).corpus == (Path("a"), Path("b"))


@pytest.mark.parametrize(("epochs", "warmup"), [(1, 1), (3, 3), (30, 5)])
def test_the_warm_up_is_as_long_as_there_are_epochs(epochs: int, warmup: int):
    assert train_arguments(["--epochs", str(epochs)]).config == TrainConfig(epochs=epochs, warmup_epochs=warmup)
    assert train_arguments(["--epochs", str(epochs), "--warmup-epochs=0"]).config.warmup_epochs == 0


def test_a_grid_is_described_on_its_command_line():
    asked = grid_arguments(
        shlex.split("report --list --only *-2D *-1D --jobs 3 --ray auto --cpus 2 --gpus 0.25 --device cpu")
    )
    assert (asked.study, asked.list, asked.only, asked.jobs) == ("report", True, ("*-2D", "*-1D"), 3)
    assert (asked.cluster.ray, asked.cluster.cpus, asked.cluster.gpus, asked.compute.device) == ("auto", 2, 0.25, "cpu")
    asked = grid_arguments(["speakers"])
    assert (asked.study, asked.list, asked.only, asked.jobs, asked.split) == ("speakers", False, (), None, None)
    assert {config.epochs for config in configurations(asked)} == {TrainConfig.epochs}


def test_the_corpus_has_four_commands():
    assert corpus_arguments(["download", "--sample", "4", "--to", "x"]) == Download(4, Path("x"))
    assert corpus_arguments(["check"]) == Check(None)
    assert corpus_arguments(["check", "x"]) == Check(Path("x"))
    assert corpus_arguments(["describe", "x", "--labels", "a=HAP"]) == Describe(Path("x"), "a=HAP")
    assert corpus_arguments(["index", "x"]) == Index(Path("x"))


def test_every_benchmark_has_a_line_that_says_what_it_measures(capsys: pytest.CaptureFixture):
    assert sorted(NAMES) == BENCHMARKS
    with pytest.raises(SystemExit, match="0"):
        benchmarks_arguments(["--help"])
    text = capsys.readouterr().out
    for name in NAMES:
        assert re.search(rf"^    {name} +[A-Z].+[.]$", text, re.MULTILINE), name
    assert benchmarks_arguments([]).names == ()
    assert benchmarks_arguments(["vad", "runs"]).names == ("vad", "runs")
    with pytest.raises(SystemExit, match="2"):
        benchmarks_arguments(["nothing"])


MISTAKES = {
    "train": (["--resume", "--restart"], ["--modle", "2d"], ["--lr", "fast"], ["--vad", "loud"], ["left over"]),
    "grid": ([], ["nothing"], ["report", "--jobs", "some"]),
    "predict": ([], ["x.wav", "--format", "xml"]),
    "stream": ([], ["x.wav", "y.wav"], ["x.wav", "--hop", "0"]),
    "corpus": ([], ["burn"], ["index"], ["describe"]),
    "evaluate": ([], ["--corpus", "x", "--checkpoint", "a", "--every-checkpoint"]),
}


@pytest.mark.parametrize(("command", "arguments"), [(name, args) for name, all_ in MISTAKES.items() for args in all_])
def test_mistakes_are_said_with_where_to_read_on(command: str, arguments: list[str], capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match="2"):
        commands.main([command, *arguments])
    said = capsys.readouterr()
    assert not said.out
    assert f"ser {command}" in said.err or said.err.startswith("error: ")
    assert "Traceback" not in said.err


@pytest.mark.parametrize("arguments", [[], ["dance"], ["--version"]])
def test_the_console_command_names_its_commands(arguments: list[str], capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match="2"):
        commands.main(arguments)
    assert "ser --help" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        commands.main(["--help"])
    text = capsys.readouterr().out
    for name, (_, description) in commands.COMMANDS.items():
        assert re.search(rf"• {name} +{description}", text)


def test_the_console_command_hands_on_its_arguments(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(sys, "argv", ["ser", "corpus", "check", "/nowhere"])
    with pytest.raises(SystemExit, match="2"):
        commands.main()
    assert capsys.readouterr().err == "error: There are no CREMA-D clips in /nowhere. There is no such folder.\n"


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_help_is_the_same_by_every_name_and_torch_is_not_waited_for(wrapper: str):
    def said(*arguments: str) -> str:
        # What is imported is said on stderr.
        result = subprocess.run(
            [sys.executable, "-X", "importtime", *arguments, "--help"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={"PATH": "", "COLUMNS": "100"},
        )
        modules = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
        assert "tyro" in modules
        assert not modules & {"torch", "sklearn", "torchmetrics", "plotly", "pandas", "streamlit", "librosa"}
        return result.stdout

    command = WRAPPERS[wrapper]
    shown = f"python {wrapper}"
    expected = said("-m", "ser_core", command).replace(f"python -m ser_core {command}", shown)
    assert said(*wrapper.split()) == expected
    assert f"usage: {shown} " in expected


@dataclass(frozen=True)
class Sizes:
    """Two sizes.

    Attributes:
        small: the small one.
        large: the large one.
    """

    small: int = 1
    large: int = 10

    def __post_init__(self) -> None:
        if self.small >= self.large:
            raise ConfigError("small is below large.")


SPECIAL = {"small": int | None, "large": Annotated[int, arg(name="big")]}


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        sizes: both.
    """

    sizes: Annotated[
        Sizes,
        arg(
            name="", constructor=flags_of(Sizes, Sizes, {"small": int | None, "large": Annotated[int, arg(name="big")]})
        ),
    ]


def test_flags_of_a_dataclass_are_its_fields():
    assert parse(Command, []).sizes == Sizes()
    assert parse(Command, ["--small", "3", "--big", "7"]).sizes == Sizes(3, 7)
    with pytest.raises(ConfigError, match="small is below large"):
        parse(Command, ["--big", "0"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--act", "foo"], "error: --act/--activation takes elu, gelu, mish, relu, silu or swish, not 'foo'.\n"),
        (["--act", "None"], "error: --act/--activation takes relu, silu, elu, gelu, mish or swish, not 'None'.\n"),
        (["--precision", "x"], "error: --precision takes auto, bf16 or fp32, not 'x'.\n"),
    ],
)
def test_a_wrong_choice_is_told_those_there_are(arguments: list[str], says: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match="2"):
        train_arguments(arguments)
    assert capsys.readouterr().err == says
