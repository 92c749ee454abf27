"""What a header promises is never believed: it takes no memory, sends nobody past the end, and loses no sound."""

import io
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ser_core.audio.decode import decode
from ser_core.audio.ffmpeg import header_seconds
from ser_core.audio.preprocess import AudioConfig, preprocess
from ser_core.audio.tracks import choose_track
from ser_core.audio.vad import silero_intervals
from ser_core.errors import AudioError
from tests.audio.encoded import RATE, encode, seconds, written
from tests.helpers import tone

SOUND = 0.3 * tone(440, 1.5, RATE)[None]
MOST_BYTES = 20e6  # of memory that reading it may take


def flac(n_samples: int) -> bytes:
    """One whose header says so many samples (RFC 9639, 8.2); 0 is what is written to a pipe."""
    data = bytearray(written(SOUND, RATE, format="FLAC"))
    data[21] = (data[21] & 0xF0) | n_samples >> 32
    data[22:26] = struct.pack(">I", n_samples & 0xFFFFFFFF)
    return bytes(data)


def lying(format: str, after: bytes, offset: int, number: bytes, subtype: str = "PCM_16") -> bytes:
    data = bytearray(written(SOUND, RATE, format=format, subtype=subtype))
    start = data.index(after) + offset
    data[start : start + len(number)] = number
    return bytes(data)


LIES: dict[str, Callable[[], bytes]] = {
    "flac of unknown length": lambda: flac(0),
    "flac of 5e9 samples": lambda: flac(5_000_000_000),
    "flac of 68e9 samples": lambda: flac(68_000_000_000),
    "wav": lambda: lying("WAV", b"data", 4, struct.pack("<I", 0xFFFFFFF0)),
    "wav of more than 2 GB": lambda: lying("WAV", b"data", 4, struct.pack("<I", 0x7FFF_0000)),
    "wav that is compressed": lambda: lying("WAV", b"fact", 8, struct.pack("<I", 0xFFFFFFF0), "IMA_ADPCM"),
    "rf64": lambda: lying("RF64", b"ds64", 8, 2 * struct.pack("<Q", 1 << 60)),
    "w64": lambda: lying("W64", b"data", 16, struct.pack("<Q", 1 << 59)),
    "caf": lambda: lying("CAF", b"data", 4, struct.pack(">Q", 1 << 60)),
    "au": lambda: lying("AU", b".snd", 8, struct.pack(">I", 0xFFFFFFF0)),
    "aiff": lambda: lying("AIFF", b"COMM", 10, struct.pack(">I", 0xFFFFFFF0)),
}


@pytest.mark.parametrize("kind", LIES)
@pytest.mark.parametrize("on_disk", [False, True], ids=["bytes", "file"])
def test_what_a_header_promises_is_neither_believed_nor_missed(kind: str, on_disk: bool, tmp_path: Path):
    path = tmp_path / "lie"
    path.write_bytes(LIES[kind]())
    tracemalloc.start()
    found = decode(path if on_disk else path.read_bytes())
    assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    tracemalloc.stop()
    assert seconds(found) == pytest.approx(1.5, abs=0.05)


def test_ffmpeg_is_not_sent_behind_the_end(tmp_path: Path, capfd: pytest.CaptureFixture):
    path = tmp_path / "lie.caf"
    path.write_bytes(LIES["caf"]())
    with path.open("rb") as file:
        assert header_seconds(file) in (0, 1.5)  # FFmpeg finds it by the size, or not
    assert not capfd.readouterr().err


def test_devices_are_no_recordings():
    for device in ("/dev/zero", "/dev/null", "/dev/full"):
        with pytest.raises(AudioError, match=rf"{device} is a device, not a file\."):
            decode(device)


