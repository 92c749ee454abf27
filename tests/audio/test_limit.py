"""How long a recording may be, and that its length takes no memory."""

import io
import struct
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from ser_core.audio import SAMPLE_RATE
from ser_core.audio.decode import Recording, decode
from ser_core.audio.limit import MEGABYTES, MINUTES, Limit, duration
from ser_core.audio.mono import mono_parts
from ser_core.audio.preprocess import load_audio
from ser_core.errors import AudioError, ConfigError
from tests.audio.encoded import RATE, encode, seconds, written
from tests.helpers import tone

LONG = 0.3 * tone(440, 12, RATE)[None]
TELLING = {
    "wav": lambda: written(LONG, RATE, format="WAV"),
    "flac": lambda: written(LONG, RATE, format="FLAC"),
    "m4a": lambda: encode(LONG, "mp4", "aac"),
    "opus": lambda: encode(LONG, "ogg", "libopus"),
    "webm": lambda: encode(LONG, "webm", "libopus"),
}
SILENT = {  # about their length
    "aac": lambda: encode(LONG, "adts", "aac"),
    "two files": lambda: 2 * written(LONG[:, : 6 * RATE], RATE, format="FLAC"),
}


@pytest.mark.parametrize("kind", TELLING)
def test_what_says_that_it_is_too_long_is_refused_before_it_is_read(kind: str):
    blocks = Recording(TELLING[kind](), max_seconds=10).blocks()
    with pytest.raises(AudioError, match=r"lasts 12 seconds, and at most 10 seconds are read\. Cut it"):
        next(blocks)


@pytest.mark.parametrize("kind", SILENT)
def test_what_does_not_say_so_is_refused_at_the_limit(kind: str):
    blocks = Recording(SILENT[kind](), max_seconds=10).blocks()
    seconds = next(blocks).seconds
    with pytest.raises(AudioError, match=r"goes on after 10 seconds, and at most|lasts 12 seconds"):
        seconds += sum(block.seconds for block in blocks)
    assert seconds <= 10


def test_what_the_bytes_of_a_file_could_not_hold_is_not_believed():
    data = bytearray(encode(LONG, "flv", "aac"))
    place = data.index(b"duration") + len(b"duration") + 1
    data[place : place + 8] = struct.pack(">d", 1e9)
    assert seconds(decode(bytes(data))) == pytest.approx(12, abs=0.1)


def test_samples_are_refused_like_files():
    with pytest.raises(AudioError, match="lasts 12 seconds"):
        decode(LONG, sample_rate=RATE, max_seconds=10)
    assert decode(LONG, sample_rate=RATE, max_seconds=12).rate == RATE


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_a_sentence(wrong: float):
    with pytest.raises(ConfigError, match="max_seconds"):
        Recording(b"", max_seconds=wrong)


def test_both_are_settings(monkeypatch: pytest.MonkeyPatch):
    assert Limit().seconds == 3 * 3600
    monkeypatch.setenv(MINUTES, "0.1")
    data = TELLING["wav"]()
    with pytest.raises(AudioError, match="lasts 12 seconds, and at most 6 seconds"):
        load_audio(data)
    assert len(load_audio(data, max_seconds=20))  # what is said comes before the setting
    monkeypatch.setenv(MINUTES, "")
    monkeypatch.setenv(MEGABYTES, "0.5")
    with pytest.raises(AudioError, match=r"has 1 MB, and at most 0.5 MB are read.*SER_MAX_MB"):
        load_audio(data)


@pytest.mark.parametrize("variable", [MINUTES, MEGABYTES])
@pytest.mark.parametrize("wrong", ["0", "-1", "nan", "inf", "much"])
def test_a_setting_that_is_none_is_a_sentence(variable: str, wrong: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, wrong)
    with pytest.raises(ConfigError, match=rf"The environment variable {variable} is a number above 0, not '{wrong}'\."):
        Recording(b"")


def test_a_file_that_is_too_large_is_not_looked_at(tmp_path: Path):
    """It may begin as one that is searched to its end."""
    path = tmp_path / "large.flac"
    with path.open("wb") as file:
        file.write(b"fLaC")
        file.truncate(10**11)  # which takes no space
    with pytest.raises(AudioError, match="has 100,000 MB, and at most 8,000 MB are read"):
        decode(path)


@pytest.mark.parametrize(("seconds", "said"), [(90, "90 seconds"), (900, "15 minutes"), (3 * 3600, "3 hours")])
def test_durations_in_words(seconds: float, said: str):
    assert duration(seconds) == said


def silence(hours: float) -> bytes:
    """A small file that lasts long and doesn't say how long: every second of it is the same packet."""
    source, target = io.BytesIO(encode(np.zeros((1, RATE), np.float32), "adts", "aac")), io.BytesIO()
    with av.open(source) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0)]
    target.write(packets[5] * round(hours * 3600 * RATE / 1024))
    return target.getvalue()


def test_hours_of_silence_in_a_small_file_end_at_the_limit_in_little_memory():
    data = silence(1)
    assert len(data) < 3_000_000
    tracemalloc.start()
    with pytest.raises(AudioError, match="goes on after 5 minutes"):
        load_audio(data, max_seconds=300)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_parts_are_the_whole_in_order(rate: int, channels: int):
    """However it is cut: resampling and averaging go on over the ends of blocks and parts."""
    samples = np.random.default_rng(0).normal(0, 0.1, (channels, 7 * rate)).astype(np.float32)
    data = written(samples, rate, format="WAV", subtype="FLOAT")
    parts = list(mono_parts(Recording(data), seconds=2))
    assert [len(part) for part in parts] == [2 * SAMPLE_RATE] * 3 + [SAMPLE_RATE]
    expected = soxr.resample(samples.mean(axis=0), rate, SAMPLE_RATE, quality="HQ")
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-5)
    np.testing.assert_array_equal(load_audio(data), np.concatenate(parts))


def test_a_part_may_end_where_the_channels_become_fewer():
    rng = np.random.default_rng(0)
    stereo, mono = (rng.normal(0, 0.1, (channels, 2 * SAMPLE_RATE)).astype(np.float32) for channels in (2, 1))
    data = b"".join(written(samples, SAMPLE_RATE, format="WAV", subtype="FLOAT") for samples in (stereo, mono))
    parts = list(mono_parts(Recording(data), seconds=2))
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate((stereo.mean(axis=0), mono[0])))
