"""Many recordings into one table, which is gone on with."""

import csv
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ser_core.audio.preprocess import load_audio
from ser_core.errors import CheckpointError, ConfigError, DiskFullError
from ser_core.serving.many import command, journal, run
from ser_core.serving.many.blocks import BLOCK_BYTES, BLOCK_FILES, Block, Done, File, Results, in_blocks
from ser_core.serving.many.classifier import Classifier
from ser_core.serving.many.columns import as_row
from ser_core.serving.many.journal import journal_of, open_journal
from ser_core.serving.many.listing import Listed
from ser_core.serving.many.processes import Processes
from ser_core.serving.many.run import predict_many
from ser_core.serving.many.table import write_table
from ser_core.serving.predict_command import main, parse_arguments
from ser_core.serving.prediction import window_spans
from ser_core.serving.predictor import Predictor
from ser_core.serving.rows import COLUMNS, result_row, timeline_rows
from ser_core.serving.windows import windows_of
from tests.helpers import LONG, ROOT
from tests.serving.stubs import SETTINGS, Unreliable, listed, stub


@pytest.fixture
def folder(corpus, tmp_path: Path) -> Path:
    """Three recordings, one of them further down, and one that is none."""
    folder = tmp_path / "recordings"
    (folder / "inner").mkdir(parents=True)
    for name, clip in (("a.wav", "1001_IEO_ANG_HI"), ("inner/b.wav", "1001_IEO_DIS_LO"), ("ü.wav", "1001_IEO_NEU_XX")):
        (folder / name).write_bytes(corpus.path(clip).read_bytes())
    (folder / "bad.wav").write_text("no sound")
    return folder