@pytest.mark.parametrize("peak", [1e4, -1e5, 1e8])
@pytest.mark.parametrize("kind", ["wav", "mov", "array"])
def test_a_single_sample_that_is_no_sound_is_named(peak: float, kind: str):
    """It would make silence of all others, whatever full scale it was taken for."""
    samples = SOUND.copy()
    samples[0, 5000] = peak
    wav, mov = written(samples, RATE, format="WAV", subtype="FLOAT"), encode(samples, "mov", "pcm_f32le")
    source: Any = {"wav": wav, "mov": mov, "array": samples}[kind]
    with pytest.raises(AudioError, match=r"is damaged: a single sample of it goes up to 1e\+0\d.*Cut that out"):
        decode(source, sample_rate=RATE if kind == "array" else None)


@pytest.mark.parametrize("peak", [1e10, 1e19, 1e30])
def test_no_sound_is_that_loud(peak: float):
    samples = SOUND.copy()
    samples[0, 5000] = peak
    with pytest.raises(AudioError, match=r"up to 1e\+\d\d, which is no sound"):
        decode(written(samples, RATE, format="WAV", subtype="FLOAT"))


def test_hours_of_nothing_take_no_network(monkeypatch: pytest.MonkeyPatch):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("silence was listened to")

    monkeypatch.setattr("ser_core.audio.vad.silero_intervals", never)
    assert not len(preprocess(np.zeros(RATE, np.float32), AudioConfig(vad="silero")).intervals)
    monkeypatch.undo()
    assert not len(silero_intervals(np.zeros(RATE, np.float32), threshold=0.5))  # which would find nothing, either


def test_a_sample_rate_takes_no_memory():
    silence = np.zeros((2, 60 * RATE), np.float32)
    data = bytearray(written(silence, RATE, format="CAF", subtype="ALAC_16"))
    at = data.index(b"desc") + 12
    data[at : at + 8] = struct.pack(">d", 2e9)
    tracemalloc.start()
    with pytest.raises(AudioError, match="has a sample rate of 2000000000 Hz"):
        decode(bytes(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < silence.nbytes / 4


MANY: dict[str, Callable[[], tuple[bytes, str]]] = {
    "amr": lambda: (b"#!AMR\n" * 20_000, "more than 1,000 recordings"),
    "flac": lambda: (b"fLaC\0\0\0\x22" * 20_000, "more than 1,000 recordings"),
    "wav": lambda: (b"RIFF\0\0\0\0WAVE" * 20_000, "more than 1,000 recordings"),
    "zeros of a recorder that lost its power": lambda: (b"RIFF\0\0\0\0WAVE" + bytes(4_000_000), "could not be decoded"),
}


@pytest.mark.parametrize("kind", MANY)
def test_what_is_tiny_or_empty_takes_no_time(kind: str):
    data, says = MANY[kind]()
    looks = 0

    class Looked(io.BytesIO):
        def seek(self, *place: int) -> int:
            nonlocal looks
            looks += 1
            return super().seek(*place)

    with pytest.raises(AudioError, match=says):
        decode(Looked(data))
    assert looks < 5_000


def test_zeros_between_chunks_hide_no_sound():
    data = written(SOUND, RATE, format="WAV")
    at = data.index(b"data")
    assert seconds(decode(data[:at] + bytes(80_000) + data[at:])) == pytest.approx(1.5)


def test_silent_tracks_are_no_way_around_the_limit():
    silence = np.zeros((1, 20 * RATE), np.float32)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        streams = [output.add_stream("flac", rate=RATE, layout="mono") for _ in range(2)]
        for stream in streams:
            for start in range(0, silence.shape[1], 4608):
                frame = av.AudioFrame.from_ndarray(silence[:, start : start + 4608], format="fltp", layout="mono")
                frame.sample_rate, frame.pts = RATE, start
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    heard: list[float] = []
    with av.open(io.BytesIO(buffer.getvalue()), "r") as container:

        def check(second: float) -> None:
            heard.append(second)
            if second > 5:
                raise AudioError("too long")

        with pytest.raises(AudioError, match="too long"):
            choose_track(container, lambda: av.open(io.BytesIO(buffer.getvalue()), "r"), check)
    assert max(heard) == 6
