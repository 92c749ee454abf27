"""All that a program may hand over as a recording, and what is said of anything else."""

import array
import io
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from ser_core.audio.decode import decode
from ser_core.audio.limit import MEGABYTES
from ser_core.audio.source import several
from ser_core.errors import AudioError
from tests.audio.encoded import written
from tests.helpers import tone

RATE = 16_000
SOUND = 0.5 * tone(100, 0.5)
WAV = written(SOUND[None], RATE, format="WAV", subtype="FLOAT")
PCM = np.round(SOUND * 32767).astype(np.int16)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    (tmp_path / "sound.wav").write_bytes(WAV)
    return tmp_path / "sound.wav"


FILES: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path,
    "text": str,
    "bytes": lambda path: WAV,
    "bytearray": lambda path: bytearray(WAV),
    "memoryview": lambda path: memoryview(WAV),
    "typed memoryview": lambda path: memoryview(WAV).cast("H"),
    "BytesIO": lambda path: io.BytesIO(WAV),
    "unbuffered": lambda path: path.open("rb", buffering=0),
    "raw reader": lambda path: io.BufferedReader(io.FileIO(path)),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_in_any_form(kind: str, wav: Path):
    source = FILES[kind](wav)
    np.testing.assert_array_equal(decode(source).samples, SOUND[None])
    if isinstance(source, io.IOBase):
        source.close()


@pytest.mark.parametrize("position", [0, 7, len(WAV)])
def test_an_open_file_is_read_from_its_beginning_and_gets_its_position_back(position: int, wav: Path):
    with wav.open("rb") as file, tempfile.SpooledTemporaryFile() as spooled:
        spooled.write(WAV)
        for opened in (file, spooled, io.BytesIO(WAV)):
            opened.seek(position)
            np.testing.assert_array_equal(decode(opened).samples, SOUND[None])
            assert opened.tell() == position


def read_once(data: bytes) -> Any:
    """What can only be read once, some bytes at a time, as a server's answer."""
    left = io.BytesIO(data)
    return SimpleNamespace(read=lambda size: left.read(min(size, 1000)))


