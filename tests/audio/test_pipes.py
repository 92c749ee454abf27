"""Pipes as recordings: who writes nothing, slowly, or without end."""

import io
import os
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ser_core.audio.decode import decode
from ser_core.errors import AudioError
from tests.audio.encoded import written
from tests.helpers import tone

RATE = 16_000
SOUND = 0.5 * tone(100, 0.5)
WAV = written(SOUND[None], RATE, format="WAV", subtype="FLOAT")


def read_once(data: bytes) -> Any:
    """What can only be read once, some bytes at a time, as a server's answer."""
    left = io.BytesIO(data)
    return SimpleNamespace(read=lambda size: left.read(min(size, 1000)))


@pytest.mark.parametrize("by_name", [False, True])
def test_endless_zeros_are_refused_at_their_beginning(by_name: bool):
    with subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        source: Any = f"/dev/fd/{process.stdout.fileno()}" if by_name else process.stdout
        with pytest.raises(AudioError, match=r"begins with 1 MB of zeros, as no recording does"):
            decode(source)
        process.kill()


def test_so_many_zeros_are_no_recording_as_a_file_either():
    """So what is refused before its end would be refused after it."""
    for zeros, decoded in ((2**16, True), (2**20, False)):
        data = bytes(zeros) + written(SOUND[None], RATE, format="MP3")
        for source in (data, read_once(data)):
            if decoded:
                assert decode(source).samples.size
            else:
                with pytest.raises(AudioError, match=r"could not be decoded|of zeros"):
                    decode(source)


def test_silence_that_lasts_is_no_beginning_of_zeros():
    """A header says what it is."""
    silent = written(np.zeros((1, 2**20), np.float32), RATE, format="WAV")
    assert not decode(read_once(silent)).samples.any()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system knows no pipes with names")
class TestPipes:
    """With a name, which may be opened before somebody writes into them."""

    @pytest.fixture
    def pipe(self, tmp_path: Path) -> Path:
        os.mkfifo(tmp_path / "pipe.wav")
        return tmp_path / "pipe.wav"

    def test_nobody_is_waited_for_without_end(self, pipe: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("ser_core.audio.source.PIPE_SECONDS", 0.1)
        with pytest.raises(AudioError, match=r"pipe\.wav is a pipe into which nobody has written anything for 0.1 s"):
            decode(pipe)

    @pytest.mark.parametrize("pauses", [(0.3, 0), (0, 0.3)])  # before it is opened, and before it is written to
    def test_who_writes_later_is_heard(self, pipe: Path, pauses: tuple[float, float], monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("ser_core.audio.source.PIPE_SECONDS", 0.2 if pauses[1] else 10)

        def write() -> None:
            time.sleep(pauses[0])
            with pipe.open("wb") as file:
                time.sleep(pauses[1])
                file.write(WAV)

        writer = threading.Thread(target=write)
        writer.start()
        if pauses[1]:
            time.sleep(0.05)
        np.testing.assert_array_equal(decode(pipe).samples, SOUND[None])
        writer.join()

    @pytest.mark.parametrize("first", [b"", WAV[:1000]])  # nothing at all, and not all
    def test_a_silent_writer_is_not_waited_for_without_end(
        self, first: bytes, pipe: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("ser_core.audio.source.PIPE_SECONDS", 0.1)
        monkeypatch.setattr("ser_core.audio.source.SILENT_SECONDS", 0.3)
        writing = os.open(pipe, os.O_RDWR)
        os.write(writing, first)
        try:
            with pytest.raises(AudioError, match=r"pipe\.wav is a pipe that somebody has opened, .* for 0\.3 s"):
                decode(pipe)
        finally:
            os.close(writing)

    def test_a_slow_writer_is_heard_to_the_end(self, pipe: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("ser_core.audio.source.SILENT_SECONDS", 1.0)

        def write() -> None:
            with pipe.open("wb", buffering=0) as file:
                for start in range(0, len(WAV), len(WAV) // 8 + 1):
                    time.sleep(0.2)
                    file.write(WAV[start : start + len(WAV) // 8 + 1])

        writer = threading.Thread(target=write)
        writer.start()
        np.testing.assert_array_equal(decode(pipe).samples, SOUND[None])
        writer.join()

    def test_one_whose_writer_is_gone_is_empty_at_once(self):
        reading, writing = os.pipe()
        os.close(writing)
        begin = time.monotonic()
        with pytest.raises(AudioError, match="holds no bytes"):
            decode(f"/dev/fd/{reading}")
        assert time.monotonic() < begin + 5
        os.close(reading)
