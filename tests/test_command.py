"""What a command prints always arrives, or nobody wanted it; what goes wrong is a sentence."""

import errno
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.synthetic import EXAMPLES, synthesize
from ser_core.command import CLOSED_PIPE, friendly_errors, printable
from ser_core.errors import SERError
from ser_core.files import full
from ser_core.serving.predict_command import main as predict
from tests.helpers import ROOT

COMMANDS = (
    ("train.py --help", ""),
    ("train.py --help", "1"),
    ("-m ser_core --help", ""),
    ("-m ser_core.predict {file}", ""),
    ("-m ser_core.stream {file}", "1"),
    ("-m benchmarks --help", ""),
)
"""And whether Python buffers what they print, in `PYTHONUNBUFFERED`."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A file whose name ASCII can't show, and in which a voice is recognised."""
    path = tmp_path / "café 😀.wav"
    soundfile.write(path, synthesize(EXAMPLES["Even and calm"]), SAMPLE_RATE)
    return path


def run(command: str, file: Path, **options) -> subprocess.CompletedProcess:
    arguments = [word.format(file=file) for word in command.split()]
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, stderr=subprocess.PIPE, check=False, **options)


@pytest.mark.parametrize(("command", "unbuffered"), COMMANDS)
def test_nobody_reads_on(command: str, unbuffered: str, recording: Path):
    read, write = os.pipe()
    os.close(read)
    try:
        done = run(command, recording, stdout=write, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    finally:
        os.close(write)
    assert done.returncode == CLOSED_PIPE
    assert all(line.startswith(b"warning: ") for line in done.stderr.splitlines())  # of the recording


def test_nobody_reads_the_errors_either(recording: Path):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "ser_core.predict", "nowhere.wav"]
    assert subprocess.run(command, cwd=ROOT, stdout=write, stderr=write, check=False).returncode == CLOSED_PIPE
    os.close(write)


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-"])
def test_a_shell_that_closes_an_output_loses_no_table(closed: str, recording: Path, tmp_path: Path):
    table = tmp_path / "table.csv"
    command = shlex.join([sys.executable, "-m", "ser_core.predict", str(recording), "--out", str(table)])
    assert subprocess.run(f"{command} {closed}", shell=True, cwd=ROOT, check=False).returncode == 0
    assert len(table.read_text().splitlines()) == 2


def test_another_pipe_that_breaks_is_not_the_output():
    @friendly_errors()
    def main() -> None:
        raise BrokenPipeError

    read, write = os.pipe()
    with os.fdopen(write, "w") as output, pytest.MonkeyPatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, output)
        with pytest.raises(BrokenPipeError):
            main()
        os.close(read)
        with pytest.raises(SystemExit, match=str(CLOSED_PIPE)):
            main()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_a_sentence(unbuffered: str, recording: Path):
    with Path("/dev/full").open("wb") as full:
        done = run("train.py --help", recording, stdout=full, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    assert done.returncode == 2
    assert set(done.stderr.decode().splitlines()) <= {
        "error: No space left on device.",
        "error: The output can't be written: No space left on device.",
    }
    assert done.stderr


@pytest.mark.parametrize("name", ["nowhere.wav", "café 😀.wav"])
def test_a_full_disk_for_errors_changes_nothing_else(name: str, recording: Path):
    command = [sys.executable, "-m", "ser_core.predict", str(recording.with_name(name)), "--checkpoint", "nowhere"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_terminal_shows_names_and_does_not_obey_them(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert printable("a\n\x1b[31mb\u202ec\udcff d\u00a0é\u200d😀") == "a\\n\\u001b[31mb\\u202ec\\udcff d\u00a0é\u200d😀"

    @friendly_errors()
    def main() -> None:
        raise SERError("no \x1b[2J file\nand another line")

    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err == "error: no \\u001b[2J file\nand another line\n"
    (tmp_path / "two\nlines\x1b[1m.wav").write_bytes(b"no sound")
    with pytest.raises(SystemExit, match="2"):
        predict([str(tmp_path)])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "two\\nlines\\u001b[1m.wav" in said.err


def test_what_the_terminal_cannot_show_is_escaped(recording: Path):
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("-m ser_core.predict {file} --format json", recording, stdout=subprocess.PIPE, env=ascii_only)
    (row,) = json.loads(done.stdout.decode("ascii"))
    assert row["file"] == str(recording)
    done = run("-m ser_core --help", recording, stdout=subprocess.PIPE, env=ascii_only)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u2022 predict" in done.stdout


def test_a_name_of_any_bytes_is_shown(tmp_path: Path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    command: list[str | bytes] = [sys.executable, "-m", "ser_core.predict", name, "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    (row,) = json.loads(done.stdout.decode())
    assert os.fsencode(row["file"]) == name
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/there"), "error: /there: Permission denied.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), "error: No space left on device.\n"),
        (OSError(errno.ENOSPC, "No space left", "/there/it"), f"error: {full(Path('/there'))}\n"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(error: OSError, says: str, capsys: pytest.CaptureFixture):
    @friendly_errors()
    def main() -> None:
        raise error

    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err == says


def test_a_mistake_of_the_program_is_no_sentence():
    @friendly_errors()
    def main() -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "forgotten")

    with pytest.raises(FileNotFoundError):
        main()