@pytest.mark.parametrize("in_memory", [100, 10**6])
def test_what_can_only_be_read_once_is_read(in_memory: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ser_core.audio.source.MEMORY_BYTES", in_memory)
    np.testing.assert_array_equal(decode(read_once(WAV)).samples, SOUND[None])


def test_what_has_no_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(MEGABYTES, str(len(WAV) / 1e6))
    np.testing.assert_array_equal(decode(read_once(WAV)).samples, SOUND[None])
    for by_name in (False, True):
        with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as process:
            assert process.stdout
            source: Any = f"/dev/fd/{process.stdout.fileno()}" if by_name else process.stdout
            with pytest.raises(AudioError, match=r"goes on after .* MB, and at most"):
                decode(source)
            process.kill()


SAMPLES: dict[str, Callable[[], Any]] = {
    "float32": lambda: SOUND,
    "float64": lambda: SOUND.astype(np.float64),
    "float16": lambda: SOUND.astype(np.float16),
    "int16": lambda: PCM,
    "int8": lambda: np.round(SOUND * 127).astype(np.int8),
    "uint8": lambda: np.round(SOUND * 127 + 128).astype(np.uint8),
    "uint16": lambda: (PCM.astype(np.int32) + 32768).astype(np.uint16),
    "int32": lambda: PCM.astype(np.int32) * 65536,
    "16 bits in int32": lambda: PCM.astype(np.int32),
    "16 bits in int64": lambda: PCM.astype(np.int64),
    "24 bits in int32": lambda: PCM.astype(np.int32) * 256,
    "16 bits in float32": lambda: PCM.astype(np.float32),
    "24 bits in float64": lambda: PCM.astype(np.float64) * 256,
    "big-endian": lambda: PCM.astype(">i2"),
    "list": SOUND.tolist,
    "list of channels": lambda: [SOUND.tolist()],
    "tuple": lambda: tuple(SOUND.tolist()),
    "tensor": lambda: torch.from_numpy(SOUND),
    "tensor with a gradient": lambda: torch.from_numpy(SOUND).requires_grad_(),
    "tensor of int16": lambda: torch.from_numpy(PCM),
    "tensor with few numbers": lambda: torch.from_numpy(SOUND).to_sparse(),
    "tensor of steps": lambda: torch.quantize_per_tensor(torch.from_numpy(SOUND), 0.005, 0, torch.qint8),
    "imaginary part": lambda: torch.complex(torch.zeros(len(SOUND)), -torch.from_numpy(SOUND)).conj().imag,
    "array of the standard library": lambda: array.array("h", PCM.tolist()),
    "view": lambda: memoryview(PCM.tobytes()).cast("h"),
    "bfloat16": lambda: torch.from_numpy(SOUND).bfloat16(),
    "Series": lambda: pd.Series(SOUND),
    "Series that was cut": lambda: pd.Series(np.tile(PCM, 2))[len(PCM) :],
    "column": lambda: pd.DataFrame({"sound": SOUND})["sound"],
    "table": lambda: pd.DataFrame({"sound": SOUND}),
    "not in order": lambda: np.asfortranarray(np.tile(SOUND, (2, 1)))[:1],
}


@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor:UserWarning")  # they will go one day
@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_of_any_kind(kind: str):
    decoded = decode(SAMPLES[kind](), sample_rate=RATE)
    assert decoded.samples.dtype == np.float32
    np.testing.assert_allclose(decoded.samples, SOUND[None], atol=0.01)
    assert bool(decoded.warnings) == ("bits in" in kind)


@pytest.mark.parametrize("rate", [float(RATE), np.int32(RATE), np.float64(RATE), torch.tensor(RATE)])
def test_a_whole_rate_may_have_any_type(rate: Any):
    assert decode(SOUND, sample_rate=rate).rate == RATE


def test_what_numbers_are_taken_for_is_said():
    (warning,) = decode(PCM.astype(np.float32), sample_rate=RATE).warnings
    assert warning == f"The samples go up to {PCM.max():,} and were taken for 16-bit numbers."


@pytest.mark.parametrize("gain", [1, 10, 30])
def test_a_loud_float_is_no_integer(gain: float):
    decoded = decode(gain * SOUND, sample_rate=RATE)
    np.testing.assert_allclose(decoded.samples[0], gain * SOUND, rtol=1e-6)
    assert decoded.warnings == ()


@pytest.mark.parametrize(
    "pair",
    [
        (RATE, PCM),
        (PCM, RATE),
        [RATE, PCM],
        (np.int64(RATE), SOUND.tolist()),
        [float(RATE), SOUND.tolist()],
        (torch.tensor(RATE), torch.from_numpy(SOUND)),
        (RATE, array.array("h", PCM.tolist())),
        (RATE, PCM[:, None]),
    ],
)
def test_a_pair_of_rate_and_samples_says_all(pair: Any):
    decoded = decode(pair)
    assert decoded.rate == RATE
    np.testing.assert_allclose(decoded.samples, SOUND[None], atol=1e-3)


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_arrays_have_a_row_for_each_sample_where_that_is_plain(channels: int):
    """As sound cards, soundfile and scipy give them."""
    expected = np.stack([SOUND / (i + 1) for i in range(channels)])
    for samples in (expected, expected.T):
        np.testing.assert_array_equal(decode((RATE, samples)).samples, expected)
        np.testing.assert_array_equal(decode(samples, sample_rate=RATE).samples, expected)


@pytest.mark.parametrize(
    ("source", "rate", "says"),
    [
        (None, None, "not of type NoneType"),
        (None, RATE, "not of type NoneType"),
        (0.5, RATE, "not of type float"),
        (range(10), RATE, "not of type range"),
        ((number for number in (1, 2)), RATE, "not of type generator"),
        (WAV, RATE, "Only arrays take sample_rate"),
        ("a.wav", RATE, "Only arrays take sample_rate"),
        (io.BytesIO(WAV), RATE, "Only arrays take sample_rate"),
        (SOUND, 16_000.5, r"a whole number of Hz, not 16000\.5"),
        (SOUND, float("nan"), "a whole number of Hz, not nan"),
        (SOUND, float("inf"), "a whole number of Hz, not inf"),
        (SOUND, "16000", "a whole number of Hz, not '16000'"),
        (SOUND, torch.zeros(2), "a whole number of Hz, not tensor"),
        ((float("nan"), SOUND), None, "a whole number of Hz, not nan"),
        (
            torch.nested.nested_tensor([torch.zeros(3)], layout=torch.jagged),
            RATE,
            "A nested tensor holds several recordings",
        ),
        (torch.zeros(10, dtype=torch.complex64).conj(), RATE, "type complex64"),
        (torch.empty(10, device="meta"), RATE, "The Tensor can't be read .*no data"),
        (float("nan"), None, "not of type float"),
        ({"a": 1}, None, "not of type dict"),
        ({1, 2}, None, "not of type set"),
        ([None, 1.0], RATE, "A list of NoneType is not supported"),
        (["a.wav"], None, "A list of str_ is not supported"),
        ([WAV], None, "A list of bytes_ is not supported"),
        ([[0.1], [0.1, 0.2]], RATE, "all channels of the same length"),
        (pd.Series([b"a", None]), RATE, "A Series of bytes is not supported"),
        (pd.Series(["a.wav"]), RATE, "A Series of str is not supported"),
        (np.zeros(10, complex), RATE, "type complex128"),
        (np.zeros(10, "datetime64[s]"), RATE, "type datetime64"),
        (torch.zeros(10, dtype=torch.bool), RATE, "type bool"),
        (np.full(10, 1e30), RATE, "up to 1e.30"),
        ((RATE, "a.wav"), None, "not"),
        ((RATE, SOUND), 8_000, "come with a rate of 16000 Hz, and sample_rate says 8000"),
        (io.StringIO("sound"), None, r"open as text \(a StringIO\)"),
        ("nul\0.wav", None, "can't be read"),
        ("", None, "name of the audio file is empty"),
    ],
)
def test_anything_else_is_a_sentence_that_names_its_type(source: Any, rate: int | None, says: str):
    with pytest.raises(AudioError, match=says):
        decode(source, sample_rate=rate)


def test_files_that_cannot_be_read_are_sentences(wav: Path):
    class Broken(io.RawIOBase):
        def seekable(self) -> bool:
            return True

        def seek(self, position: int, whence: int = 0) -> int:
            raise OSError("the disk is gone")

        def tell(self) -> int:
            return 0

    closed = wav.open("rb")
    closed.close()
    with pytest.raises(AudioError, match=r"sound\.wav was closed"):
        decode(closed)
    with wav.open() as text, pytest.raises(AudioError, match=r"sound\.wav is open as text .*mode 'rb'"):
        decode(text)
    with pytest.raises(AudioError, match="the disk is gone"):
        decode(Broken())


@pytest.mark.parametrize(
    "one", ["a.wav", b"", Path("a.wav"), SOUND, torch.zeros(3), pd.Series(SOUND), (RATE, SOUND), 3]
)
def test_one_recording_is_not_several(one: Any):
    with pytest.raises(AudioError, match="give it a list"):
        several(one)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("width", [16, 24, 32])
def test_integers_in_a_file_of_floats_are_scaled_by_what_they_look_like(subtype: str, width: int):
    sound: np.ndarray = np.concatenate((np.zeros(3 * RATE, np.float32), SOUND))  # which says nothing of it at first
    decoded = decode(written(2.0 ** (width - 1) * sound[None], RATE, format="WAV", subtype=subtype))
    np.testing.assert_allclose(decoded.samples[0], sound, atol=1e-6)
    (warning,) = decoded.warnings
    assert warning.endswith(f"were taken for {width}-bit numbers.")


def test_floats_in_a_file_that_are_a_little_too_loud_stay_so():
    loud: np.ndarray = 20 * tone(100, 0.5)
    decoded = decode(written(loud[None], RATE, format="WAV", subtype="FLOAT"))
    assert np.abs(decoded.samples).max() == pytest.approx(20, abs=0.01)
    assert decoded.warnings == ()
    with pytest.raises(AudioError, match="which is no sound"):
        decode(written(np.asarray(1e12 * SOUND[None], np.float32), RATE, format="WAV", subtype="FLOAT"))