@pytest.fixture
def predict(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command in this process: its exit status."""
    monkeypatch.setenv("SER_CHECKPOINTS_DIR", str(checkpoints))

    def call(*arguments: object) -> int:
        try:
            main([*map(str, arguments), "--workers", "1"])
        except SystemExit as error:
            return int(error.code or 0)
        return 0

    return call


@pytest.fixture
def classified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that were classified since it was last cleared."""
    names: list[str] = []
    original = Classifier.__call__

    def noted(self: Classifier, block: Block) -> list[Done]:
        names.extend(Path(os.fsdecode(file.path)).name for file in block)
        return original(self, block)

    monkeypatch.setattr(Classifier, "__call__", noted)
    return names


def read(table: Path) -> list[dict]:
    if table.suffix == ".parquet":
        return pq.read_table(table).to_pylist()
    with table.open(encoding="utf-8", newline="") as file:
        return [json.loads(line) for line in file] if table.suffix == ".jsonl" else list(csv.DictReader(file))


def test_each_format_holds_what_a_predictor_says(folder: Path, tmp_path: Path, predict, checkpoints: Path):
    tables = {suffix: tmp_path / f"new/results.{suffix}" for suffix in ("parquet", "jsonl", "csv")}
    for table in tables.values():
        assert predict(folder, "--out", table, "--embeddings") == 2
    predictor = Predictor.load(root=checkpoints)
    rows = read(tables["jsonl"])
    assert [row["file"] for row in rows] == [str(folder / n) for n in ("a.wav", "bad.wav", "inner/b.wav", "ü.wav")]
    for row in rows:
        assert tuple(row) == (*COLUMNS, "embedding")
        if row["file"].endswith("bad.wav"):
            assert "could not be decoded" in row["error"]
            assert row["answer"] is row["embedding"] is None
            continue
        prediction = predictor(row["file"])
        np.testing.assert_allclose(row.pop("embedding"), prediction.embedding, rtol=1e-4, atol=1e-5)
        expected = result_row(row["file"], prediction)
        assert {**row, "confidence": 0, **dict.fromkeys(prediction.probabilities)} == {
            **expected,
            "confidence": 0,
            **dict.fromkeys(prediction.probabilities),
        }
        assert row["confidence"] == pytest.approx(prediction.confidence, abs=2e-4)
    rows = read(tables["jsonl"])
    for row, other in zip(rows, read(tables["parquet"]), strict=True):
        embedding, same = other.pop("embedding"), row["embedding"]
        assert {key: value for key, value in row.items() if key != "embedding"} == other
        assert (embedding is None) == (same is None)
        np.testing.assert_allclose(embedding or [], same or [], rtol=1e-6)
    for row, other in zip(rows, read(tables["csv"]), strict=True):
        assert json.loads(other["embedding"] or "null") == row["embedding"]
        assert (other["answer"] or None, other["error"] or None) == (row["answer"], row["error"])


def test_a_row_a_window_is_the_timeline(folder: Path, tmp_path: Path, predict, checkpoints: Path):
    assert predict(folder, "--out", tmp_path / "w.jsonl", "--windows", 1, "--hop", 0.5) == 2
    rows = [row for row in read(tmp_path / "w.jsonl") if row["file"] == str(folder / "a.wav")]
    audio = load_audio(folder / "a.wav")
    expected = timeline_rows(Predictor.load(root=checkpoints).timeline(audio, window_seconds=1, hop_seconds=0.5))
    assert len(rows) == len(expected) > 2
    for row, window in zip(rows, expected, strict=True):
        assert {key: row[key] for key in ("start", "end", "emotion")} == {
            key: window[key] for key in ("start", "end", "emotion")
        }
    assert sum(row["error"] is not None for row in read(tmp_path / "w.jsonl")) == 1


@pytest.mark.parametrize("length", [0, 1, 15_999, 16_000, 40_000, 48_001, 160_000])
@pytest.mark.parametrize(("window", "hop"), [(1.0, 0.5), (1.0, 1.7), (3.0, 1.0)])
def test_windows_of_parts_are_those_of_the_whole(length: int, window: float, hop: float):
    audio = np.arange(length, dtype=np.float32)
    for size in (7_000, 50_000):
        parts = [audio[start : start + size] for start in range(0, length, size)]
        found = list(windows_of(parts, window, hop))
        assert [(start, start + len(samples)) for start, samples in found] == window_spans(length, window, hop)
        for start, samples in found:
            np.testing.assert_array_equal(samples, audio[start : start + len(samples)])


def test_the_same_command_does_what_is_missing_or_has_changed(
    folder: Path, tmp_path: Path, predict, classified: list[str], capsys: pytest.CaptureFixture[str]
):
    table = tmp_path / "results.csv"
    assert predict(folder, "--out", table) == 2
    first = table.read_bytes()
    assert sorted(classified) == ["a.wav", "b.wav", "bad.wav", "ü.wav"]
    classified.clear()
    assert predict(folder, folder / "a.wav", "--out", table) == 2  # named twice, it is there once
    assert (table.read_bytes(), classified) == (first, [])
    assert "4 of them were known already" in capsys.readouterr().out

    (folder / "c.wav").write_bytes((folder / "a.wav").read_bytes())
    os.utime(folder / "a.wav", (1, 1))
    (folder / "bad.wav").write_bytes((folder / "ü.wav").read_bytes())
    (folder / "ü.wav").unlink()
    assert predict(folder, "--out", table) == 0
    assert sorted(classified) == ["a.wav", "bad.wav", "c.wav"]
    assert [Path(row["file"]).name for row in read(table)] == ["a.wav", "bad.wav", "c.wav", "b.wav"]
    assert "1 file of those in" in capsys.readouterr().err
    classified.clear()
    assert predict(folder / "nowhere.wav", "--out", table) == 2
    assert predict(folder / "nowhere.wav", "--out", table) == 2  # it may be there by now
    assert classified == ["nowhere.wav"] * 2


def test_other_settings_are_refused_with_the_difference(
    folder: Path, tmp_path: Path, predict, capsys: pytest.CaptureFixture[str]
):
    table = tmp_path / "results.csv"
    assert predict(folder / "a.wav", "--out", table) == 0
    whole = table.read_bytes()
    for flags, says in (
        (["--min-confidence", 0.5], "min confidence was 0.4 and is 0.5"),
        (["--windows", 3], "windows was None and is 3.0; hop was None and is 1.0"),
        (["--checkpoint", "1d-fixed"], "checkpoint was 2d-fixed and is 1d-fixed"),
        (["--adapt", folder / "a.wav"], "tuned to other recordings"),
    ):
        assert predict(folder / "a.wav", "--out", table, *flags) == 2
        assert says in capsys.readouterr().err
    assert table.read_bytes() == whole
    journal_of(table).write_text("something else")
    assert predict(folder / "a.wav", "--out", table) == 2
    assert "results.csv.journal can't be used (file is not a database)" in capsys.readouterr().err
    journal_of(table).unlink()
    assert predict(folder / "a.wav", "--out", table) == 2
    assert "is there already, and results.csv.journal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--out", "results.xls"], "--out ends with .parquet, .csv or .jsonl, not as results.xls."),
        (["--out", "results.csv", "--format", "json"], "--format json is for what is printed"),
        (["--out", "results.csv", "--hop", "1"], "--hop is for windows"),
        (["--out", "results.csv", "--windows", "0.1"], "--windows is a number of seconds from 0.2 to 300, not 0.1."),
        (["--out", "results.csv", "--windows", "3", "--hop", "nan"], "--hop is a number of seconds from 0.05 to 300"),
        (["--out", "results.csv", "--min-confidence", "7"], "min_confidence is a probability"),
        (["--out", "results.csv", "--max-minutes", "0"], "max_seconds"),
        (["--out", "results.csv", "--ray", "localhost:1"], "No Ray cluster answers at localhost:1"),
        (["--embeddings"], "--embeddings is for tables"),
        (["--windows", "0"], "--windows is for tables"),
    ],
)
def test_nonsense_is_a_sentence_before_any_work(
    flags: list[str], says: str, predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert predict("x.wav", *flags) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    name = "-2+3+cmd|'"
    monkeypatch.setattr(run, "list_files", lambda _: iter([Listed(Path(name), 1000, 0)]))
    for suffix, shown in (("csv", f"'{name}"), ("jsonl", name)):
        predict_many([], tmp_path / f"x.{suffix}", SETTINGS, stub)
        assert [row["file"] for row in read(tmp_path / f"x.{suffix}")] == [shown]


def test_so_many_workers_are_too_many():
    with pytest.raises(ConfigError, match="--workers is 1 to 10,000, not 10001"):
        parse_arguments(["x.wav", "--out", "x.csv", "--workers", "10001"])


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    peaks = []
    for n in (100, 500, 5_000):  # the first loads what is loaded once
        monkeypatch.setattr(run, "list_files", lambda _, n=n: listed(n))
        tracemalloc.start()
        outcome = predict_many([], tmp_path / f"{n}.csv", SETTINGS, stub)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert outcome.files == n
    assert peaks[2] - peaks[1] < 5e6  # the rows alone are 10 MB


KILLED = """
import os, signal, sys
from pathlib import Path
from ser_core.serving.many import run
from tests.serving.stubs import SETTINGS, listed, stub

def until(blocks):
    for number, results in enumerate(stub(blocks)):
        if number == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        yield results

run.list_files = lambda _: listed(100)
run.predict_many([], Path(sys.argv[1]), SETTINGS, until)
"""


def test_a_kill_loses_only_what_was_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table = tmp_path / "results.jsonl"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(table)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not table.exists()
    done: list[int] = []

    def noted(blocks: Iterator[Block]) -> Results:
        for results in stub(blocks):
            done.extend(result.number for result in results)
            yield results

    monkeypatch.setattr(run, "list_files", lambda _: listed(100))
    outcome = predict_many([], table, SETTINGS, noted)
    assert outcome.known == 5 * BLOCK_FILES
    assert len(set(done)) == len(done) == 100 - 5 * BLOCK_FILES
    assert [row["file"] for row in read(table)] == [str(file.path) for file in listed(100)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.jsonl", "results.jsonl.journal"]


def test_ctrl_c_says_how_to_go_on(folder: Path, tmp_path: Path, predict, monkeypatch: pytest.MonkeyPatch, capsys):
    def interrupted(blocks: Iterator[Block], **_: object) -> Results:
        yield from itertools.islice(stub(blocks), 1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(command, "classify_here", interrupted)
        assert predict(folder, "--out", tmp_path / "x.csv") == 130
    assert "go on with the same command" in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()
    assert predict(folder, "--out", tmp_path / "x.csv") == 0
    assert "4 of them were known already" in capsys.readouterr().out


def test_a_table_may_lie_beside_its_recordings(folder: Path, predict, checkpoints: Path):
    (folder / "bad.wav").unlink()
    for _ in range(2):
        assert predict(folder, "--out", folder / "results.csv") == 0
        assert journal_of(folder / "results.csv").exists()
    assert len((folder / "results.csv").read_text().splitlines()) == 1 + 3


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what Linux says of a process")
def test_while_it_loads_the_libraries_the_server_of_processes_does_not_hear_ctrl_c():
    says = """
import re
from multiprocessing import forkserver
from pathlib import Path
from ser_core.serving.many.processes import context
context()
status = Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text()
print(int(re.search(r"SigBlk:\\s*(\\w+)", status)[1], 16))
"""
    ran = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(ran.stdout) & 1 << signal.SIGINT - 1


def test_two_processes_do_not_make_the_same_table(tmp_path: Path):
    with (
        open_journal(tmp_path / "x.csv", SETTINGS),
        pytest.raises(ConfigError, match="is being made by another process"),
        open_journal(tmp_path / "x.csv", SETTINGS),
    ):
        pass


def test_blocks_are_small():
    small = [File(number, b"", 10) for number in range(2 * BLOCK_FILES + 1)]
    large = [File(number, b"", BLOCK_BYTES) for number in range(3)]
    assert [len(block) for block in in_blocks(small)] == [BLOCK_FILES, BLOCK_FILES, 1]
    assert [len(block) for block in in_blocks([*large, *small[:2]])] == [1, 1, 1, 2]


@LONG
def test_a_file_that_ends_processes_costs_only_itself(tmp_path: Path):
    work = Unreliable(always=13, once=21, seen=tmp_path / "seen")
    processes = Processes(work, 2)
    blocks = list(in_blocks(File(number, b"", 10) for number in range(40)))
    try:
        results = [done for results in processes.map(iter(blocks)) for done in results]
        assert sorted(done.number for done in results) == list(range(40))
        (failed,) = [done for done in results if done.failed]
        assert failed.number == 13
        assert "ended by SIGABRT, twice" in failed.rows[0].text
        assert work.seen.exists()
        again = [done.number for results in processes.map(iter(blocks[:1])) for done in results]
        assert again == list(range(BLOCK_FILES))  # those that are left go on
    finally:
        processes.close()
    damaged = Processes(Unreliable(0, 0, tmp_path, damaged=True), 2)
    try:
        with pytest.raises(CheckpointError, match="It is damaged"):
            list(damaged.map(iter(blocks)))
    finally:
        damaged.close()


def in_journal(table: Path, statement: str) -> None:
    database = sqlite3.connect(journal_of(table))
    with database:
        database.execute(statement)
    database.close()


def noted(numbers: list[int]) -> Callable[[Iterator[Block]], Results]:
    """The stub, which says which files it classifies."""

    def classify(blocks: Iterator[Block]) -> Results:
        for results in stub(blocks):
            numbers.extend(result.number for result in results)
            yield results

    return classify


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE rows SET text = replace(text, 'ANG', 'ANF') WHERE number = 7",
        "UPDATE rows SET text = substr(text, 2) WHERE number = 7",
        "UPDATE rows SET text = CAST(x'7bff7d' AS TEXT) WHERE number = 7",
        "UPDATE rows SET text = NULL WHERE number = 7",
        "UPDATE rows SET text = 3 WHERE number = 7",
        "UPDATE rows SET embedding = x'01' || substr(embedding, 2) WHERE number = 7",
        "UPDATE rows SET number = 7000 WHERE number = 7",
        "UPDATE files SET digest = 'x' WHERE number = 7",
        "UPDATE files SET failed = 1 WHERE number = 7",
    ],
)
def test_what_is_damaged_in_the_journal_is_named_and_found_out_again(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    table = tmp_path / "results.jsonl"
    monkeypatch.setattr(run, "list_files", lambda _: listed(100))
    predict_many([], table, SETTINGS, stub)
    whole = table.read_bytes()
    in_journal(table, damage)
    done: list[int] = []
    outcome = predict_many([], table, SETTINGS, noted(done))
    assert (done, outcome.known, outcome.failed, table.read_bytes()) == ([7], 99, 0, whole)
    said = capsys.readouterr().err
    assert "warning: results.jsonl.journal is damaged: what it holds of /recordings/000006.wav is not" in said
    done.clear()
    predict_many([], table, SETTINGS, noted(done))
    assert (done, capsys.readouterr().err, table.read_bytes()) == ([], "", whole)


def test_no_flipped_bit_of_a_journal_gives_another_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nor an error that is no sentence, wherever it is: in rows, in paths or in what finds them."""

    def by_path(blocks: Iterator[Block]) -> Results:
        for block in blocks:
            yield [Done(file.number, (as_row({"answer": str(file.path)}, bytes(40)),)) for file in block]

    table = tmp_path / "results.jsonl"
    monkeypatch.setattr(run, "list_files", lambda _: listed(100))
    predict_many([], table, SETTINGS, by_path)
    whole, data = table.read_bytes(), journal_of(table).read_bytes()
    refused = 0
    chance = random.Random(0)
    for position in range(chance.randrange(300), len(data), 300):
        damaged = bytearray(data)
        damaged[position] ^= 1 << chance.randrange(8)
        journal_of(table).write_bytes(damaged)
        try:
            predict_many([], table, SETTINGS, by_path)
        except ConfigError:
            refused += 1
        assert table.read_bytes() == whole
    assert refused < len(data) / 300 / 5


def test_many_damaged_rows_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(run, "list_files", lambda _: listed(100))
    predict_many([], tmp_path / "x.csv", SETTINGS, stub)
    in_journal(tmp_path / "x.csv", "UPDATE rows SET text = '' WHERE number > 90")
    assert predict_many([], tmp_path / "x.csv", SETTINGS, stub).known == 90
    (line,) = capsys.readouterr().err.splitlines()
    assert "000091.wav, /recordings/000092.wav and 7 more files is not" in line


def test_rows_of_an_older_version_have_no_digest_and_are_found_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(run, "list_files", lambda _: listed(9))
    predict_many([], tmp_path / "x.csv", SETTINGS, stub)
    in_journal(tmp_path / "x.csv", "ALTER TABLE files DROP COLUMN digest")
    assert predict_many([], tmp_path / "x.csv", SETTINGS, stub).known == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: x.csv.journal holds 9 files without checksums, from an older version")
    assert predict_many([], tmp_path / "x.csv", SETTINGS, stub).known == 9
    assert not capsys.readouterr().err


@pytest.mark.parametrize("text", ["replace(text, 'ANG', 'ANF')", "substr(text, 2)", "NULL"])
def test_rows_that_are_damaged_while_the_table_is_written_leave_it_as_it_was(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run, "list_files", lambda _: listed(9))
    with open_journal(tmp_path / "x.csv", SETTINGS) as opened:
        opened.list(listed(9))
        for results in stub(in_blocks(opened.to_do())):
            opened.add(results)
        opened._database.execute(f"UPDATE rows SET text = {text} WHERE number = 5")
        with pytest.raises(ConfigError, match=r"rows of /recordings/000004\.wav were damaged.* the same command"):
            write_table(tmp_path / "x.csv", opened.rows(), COLUMNS)
    assert not (tmp_path / "x.csv").exists()


def test_a_journal_that_is_cut_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "list_files", lambda _: listed(100))
    predict_many([], tmp_path / "x.csv", SETTINGS, stub)
    data = journal_of(tmp_path / "x.csv").read_bytes()
    journal_of(tmp_path / "x.csv").write_bytes(data[: len(data) // 2])
    with pytest.raises(ConfigError, match=r"journal can't be used \(.*malformed\)\. Remove it and x\.csv to begin"):
        predict_many([], tmp_path / "x.csv", SETTINGS, stub)


def test_a_disk_without_room_for_the_journal_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    schema = journal.SCHEMA
    monkeypatch.setattr(journal, "SCHEMA", f"PRAGMA max_page_count = 2; {schema}")  # for SQLite, that is the disk
    with pytest.raises(DiskFullError, match=rf"The disk of {tmp_path} is full\."):
        open_journal(tmp_path / "x.csv", SETTINGS).__enter__()
    monkeypatch.setattr(journal, "SCHEMA", schema)
    with open_journal(tmp_path / "x.csv", SETTINGS) as opened:
        assert opened.counts().files == 0
