"""Use it in code: what Classify says about Python and the terminal gives what is on the page."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ser_app.code_view import FEW_FILES, FOLDER, commands, python_lines
from ser_core.corpus.folder import Corpus
from ser_core.places import CHECKPOINTS_VARIABLE
from ser_core.serving.predict_command import main
from ser_core.words import percent
from tests.app.helpers import CLIP, labelled, set_source, texts
from tests.helpers import ROOT

OpenPage = Callable[..., AppTest]
HOSTILE = "-a 'b' \"c\" $(touch d) `e`; f\\n\ng.wav"


def test_what_it_says_gives_what_is_on_the_page(
    open_page: OpenPage, checkpoints: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setenv(CHECKPOINTS_VARIABLE, str(checkpoints))
    app = set_source(open_page("pages/classify.py"), "upload")
    data = corpus.path(CLIP).read_bytes()
    app.file_uploader[0].set_value([(HOSTILE, data, "audio/wav")]).run()
    labelled(app.slider, "Answer only from").set_value(5).run()
    app.toggle[0].set_value(True).run()
    assert not app.exception
    python, command = (code.value for code in app.code)
    (tmp_path / HOSTILE).write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-c", python],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    answer, confidence, *_ = run.stdout.split()
    monkeypatch.chdir(tmp_path)
    python, flag, module, *arguments = shlex.split(command)
    assert (python, flag, module) == ("python", "-m", "ser_core.predict")
    main([*arguments, "--format", "json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["answer"] == answer
    assert float(confidence) == pytest.approx(row["confidence"], abs=1e-4)
    assert f"{percent(row['confidence'], 0)}" in app.metric[0].delta


def test_a_shell_and_python_read_any_name_as_it_is():
    assert shlex.split(commands([HOSTILE], ["a b"], 0.4, False))[3] == f"./{HOSTILE}"
    text = python_lines([HOSTILE], ["it's"], 0.4, True)
    assert f"predictor({f'./{HOSTILE}'!r})" in text
    assert "any_sound=True" in text
    compile(text, "text", "exec")


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
@pytest.mark.parametrize("n", [1, 2, FEW_FILES + 1])
def test_many_files_and_models_are_python_and_commands(names: list[str], n: int):
    files = [f"{i}.wav" for i in range(n)]
    text = python_lines(files, names, 0.4, False)
    compile(text, "text", "exec")
    assert len(text.splitlines()) == 4 or len(names) > 1 or n > 1
    lines = commands(files, names, 0.4, True).splitlines()
    assert len(lines) == len(names)
    assert (FOLDER in lines[0]) == (n > FEW_FILES)


def test_a_sound_that_is_no_file_can_be_saved_as_one(open_page: OpenPage, two_checkpoints: Path):
    app = set_source(open_page("pages/classify.py"), "example")
    assert "This sound is not a file yet" in texts(app)
    name = labelled(app.selectbox, "Synthetic example").value
    assert f"{name}.wav" in app.code[1].value
